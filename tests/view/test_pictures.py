"""Pictures have the pixels of their tensors."""

import numpy as np
import pytest
import torch
from PIL import Image

from ign.view import pictures


def test_pixels_are_rounded_and_clamped():
    image = torch.tensor([[[-1.0, 1.0, 0.0, -5.0, 5.0, 1 / 255]]])
    assert np.asarray(pictures.to_picture(image)).tolist() == [[0, 255, 128, 0, 255, 128]]
    colour = torch.rand(3, 4, 5) * 2 - 1
    found = np.asarray(pictures.to_picture(colour))
    assert found.shape == (4, 5, 3)
    assert np.abs(found.transpose(2, 0, 1) - (colour.numpy() + 1) * 127.5).max() <= 0.5
    with pytest.raises(ValueError, match="2 channels"):
        pictures.to_picture(torch.zeros(2, 4, 4))


def test_a_grid_holds_every_image_in_order():
    levels = torch.linspace(-1, 1, 8)[:, None, None, None].expand(8, 1, 64, 64)
    found = np.asarray(pictures.grid(levels, columns=3).convert("L"))
    gap, side = 4, 64
    for i, level in enumerate(levels[:, 0, 0, 0]):
        top, left = gap + (i // 3) * (side + gap), gap + (i % 3) * (side + gap)
        tile = found[top : top + side, left : left + side]
        assert (tile == round((level.item() + 1) * 127.5)).all()
    assert found[-10, -10] == pictures.PAPER


def test_small_images_are_enlarged_and_rows_are_labelled():
    rows = [("f(z)", torch.zeros(3, 1, 8, 8)), ("f(f(z))", torch.zeros(2, 1, 8, 8))]
    picture = pictures.sheet(rows)
    plain = pictures.sheet([("", images) for _, images in rows])
    assert picture.width > plain.width > 3 * 56
    label = np.asarray(picture)[:, : picture.width - plain.width]
    assert label.min() < 128, "there is text"


def test_heat_runs_from_black_over_its_colours_to_the_last():
    values = torch.tensor([[[0.0, 0.5, 1.0, 2.0, 4.0]]])
    found = (pictures.heat(values, top=2.0)[0, :, 0] + 1) * 127.5
    for place, colour in ((0, 0), (1, 1), (2, 2), (3, 4), (4, 4)):
        assert torch.allclose(found[:, place], torch.tensor(pictures.HEAT[colour]).float())
    light = pictures.heat(torch.linspace(0, 1, 50)[None, None]).mean((0, 1, 2))
    assert (light.diff() > 0).all()


def test_a_caption_stands_under_its_picture_and_breaks_into_lines():
    plain = Image.new("RGB", (500, 40), (200, 0, 0))
    short = pictures.captioned(plain, "Title", "words")
    long = pictures.captioned(plain, "Title", "words " * 60)
    assert short.width == long.width == 500
    assert 40 < short.height < long.height
    assert np.asarray(short)[:40].tolist() == np.asarray(plain).tolist()
    for picture in (short, long):
        text = np.asarray(picture.convert("L"))[40:]
        assert text.min() < 128
        assert (text[:, [0, -1]] == pictures.PAPER).all(), "nothing is cut at the edges"


def test_a_failed_picture_leaves_the_old_one(tmp_path, monkeypatch):
    path = pictures.save(torch.zeros(1, 8, 8), tmp_path / "a.png")
    before = path.read_bytes()

    def fail(self, file):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="No space"):
        pictures.save(torch.ones(1, 8, 8), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_small_pictures_are_enlarged_to_squares_of_pixels():
    image = torch.rand(1, 28, 28) * 2 - 1
    large = np.asarray(pictures.enlarged(image))
    assert large.shape == (280, 280)
    assert (large.reshape(28, 10, 28, 10) == large[::10, None, ::10, None]).all()
    assert pictures.enlarged(torch.zeros(3, 300, 400)).size == (400, 300)


def test_a_sheet_says_that_it_shows_the_first_images_only():
    rows = [("\x1b[31m\udcff", torch.zeros(12, 1, 28, 28))]
    plain, noted = pictures.sheet(rows), pictures.sheet(rows, note=pictures.first_of(12, 40))
    assert noted.height > plain.height
    assert pictures.first_of(12, 40) == "first 12 of 40"
    assert pictures.first_of(12, 12) == ""
    assert pictures.sheet(rows, note="").size == plain.size
