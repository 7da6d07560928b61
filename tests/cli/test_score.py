"""ign score."""

import csv

import pytest
import torch

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
    assert list(table[0]) == ["file", "drift"]
    assert {row["file"] for row in table} == NAMES
    image = to_float(torch.tensor(read_image(pictures / "b.jpg", size=8, gray=False)))
    wanted = IGN.from_pretrained(model).drift(image[None]).item()
    drift = {row["file"]: float(row["drift"]) for row in table}
    assert drift["b.jpg"] == pytest.approx(wanted, rel=1e-4)
    assert len(set(drift.values())) == len(NAMES)


def test_table_in_a_file(ign, models, pictures, tmp_path):
    file = tmp_path / "new" / "scores.csv"
    words = ("score", models["gray"], pictures / "a.png", pictures / "nested", "--out", file)
    status, out, err = ign(*words)
    assert (status, err) == (0, "")
    assert out == f"3 scores in {file}\n"
    with open(file, newline="") as table:
        names = [row["file"] for row in csv.DictReader(table)]
    assert names == ["a.png", "a-2.png", "clear.png"]
    before = file.read_bytes()
    assert ign(*words[:3], "--out", file).status == 2
    assert file.read_bytes() == before
    assert ign(*words[:3], "--out", file, "--force").status == 0
    assert len(file.read_text().splitlines()) == 2


def test_nothing_but_broken_images(ign, model, pictures, tmp_path):
    words = ("score", model, pictures / "broken.png", "--out", tmp_path / "scores.csv")
    assert ign(*words).status == 2
    assert not (tmp_path / "scores.csv").exists()
