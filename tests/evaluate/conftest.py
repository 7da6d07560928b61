"""A cache of each test's own, a model and images."""

from pathlib import Path

import pytest
import torch

from ign import IGN, data
from ign.nn import DCGANAutoencoder
from ign.noise import GaussianNoise


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("IGN_CACHE", str(tmp_path / "own-cache"))
    return tmp_path / "own-cache"


@pytest.fixture(scope="session")
def model() -> IGN:
    """A gray model of 8x8 pixels that nobody trained, its weights large enough to differ."""
    torch.manual_seed(0)
    network = DCGANAutoencoder(1, 8, 4, "role")
    for p in network.parameters():
        p.data *= 8
    return IGN(network, GaussianNoise((1, 8, 8)), "l1", {"steps": 0})


@pytest.fixture(scope="session")
def digits() -> tuple[data.ImageSet, data.ImageSet]:
    """Held-out and training digits of 8x8 pixels."""
    return data.load("digits", split="test"), data.load("digits", split="train")
