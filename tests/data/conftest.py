"""Pictures to read."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Draw = Callable[..., Image.Image]
Fill = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("IGN_CACHE", str(tmp_path / "own-cache"))
    return tmp_path / "own-cache"


@pytest.fixture
def draw() -> Draw:
    """A picture of random pixels, the same for the same seed."""

    def draw(seed: int = 0, size: tuple[int, int] = (16, 16), mode: str = "RGB") -> Image.Image:
        shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
        return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, np.uint8))

    return draw


@pytest.fixture
def fill(draw: Draw) -> Fill:
    """A folder of n PNG files, 00.png and so on."""

    def fill(folder: Path, n: int, size: tuple[int, int] = (16, 16), mode: str = "RGB") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(n):
            draw(i, size, mode).save(folder / f"{i:02d}.png")
        return folder

    return fill
