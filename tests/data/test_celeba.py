import logging
import zipfile

import numpy as np
import pytest
from PIL import Image

from ign import data
from ign.data import decode


def layout(folder, rows, suffix="txt", separator=" "):
    """Pictures of 178x218, blue in the centre 148x148 and red around it."""
    (folder / "img_align_celeba").mkdir(parents=True)
    image = Image.new("RGB", (178, 218), "red")
    image.paste("blue", (15, 35, 163, 183))
    for name, _ in rows:
        image.save(folder / "img_align_celeba" / name, quality=95, subsampling=0)
    lines = [f"{name}{separator}{part}" for name, part in rows]
    if suffix == "csv":
        lines.insert(0, "image_id,partition")
    (folder / f"list_eval_partition.{suffix}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "list_attr_celeba.txt").write_text("words", encoding="utf-8")
    return folder


ROWS = [("000002.png", 0), ("000010.png", 0), ("000001.png", 1), ("000003.png", 2)]


@pytest.mark.parametrize(("suffix", "separator"), [("txt", " "), ("txt", "  "), ("csv", ",")])
def test_the_list_makes_the_splits(tmp_path, suffix, separator):
    folder = layout(tmp_path / "c", ROWS, suffix, separator)
    found = {
        split: data.load(folder, split=split).names for split in ("train", "val", "test", "all")
    }
    assert found == {
        "train": ["000002.png", "000010.png"], "val": ["000001.png"], "test": ["000003.png"],
        "all": ["000002.png", "000010.png", "000001.png", "000003.png"],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["1.png", "1.jpg"])
def test_the_crop_comes_before_the_resize(tmp_path, name):
    folder = layout(tmp_path / "c", [(name, 0)])
    images = data.load(folder)
    assert images.shape == (3, 64, 64)
    off = images.images[0].float() - images.images.new_tensor([0, 0, 255]).view(3, 1, 1)
    assert off.abs().max() <= (0 if name == "1.png" else 60)
    assert data.load(folder, size=16).images[0, 0].max() <= (0 if name == "1.png" else 60)


def test_planted_fault_a_crop_after_the_resize_is_caught(tmp_path, monkeypatch):
    right = decode.fit_opaque

    def planted(image, size, crop=None):
        side = round(size * min(image.size) / crop)
        return right(right(image, side), None, size)

    monkeypatch.setattr(decode, "fit_opaque", planted)
    with pytest.raises(AssertionError):
        test_the_crop_comes_before_the_resize(tmp_path, "1.png")


def test_the_published_zip_is_read_in_place(tmp_path):
    folder = layout(tmp_path / "c", ROWS)
    with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as archive:
        for name, _ in ROWS:
            archive.write(folder / "img_align_celeba" / name, f"img_align_celeba/{name}")
            (folder / "img_align_celeba" / name).unlink()
    (folder / "img_align_celeba").rmdir()
    assert len(data.load(folder)) == 2


def test_listed_pictures_that_are_not_there_are_counted(tmp_path, caplog):
    folder = layout(tmp_path / "c", ROWS)
    (folder / "img_align_celeba" / "000010.png").unlink()
    with caplog.at_level(logging.WARNING, "ign.data"):
        assert data.load(folder).names == ["000002.png"]
    assert "1 listed pictures are not there" in caplog.text
    (folder / "img_align_celeba" / "000002.png").unlink()
    with pytest.raises(data.DataError, match="has no split 'train'; it has val, test, all"):
        data.load(folder)


def test_a_damaged_list_is_named_with_its_line(tmp_path):
    folder = layout(tmp_path / "c", ROWS)
    (folder / "list_eval_partition.txt").write_text(
        "000001.png 0\n000002.png 7\n", encoding="utf-8"
    )
    with pytest.raises(data.DataError, match=r"list_eval_partition.txt', line 2: .*000002.png 7"):
        data.load(folder)


def test_real_pictures_equal_the_published_64x64_ones(real):
    original = data.load(real / "celeba" / "original-layout", split="train", limit=20)
    small = data.load(real / "celeba" / "celeba64-train.zip", split="all", limit=200)
    stems = {name.split("/")[-1].split(".")[0]: i for i, name in enumerate(small.names)}
    pairs = [(i, stems[name[:6]]) for i, name in enumerate(original.names) if name[:6] in stems]
    assert pairs
    a, b = (
        images.images[list(at)].float()
        for images, at in zip((original, small), zip(*pairs, strict=True), strict=True)
    )
    assert (a - b).abs().mean() < 4
    assert np.corrcoef(a.flatten(), b.flatten())[0, 1] > 0.99


def test_real_splits(real):
    assert len(data.load(real / "celeba" / "original-layout", split="val", limit=50)) == 50
    images = data.load(real / "celeba", split="test", limit=300)
    assert images.images.shape == (300, 3, 64, 64)
    assert images.images.float().mean().item() == pytest.approx(115, abs=20)
