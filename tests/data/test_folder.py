import zipfile

import pytest

from ign import data


def pack(path, folder):
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.png")):
            archive.write(file, file.relative_to(folder))
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_a_plain_folder_holds_out_some(tmp_path, fill, packed):
    source = fill(tmp_path / "f", 40)
    source = pack(tmp_path / "z" / "f.zip", source) if packed else source
    train, test, val, whole = (data.load(source, split=s) for s in ("train", "test", "val", "all"))
    assert test.names == val.names
    assert 1 <= len(test) <= 5
    assert sorted(train.names + test.names) == whole.names == [f"{i:02d}.png" for i in range(40)]


@pytest.mark.parametrize(("n", "count"), [(1, "1 image;"), (2, "2 images;"), (3, None)])
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_least_number_of_images_is_said(tmp_path, fill, n, count, split):
    folder = fill(tmp_path / "f", n)
    assert len(data.load(folder, split="all")) == n
    if count is None:
        assert len(data.load(folder, split=split)) == {"train": 2, "test": 1}[split]
        return
    with pytest.raises(data.DataError, match=f"contains {count} at least 3 are needed"):
        data.load(folder, split=split)


@pytest.mark.parametrize("packed", [False, True])
def test_folders_named_after_splits_are_used(tmp_path, fill, packed):
    for name, n in (("train", 4), ("test", 2), ("spare", 1)):
        fill(tmp_path / "f" / name, n)
    source = pack(tmp_path / "z" / "f.zip", tmp_path / "f") if packed else tmp_path / "f"
    assert data.load(source).names == [f"train/{i:02d}.png" for i in range(4)]
    assert len(data.load(source, split="val")) == 2
    assert len(data.load(source, split="all")) == 7


def test_split_zips_are_chosen_by_name(tmp_path, fill):
    for name, n in (("train-1", 3), ("train-2", 2), ("val", 4)):
        pack(tmp_path / "z" / f"faces-{name}.zip", fill(tmp_path / name, n))
    (tmp_path / "z" / "notes.txt").write_text("words", encoding="utf-8")
    fill(tmp_path / "z" / "elsewhere", 1)
    counts = {
        split: len(data.load(tmp_path / "z", split=split)) for split in ("train", "test", "all")
    }
    assert counts == {"train": 5, "test": 4, "all": 9}


def test_zips_beside_images_are_no_splits(tmp_path, fill):
    pack(tmp_path / "f" / "train.zip", fill(tmp_path / "t", 2))
    fill(tmp_path / "f", 3)
    assert len(data.load(tmp_path / "f", split="all")) == 3


def test_nothing_to_load_is_one_clear_line(tmp_path, fill):
    (tmp_path / "empty").mkdir()
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "a.txt").write_text("words", encoding="utf-8")
    (tmp_path / "file.bin").write_bytes(b"words")
    (tmp_path / "bad.zip").write_bytes(b"words")
    pack(tmp_path / "zips" / "photos.zip", fill(tmp_path / "f", 1))
    for name, why in (
        ("nowhere", "no such file or folder; give a folder or zip of images, a folder of MNIST"),
        ("empty", r"no images in this folder \(0 other files\)"),
        ("words", r"no images in this folder \(1 other files\)"),
        ("zips", "give '.*photos.zip'"),
        ("file.bin", "neither a folder nor a zip"),
        ("bad.zip", "not a complete zip"),
    ):
        with pytest.raises(data.DataError, match=why) as caught:
            data.load(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        assert "\n" not in str(caught.value)
