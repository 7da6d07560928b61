"""ign project."""

import numpy as np
import pytest
import torch
from PIL import Image

from ign import IGN
from ign.data import read_image, to_float
from ign.degrade import parse
from ign.view.pictures import to_picture

NAMES = [
    "__sheet.png", "_sheet.png", "a-2.png", "a.png", "b.png", "c.png", "gray.png",
    "nested/a.png", "nested/clear.png",
]  # fmt: skip


def names(folder) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("[!.]*.*"))


def projected(model, path, k: int = 1):
    model = IGN.from_pretrained(model)
    pixels = read_image(path, size=8, gray=model.shape[0] == 1)
    return np.asarray(to_picture(model.project(to_float(torch.tensor(pixels))[None], k)[0]))


@pytest.mark.parametrize("kind", ["rgb", "gray"])
def test_each_image_goes_out_under_its_own_name(kind, ign, models, whole, tmp_path):
    out = tmp_path / "out"
    status, said, err = ign("project", models[kind], whole, "--out", out)
    assert (status, err.count("\n"), err[:6]) == (0, 1, "note: ")
    assert f"8 images in {out}" in said
    assert names(out) == NAMES
    for name, source in [(n, n) for n in ("a.png", "gray.png", "nested/clear.png")] + [
        ("a-2.png", "a.gif"), ("__sheet.png", "_sheet.png")
    ]:  # fmt: skip
        found = np.asarray(Image.open(out / name), int)
        assert np.abs(found - projected(models[kind], whole / source)).max() <= 1


def test_several_applications_and_small_batches(ign, model, whole, tmp_path):
    words = ("project", model, whole / "a.png", whole / "nested", "-k", 3, "--batch-size", 1)
    assert ign(*words, "--out", tmp_path / "out").status == 0
    assert names(tmp_path / "out") == ["_sheet.png", "a-2.png", "a.png", "clear.png"]
    found = np.asarray(Image.open(tmp_path / "out" / "a.png"), int)
    assert np.abs(found - projected(model, whole / "a.png", 3)).max() <= 1


def test_sheet_has_inputs_above_projections(ign, model, whole, tmp_path):
    assert ign("project", model, whole / "a.png", "--out", tmp_path / "out").status == 0
    sheet = np.asarray(Image.open(tmp_path / "out" / "_sheet.png"))
    above, below = sheet[31, -31], sheet[31 + 59, -31]
    source, result = (np.asarray(Image.open(p / "a.png")) for p in (whole, tmp_path / "out"))
    assert (above == source).all(-1).any()
    assert (below == result).all(-1).any()


def test_images_are_spoilt_first_where_that_is_asked(ign, model, whole, tmp_path):
    how = "noise:0.5,half:left:fill=0"
    words = ("project", model, whole, "--degrade", how, "--seed", 4)
    assert ign(*words, "--out", tmp_path / "out").status == 0
    assert ign(*words, "--out", tmp_path / "other", "--batch-size", 3).status == 0
    pixels = read_image(whole / "a.gif", size=8, gray=False)  # the second of them in order
    spoilt = parse(how)(to_float(torch.tensor(pixels))[None], 4, start=1)
    wanted = np.asarray(to_picture(IGN.from_pretrained(model).project(spoilt)[0]), int)
    for folder in ("out", "other"):
        found = np.asarray(Image.open(tmp_path / folder / "a-2.png"), int)
        assert np.abs(found - wanted).max() <= 1
    plain = ign("project", model, whole, "--out", tmp_path / "plain")
    assert plain.status == 0
    heights = [Image.open(tmp_path / f / "_sheet.png").height for f in ("out", "plain")]
    assert heights[0] > heights[1], "the spoilt images are a row of their own"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--degrade", "nose"), "degradation 'nose' is unknown; choose noise, gray"),
        (("--tolerance", "-1"), "--tolerance -1.0 must be at least 0"),
    ],
)
def test_mistakes_write_nothing(ign, model, whole, tmp_path, words, told):
    status, out, err = ign("project", model, whole, *words, "--out", tmp_path / "out")
    assert (status, out) == (2, "")
    assert told in err
    assert not (tmp_path / "out").exists()


def test_broken_image_is_named_and_left_out(ign, model, pictures, tmp_path):
    status, out, err = ign("project", model, pictures, "--out", tmp_path / "out")
    assert status == 0
    assert "8 images" in out
    first, second, _ = err.splitlines()
    assert first.startswith("skipped: ")
    assert str(pictures / "broken.png") in first
    assert second == "skipped 1 of 9 images"
    assert names(tmp_path / "out") == NAMES


def test_nothing_but_broken_images(ign, model, pictures, tmp_path):
    words = ("project", model, pictures / "broken.png", "--out", tmp_path / "out")
    status, out, err = ign(*words)
    assert (status, out) == (2, "")
    assert err.splitlines()[-1] == "ign project: none of 1 images can be read"
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over_without_force(ign, model, whole, tmp_path):
    words = ("project", model, whole / "a.png", "--out", tmp_path / "out")
    assert ign(*words).status == 0
    assert ign(*words).status == 2
    assert ign(*words, "--force").status == 0
