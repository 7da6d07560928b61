import shutil
import zipfile

import pytest
import torch
from PIL import Image

from ign import data

EXPECTED = "expected an image and {} values of 1 or -1, not"
NAMES = ["Bald", "Smiling", "Young"]
ROWS = {"1.png": "1 -1 -1", "2.png": "-1  1 -1", "3.png": "-1 -1  1", "10.png": "1 1 1"}
BITS = {"1.png": [1, 0, 0], "2.png": [0, 1, 0], "3.png": [0, 0, 1], "10.png": [1, 1, 1]}


def pictures(folder, names=tuple(ROWS)):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (178, 218)).save(folder / name)
    return folder


def celeba(folder, suffix="txt"):
    """The layout as published: image names and parts, a count, names, values."""
    pictures(folder / "img_align_celeba")
    parts = "".join(f"{name} {int(name == '3.png')}\n" for name in ROWS)
    (folder / "list_eval_partition.txt").write_text(parts, encoding="utf-8")
    head = f"{len(ROWS)}\n{' '.join(NAMES)} \n"
    lines = [f"{name} {values}" for name, values in ROWS.items()]
    if suffix == "csv":
        head = ",".join(["image_id", *NAMES]) + "\n"
        lines = [",".join(line.split()) for line in lines]
    (folder / f"list_attr_celeba.{suffix}").write_text(
        head + "\n".join(lines) + "\n", encoding="utf-8"
    )
    return folder


def celeba_in_zip(folder):
    """The pictures in a zip, in a folder that the list does not name."""
    pictures = celeba(folder) / "img_align_celeba"
    with zipfile.ZipFile(pictures.with_suffix(".zip"), "w") as archive:
        for path in pictures.iterdir():
            archive.write(path, f"img_align_celeba/{path.name}")
    shutil.rmtree(pictures)
    return folder


def table(names=tuple(ROWS), prefix=""):
    """A metadata.csv, with the line ends that Python's writer makes."""
    lines = [",".join([prefix + name, *ROWS[name].split()]) for name in names]
    return "\r\n".join([",".join(["file_name", *NAMES]), *lines]) + "\r\n"


def in_zip(path, prefix="", names=tuple(ROWS), text=None):
    folder = pictures(path.parent / "unpacked", names)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.write(folder / name, prefix + name)
        archive.writestr(f"{prefix}metadata.csv", table(names) if text is None else text)
    return path


def in_split_zips(folder):
    folder.mkdir()
    in_zip(folder / "faces-train.zip", names=["1.png", "2.png", "10.png"])
    in_zip(folder / "faces-val.zip", names=["3.png"])
    (folder / "archive.zip").write_bytes(b"no zip, and of no split")
    return folder


def in_folder(folder):
    (pictures(folder) / "metadata.csv").write_text(table(), newline="", encoding="utf-8")
    return folder


def in_nested_folders(folder):
    """A table in each folder, of equal names and different values, under one above both."""
    for part in ("test", "train"):
        pictures(folder / part)
    (folder / "train" / "metadata.csv").write_text(table(), encoding="utf-8")
    names = ",".join(["file_name", *NAMES])
    lines = "".join(f"test/{name},1,1,1\n" for name in ROWS)
    (folder / "metadata.csv").write_text(f"{names}\n{lines}", encoding="utf-8")
    return folder


FORMS = {
    "published": celeba,
    "published csv": lambda path: celeba(path, "csv"),
    "published zip": celeba_in_zip,
    "folder": in_folder,
    "nested folders": in_nested_folders,
    "zip": lambda path: in_zip(path.with_suffix(".zip")),
    "zip with a folder": lambda path: in_zip(path.with_suffix(".zip"), "celeba/"),
    "zips of splits": in_split_zips,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("split", ["train", "all"])
def test_every_form_gives_the_attributes_in_the_order_of_the_images(tmp_path, form, split):
    images = data.load(form(tmp_path / "c"), split=split, size=8)
    found = data.load_attributes(images.source, images.names)
    expected = [
        [1, 1, 1] if name.startswith("test/") else BITS[name.rpartition("/")[2]]
        for name in images.names
    ]
    assert len(expected) > 1
    assert found.names == NAMES
    assert found.values.dtype == torch.bool
    assert found.values.int().tolist() == expected


def test_an_image_that_was_skipped_takes_no_row(tmp_path):
    names = [f"{i}.png" for i in range(40)]
    folder = pictures(tmp_path / "c", names)
    (folder / "7.png").write_bytes(b"words")
    lines = [f"{name},{1 if name in ('8.png', '39.png') else -1}" for name in names]
    (folder / "metadata.csv").write_text("\n".join(["file_name,Bald", *lines]), encoding="utf-8")
    images = data.load(folder, split="all", size=8)
    found = data.load_attributes(images.source, images.names)
    assert len(images) == len(found.values) == 39
    assert found.values[:, 0].nonzero().flatten().tolist() == [7, 38]


def test_the_order_asked_for_is_the_order_given(tmp_path):
    folder = in_folder(tmp_path / "c")
    found = data.load_attributes(folder, ["3.png", "1.png", "3.png"])
    assert found.values.int().tolist() == [BITS["3.png"], BITS["1.png"], BITS["3.png"]]
    assert data.load_attributes(folder, []).values.shape == (0, 3)


@pytest.mark.parametrize("source", ["digits", "folder", "file.zip"])
def test_no_file_no_attributes(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path / "folder")
    with zipfile.ZipFile(tmp_path / "file.zip", "w") as archive:
        archive.write(tmp_path / "folder" / "1.png", "1.png")
    images = data.load(source, split="all", size=8, limit=3)
    assert data.load_attributes(images.source, images.names) is None


MALFORMED = {
    "list_attr_celeba.txt": {
        "": "does not begin with the names",
        "words": "does not begin with the names",
        "4\n": "does not begin with the names",
        "1.png 1 1\n2.png 1 1\n": "does not begin with the names",
        "4\nBald Young\n1.png 1\n": f"line 3: {EXPECTED.format(2)} '1.png 1'",
        "4\nBald\n\n1.png yes\n": f"line 4: {EXPECTED.format(1)} '1.png yes'",
    },
    "metadata.csv": {
        "": "does not begin with the names",
        "file_name\n1.png\n": "does not begin with the names",
        "file_name,Bald,Bald\n1.png,1,1\n": "does not begin with the names",
        "file_name,Bald\n1.png,1\n2.png,0\n": "line 3: expected an image and 1 values of 1 or -1",
        "file_name,Bald\n1.png,1,1\n": "line 2: expected an image and 1 values of 1 or -1",
        "file_name,Bald\n1.png,1\n": "no attributes are listed for 3 of 4 images, such as '2.png'",
    },
}


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [(file, *case) for file, cases in MALFORMED.items() for case in cases.items()],
)
def test_a_malformed_file_gives_one_line_that_names_it(tmp_path, file, text, words):
    (pictures(tmp_path) / file).write_text(text, encoding="utf-8")
    with pytest.raises(data.DataError, match=words) as caught:
        data.load_attributes(tmp_path, list(ROWS))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_line_of_some_length_is_cut(tmp_path):
    (tmp_path / "metadata.csv").write_text(
        "file_name,Bald\n" + ",".join(["1.png"] * 10000), encoding="utf-8"
    )
    with pytest.raises(data.DataError) as caught:
        data.load_attributes(tmp_path, ["1.png"])
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("file_name,Bald,Young\n1.png,1,1\n", "have different columns"),
        ("file_name,Bald\n1.png,1\n", "disagree on '1.png'"),
        ("file_name,Bald\n1.png,-1\n2.png,1\n", None),
    ],
)
def test_two_files_that_disagree(tmp_path, second, words):
    in_zip(tmp_path / "a-train.zip", names=["1.png"], text="file_name,Bald\n1.png,-1\n")
    in_zip(tmp_path / "b-test.zip", names=["1.png"], text=second)
    if words is None:
        assert data.load_attributes(tmp_path, ["1.png", "2.png"]).values.tolist() == [[0], [1]]
        return
    with pytest.raises(data.DataError, match=words):
        data.load_attributes(tmp_path, ["1.png"])


def test_a_damaged_member_is_named(tmp_path):
    path = in_zip(tmp_path / "c.zip")
    content = bytearray(path.read_bytes())
    content[content.index(b"file_name")] ^= 255
    path.write_bytes(content)
    with pytest.raises(data.DataError, match=r"c.zip/metadata.csv': cannot be read \(Bad CRC"):
        data.load_attributes(path, list(ROWS))


def test_real_attributes_agree_between_the_forms(real):
    found = {}
    for source in ("original-layout", "celeba64-train.zip"):
        images = data.load(real / "celeba" / source, split="train", limit=150, size=8)
        names, values = data.load_attributes(images.source, images.names)
        assert len(names) == 40
        assert 0.15 < values.float().mean() < 0.3
        stems = [name.rpartition(".")[0] for name in images.names]
        found[source] = dict(zip(stems, values.tolist(), strict=True)), names
    (a, a_names), (b, b_names) = found.values()
    assert a_names == b_names
    assert all(a[name] == b[name] for name in a.keys() & b.keys())


def test_real_pairs_of_opposites_do_not_go_together(real):
    """Nobody is bald with bangs and black hair, and lipstick goes with makeup."""
    images = data.load(real / "celeba" / "celeba64-val.zip", split="all", limit=300, size=8)
    names, values = data.load_attributes(images.source, images.names)
    column = dict(zip(names, values.T, strict=True))
    assert not (column["Bald"] & column["Bangs"] & column["Black_Hair"]).any()
    assert column["Heavy_Makeup"][column["Wearing_Lipstick"]].float().mean() > 0.6
