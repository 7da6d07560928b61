"""Images of more than 8 bits are read with the range of values that the model was trained with."""

import numpy as np
import pytest
from PIL import Image

from ign import IGN, nn, noise
from ign.cli.common import read_inputs
from ign.data import load


def model(about: dict) -> IGN:
    return IGN(nn.DCGANAutoencoder(1, 8, 2, "role"), noise.GaussianNoise((1, 8, 8)), about=about)


@pytest.fixture
def picture(tmp_path):
    """A 12-bit picture in a 16-bit file, all of whose pixels have the value 2048."""
    path = tmp_path / "photos" / "a.png"
    path.parent.mkdir()
    Image.fromarray(np.full((8, 8), 2048, np.uint16)).save(path)
    return path


def test_files_are_read_with_the_range_of_the_model(picture):
    ((_, images),) = read_inputs(model({"value_range": [0, 4096]}), [str(picture)], 4)
    assert images.flatten().tolist() == pytest.approx([0.0] * 64, abs=0.01)
    ((_, images),) = read_inputs(model({"value_range": [0, 2048]}), [str(picture)], 4)
    assert images.flatten().tolist() == [1.0] * 64


def test_a_source_is_loaded_with_the_range_of_the_model(picture):
    for i in range(3):
        (picture.parent / f"{i}.png").write_bytes(picture.read_bytes())
    options = model({"value_range": [0, 2048]}).load_options
    assert options == {"size": 8, "gray": True, "value_range": (0.0, 2048.0)}
    images = load(picture.parent, split="all", **options)
    assert (images.images == 255).all()


@pytest.mark.parametrize(
    "value", [None, [1], "0:1", [1, 0], [0, float("inf")], ["0", "1"], {"a": 1}, [0, None]]
)
def test_a_range_that_is_none_is_ignored(value):
    assert model({"value_range": value}).value_range is None


def test_colours_of_16_bits_are_said_once(tmp_path, capsys):
    """Pillow writes no PNG of 16-bit colours, so that a PPM stands for it."""
    for i in range(3):
        (tmp_path / f"{i}.ppm").write_bytes(b"P6\n8 8\n65535\n" + bytes(range(192)) * 2)
    list(read_inputs(model({}), [str(tmp_path)], 2))
    said = capsys.readouterr().err
    assert said.count("3 of 3 images have more than 8 bits per colour channel") == 1
