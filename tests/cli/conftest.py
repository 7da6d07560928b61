"""A model that nobody trained, images, and the command line in this process."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image

from ign import IGN
from ign.cli import main
from ign.nn import DCGANAutoencoder
from ign.noise import GaussianNoise


class Result(NamedTuple):
    """What a command leaves: exit status, standard output, standard error."""

    status: int
    out: str
    err: str


Call = Callable[..., Result]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An RGB and a gray model of 8x8 pixels, their weights large enough to differ."""
    found = {}
    for name, channels in (("rgb", 3), ("gray", 1)):
        torch.manual_seed(0)
        network = DCGANAutoencoder(channels, 8, 4, "role")
        for p in network.parameters():
            p.data *= 8
        model = IGN(network, GaussianNoise((channels, 8, 8)), "l1", {"data": "nothing", "steps": 0})
        found[name] = model.save_pretrained(tmp_path_factory.mktemp(name) / "model")
    return found


@pytest.fixture
def model(models: dict[str, Path]) -> Path:
    return models["rgb"]


@pytest.fixture
def ign(capsys: pytest.CaptureFixture[str]) -> Call:
    """``ign WORDS``."""

    def ign(*words: object) -> Result:
        capsys.readouterr()
        status = main([str(word) for word in words])
        return Result(status, *capsys.readouterr())

    return ign


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of all sorts, one of them broken; copy before you change it."""
    folder, pixels = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    (folder / "nested").mkdir()
    for name, shape in {
        "a.png": (8, 8, 3), "a.gif": (8, 8), "b.jpg": (31, 17, 3), "c.webp": (5, 40, 3),
        "gray.png": (9, 9), "nested/a.png": (8, 8, 3), "nested/clear.png": (8, 9, 4),
        "_sheet.png": (8, 8, 3),
    }.items():  # fmt: skip
        Image.fromarray(pixels.integers(0, 256, shape, np.uint8)).save(folder / name)
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:60])
    return folder


@pytest.fixture
def whole(pictures: Path, tmp_path: Path) -> Path:
    """The images without the broken one."""
    shutil.copytree(pictures, tmp_path / "whole", ignore=shutil.ignore_patterns("broken.png"))
    return tmp_path / "whole"
