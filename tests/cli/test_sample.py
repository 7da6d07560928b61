"""ign sample."""

import numpy as np
import pytest
from PIL import Image

from ign import IGN
from ign.view.pictures import to_picture


def images(folder) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.png"))}


def test_files_are_the_model_s_samples(ign, model, tmp_path):
    status, out, err = ign("sample", model, "-n", 5, "--seed", 3, "--out", tmp_path / "s")
    assert (status, err) == (0, "")
    assert str(tmp_path / "s" / "grid.png") in out
    assert list(images(tmp_path / "s")) == [*(f"f1/{i:05d}.png" for i in range(5)), "grid.png"]
    wanted = IGN.from_pretrained(model).sample(5, seed=3)
    for i, one in enumerate(wanted):
        found = Image.open(tmp_path / "s" / "f1" / f"{i:05d}.png")
        assert np.array_equal(np.asarray(found), np.asarray(to_picture(one)))


def test_a_sample_depends_on_seed_and_number_alone(ign, model, tmp_path):
    """Not on how many there are, nor on the batch, in which values differ by rounding alone."""
    for name, words in {
        "nine": ["-n", 9], "again": ["-n", 9], "four": ["-n", 4],
        "small": ["-n", 9, "--batch-size", 2], "other": ["-n", 4, "--seed", 1],
    }.items():  # fmt: skip
        assert ign("sample", model, *words, "--out", tmp_path / name).status == 0
    nine = images(tmp_path / "nine")
    assert images(tmp_path / "again") == nine
    four = images(tmp_path / "four")
    assert len(four) == 5
    pixels = {n: _pixels(tmp_path / n) for n in ("nine", "four", "small", "other")}
    assert np.abs(pixels["four"] - pixels["nine"][:4]).max() <= 1
    assert np.abs(pixels["small"] - pixels["nine"]).max() <= 1
    assert np.abs(pixels["other"] - pixels["four"]).max() > 20


def _pixels(folder):
    return np.stack([np.asarray(Image.open(p), int) for p in sorted((folder / "f1").iterdir())])


def test_several_applications(ign, models, tmp_path):
    out = tmp_path / "s"
    assert ign("sample", models["gray"], "-n", 3, "-k", 1, 4, 2, "--out", out).status == 0
    assert [p.name for p in sorted(out.glob("[!.]*"))] == ["f1", "f2", "f4", "grid.png"]
    wanted = IGN.from_pretrained(models["gray"]).sample_trajectory(3, [1, 2, 4])
    for k, batch in zip((1, 2, 4), wanted, strict=True):
        found = [np.asarray(Image.open(p)) for p in sorted((out / f"f{k}").iterdir())]
        assert np.array_equal(np.stack(found), np.stack([np.asarray(to_picture(x)) for x in batch]))
    assert not np.array_equal(to_picture(wanted[0][0]), to_picture(wanted[2][0]))


def test_nothing_is_written_over_without_force(ign, model, tmp_path):
    words = ("sample", model, "-n", 2, "--out", tmp_path / "s")
    assert ign(*words).status == 0
    before = images(tmp_path / "s")
    assert ign(*words, "--seed", 1).status == 2
    assert images(tmp_path / "s") == before
    assert ign(*words, "--seed", 1, "--force").status == 0
    assert images(tmp_path / "s") != before


@pytest.mark.parametrize("n", [1, 101])
def test_grid_shows_the_first(ign, model, tmp_path, n):
    assert ign("sample", model, "-n", n, "--out", tmp_path / "s").status == 0
    columns = 1 if n == 1 else 10
    tile = 56 + 3
    assert Image.open(tmp_path / "s" / "grid.png").width == pytest.approx(columns * tile, abs=8)
    assert len(images(tmp_path / "s")) == n + 1


def test_array_holds_the_pictures(ign, model, tmp_path):
    words = ("sample", model, "-n", 5, "-k", 1, 2, "--batch-size", 2)
    assert ign(*words, "--out", tmp_path / "p").status == 0
    assert ign(*words, "--array", "--out", tmp_path / "a").status == 0
    assert sorted(p.name for p in (tmp_path / "a").glob("[!.]*")) == [
        "f1.npy",
        "f2.npy",
        "grid.png",
    ]
    for k in (1, 2):
        found = np.load(tmp_path / "a" / f"f{k}.npy")
        assert (found.shape, found.dtype) == ((5, 3, 8, 8), np.uint8)
        wanted = [np.asarray(Image.open(p)) for p in sorted((tmp_path / "p" / f"f{k}").iterdir())]
        assert np.array_equal(found.transpose(0, 2, 3, 1), np.stack(wanted))
