"""Layouts of inspection data: what is good, what is not, and what is a mask."""

import csv
import shutil

import numpy as np
import pytest
from parts import save, texture, write_layout, zipped

from ign.data import DataError, load
from ign.data.layout import find_layout


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_layout(tmp_path_factory.mktemp("data") / "parts", 5, 4, 3)


def test_mvtec_folder_and_zip(parts, tmp_path):
    for source in (parts, zipped(parts, tmp_path / "parts.zip")):
        layout = find_layout(source)
        assert (layout.kind, len(layout.train), len(layout.test)) == ("MVTec AD", 5, 10)
        assert layout.defects == ["hole", "line"]
        assert layout.masks == 6
        for part in layout.test:
            assert bool(part.mask) == bool(part.defect)
            if part.mask:
                assert part.defect in part.mask.name
                assert part.file.name.rpartition("/")[2][:3] in part.mask.name
        assert "test: 4 good, 3 hole, 3 line; 6 masks" in layout.describe()


def test_masks_may_have_the_name_of_the_image(parts, tmp_path):
    shutil.copytree(parts, tmp_path / "parts")
    for mask in (tmp_path / "parts/ground_truth/hole").iterdir():
        mask.rename(mask.with_name(mask.name.replace("_mask", "")))
    assert find_layout(tmp_path / "parts").masks == 6


@pytest.mark.parametrize("split", ["train", "test", "all"])
def test_masks_and_defects_are_never_loaded_as_data(parts, split, caplog):
    images = load(parts, split=split, size=16)
    assert len(images) == {"train": 5, "test": 4, "all": 9}[split]
    assert "MVTec AD layout; 9 good images are used, 6 masks and 6 other images are not" in (
        caplog.text
    )


def visa(root):
    """Two objects in VisA's layout."""
    rows = []
    for name in ("candle", "pcb"):
        for i in range(4):
            place = f"{name}/Data/Images/Normal/{i}.png"
            save(texture(i), root / place)
            rows.append([name, "train" if i < 3 else "test", "normal", place, ""])
        place, mask = f"{name}/Data/Images/Anomaly/0.png", f"{name}/Data/Masks/Anomaly/0.png"
        save(texture(9), root / place)
        save(np.full((72, 96), 255, np.uint8), root / mask)
        rows.append([name, "test", "anomaly", place, mask])
    (root / "split_csv").mkdir()
    with open(root / "split_csv/1cls.csv", "w", newline="") as file:
        csv.writer(file).writerows([["object", "split", "label", "image", "mask"], *rows])
    return root


def test_visa(tmp_path):
    root = visa(tmp_path / "VisA")
    layout = find_layout(root / "pcb")
    assert (layout.kind, len(layout.train), len(layout.test)) == ("VisA", 3, 2)
    assert layout.defects == ["anomaly"]
    assert layout.masks == 1
    assert all("Anomaly" not in part.file.name for part in layout.train)
    with pytest.raises(DataError, match=r"VisA layout with 2 objects \(candle, pcb\); give"):
        find_layout(root)
    with pytest.raises(DataError, match="2 objects"):
        find_layout(zipped(root, tmp_path / "visa.zip"))


def test_visa_with_one_object(tmp_path):
    root = visa(tmp_path / "VisA")
    table = root / "split_csv/1cls.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(line for line in lines if not line.startswith("candle")))
    for source in (root, zipped(root, tmp_path / "visa.zip")):
        layout = find_layout(source)
        assert (len(layout.train), len(layout.test), layout.masks) == (3, 2, 1)
    (root / "pcb/Data/Images/Normal/1.png").unlink()
    with pytest.raises(DataError, match=r"lists 'pcb/Data/Images/Normal/1.png', which is missing"):
        find_layout(root)


def test_plain_folder(parts, tmp_path):
    layout = find_layout(parts / "train/good")
    assert (layout.kind, len(layout.train), layout.test) == ("plain folder", 5, [])
    assert len(find_layout(parts / "train").train) == 5
    shutil.copytree(parts / "train/good", tmp_path / "days/monday")
    shutil.copytree(parts / "train/good", tmp_path / "days/tuesday")
    assert len(find_layout(tmp_path / "days").train) == 10


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (("good", "scratch"), "has a folder 'good' and images elsewhere"),
        (("test/scratch", "ground_truth/scratch"), "has a folder 'ground_truth' but no train/good"),
        (("test/good", "test/scratch"), "has a folder 'good' and images elsewhere"),
        (("a/train/good", "b/train/good"), r"holds 2 parts with train/good \(a, b\); give"),
        ((), "no images; give a folder of good images"),
    ],
)
def test_ambiguous_layouts_are_refused(folders, message, tmp_path):
    for folder in folders:
        save(texture(0), tmp_path / folder / "0.png")
    with pytest.raises(DataError, match=message):
        find_layout(tmp_path)


def test_neither_folder_nor_zip(tmp_path):
    with pytest.raises(DataError, match="neither a folder nor a zip"):
        find_layout(tmp_path / "missing")
