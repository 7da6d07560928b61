"""Models that nobody trained, and the input of a visitor."""

import numpy as np
import pytest
from drawings import seven, untrained
from PIL import Image

from ign import IGN
from ign.app.markup import data_url


@pytest.fixture(scope="session")
def gray() -> IGN:
    return untrained(1)


@pytest.fixture(scope="session")
def rgb() -> IGN:
    return untrained(3)


@pytest.fixture
def drawing() -> dict[str, str]:
    """A drawing as the page sends it."""
    return {"picture": data_url(seven(True))}


@pytest.fixture
def photo(tmp_path) -> str:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")
