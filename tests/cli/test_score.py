"""ign score."""

import csv
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from ign import IGN
from ign.data import read_image, to_float

NAMES = {
    "_sheet.png", "a.gif", "a.png", "b.jpg", "c.webp", "gray.png", "nested/a.png",
    "nested/clear.png",
}  # fmt: skip


def test_table_on_standard_output(ign, model, pictures):
    status, out, err = ign("score", model, pictures, "--batch-size", 3)
    assert status == 0
    assert "broken.png" in err
    table = list(csv.DictReader(out.splitlines()))
    assert list(table[0]) == ["file", "score", "percentile", "flag"]
    assert {(row["percentile"], row["flag"]) for row in table} == {("", "")}
    assert f"not calibrated: no percentiles or flags; ign calibrate {model} --data" in err
    assert {row["file"] for row in table} == NAMES
    image = to_float(torch.tensor(read_image(pictures / "b.jpg", size=8, gray=False)))
    wanted = IGN.from_pretrained(model).drift(image[None]).item()
    score = {row["file"]: float(row["score"]) for row in table}
    assert score["b.jpg"] == pytest.approx(wanted, rel=1e-4)
    assert len(set(score.values())) == len(NAMES)


def test_table_in_a_file(ign, models, pictures, tmp_path):
    file = tmp_path / "new" / "scores.csv"
    words = ("score", models["gray"], pictures / "a.png", pictures / "nested", "--out", file)
    status, out, err = ign(*words)
    assert status == 0
    assert [line[:4] for line in err.splitlines()] == ["note", "not "]
    assert out == f"3 scores in {file}\n"
    with open(file, encoding="utf-8", newline="") as table:
        names = [row["file"] for row in csv.DictReader(table)]
    assert names == ["a.png", "a-2.png", "clear.png"]
    before = file.read_bytes()
    assert ign(*words[:3], "--out", file).status == 2
    assert file.read_bytes() == before
    assert ign(*words[:3], "--out", file, "--force").status == 0
    assert len(file.read_text(encoding="utf-8").splitlines()) == 2


def test_nothing_but_broken_images(ign, model, pictures, tmp_path):
    words = ("score", model, pictures / "broken.png", "--out", tmp_path / "scores.csv")
    assert ign(*words).status == 2
    assert not (tmp_path / "scores.csv").exists()


@pytest.fixture
def calibrated(ign, models, whole, tmp_path):
    """The gray model, calibrated on four of the images."""
    folder = tmp_path / "calibrated"
    clean = tmp_path / "clean"
    shutil.copytree(whole / "nested", clean)
    shutil.copy(whole / "b.jpg", clean)
    words = ("calibrate", models["gray"], "--data", clean, "--rate", 0.3, "--out", folder)
    status, out, err = ign(*words)
    assert status == 0, err
    assert "3 clean images of clean, split all" in out
    return folder


@pytest.mark.parametrize("kind", ["displacement", "residual"])
def test_a_calibrated_model_gives_percentiles_and_flags(kind, ign, calibrated, whole, tmp_path):
    status, out, err = ign("score", calibrated, whole, "--score", kind)
    assert (status, err.count("\n"), err[:15]) == (0, 1, "note: 7 of 8 im")
    table = {row["file"]: row for row in csv.DictReader(out.splitlines())}
    model = IGN.from_pretrained(calibrated)
    threshold = model.calibration.thresholds[kind]
    clean = ("nested/a.png", "nested/clear.png", "b.jpg")
    assert threshold == pytest.approx(max(float(table[n]["score"]) for n in clean), rel=1e-4)
    for row in table.values():
        assert 0 <= float(row["percentile"]) <= 100
        assert row["flag"] == str(int(float(row["score"]) > threshold * (1 + 1e-5)))
    assert max(float(table[n]["percentile"]) for n in clean) == pytest.approx(100, abs=0.2)
    words = ("score", calibrated, whole, "--score", kind, "--out", tmp_path / "s.csv")
    flagged = sum(row["flag"] == "1" for row in table.values())
    assert ign(*words).out == f"8 scores in {tmp_path / 's.csv'}, {flagged} flagged\n"


def test_maps_show_image_projection_and_where_it_moved(ign, model, whole, tmp_path):
    words = ("score", model, whole, "--maps", tmp_path / "maps", "--batch-size", 3)
    assert ign(*words).status == 0
    found = {str(p.relative_to(tmp_path / "maps")) for p in (tmp_path / "maps").rglob("*.png")}
    assert found == {
        "_sheet-map.png", "a-map.png", "a-map-2.png", "b-map.png", "c-map.png", "gray-map.png",
        "nested/a-map.png", "nested/clear-map.png",
    }  # fmt: skip
    picture = np.asarray(Image.open(tmp_path / "maps" / "a-map-2.png")).astype(int)
    side, gap = 56, 3
    tiles = [picture[gap:-gap, gap + i * (side + gap) :][:, :side:7][::7] for i in range(3)]
    source = np.asarray(Image.open(whole / "a.png")).astype(int)
    assert (tiles[0] == source).all()
    moved = np.abs(tiles[1] - tiles[0]).mean(-1)
    heat = tiles[2].sum(-1)
    assert np.corrcoef(moved.ravel(), heat.ravel())[0, 1] > 0.9
    assert ign(*words).status == 2, "nothing is written over"
