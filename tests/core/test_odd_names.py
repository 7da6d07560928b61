"""Paths whose names are not UTF-8."""

import os
from pathlib import Path

import pytest
import torch

from ign import IGN
from ign.core.paths import in_utf8
from ign.nn import DCGANAutoencoder
from ign.noise import GaussianNoise


@pytest.fixture
def odd(tmp_path) -> Path:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    return folder


def test_a_path_in_utf8_leads_to_the_same_file(odd, tmp_path):
    (odd / "a").write_text("x", encoding="utf-8")
    with in_utf8(odd / "a") as path:
        assert str(path).encode()
        assert path.samefile(odd / "a")
        (path.parent / "b").write_text("y", encoding="utf-8")
    assert not path.parent.exists()
    assert (odd / "b").read_text(encoding="utf-8") == "y"
    with in_utf8(tmp_path / "plain") as path:
        assert path == tmp_path / "plain"


def test_a_model_is_saved_to_and_loaded_from_such_a_folder(odd):
    torch.manual_seed(0)
    model = IGN(DCGANAutoencoder(1, 8, 4, "role"), GaussianNoise((1, 8, 8)))
    model.save_pretrained(odd / "model")
    assert torch.equal(IGN.from_pretrained(odd / "model").sample(2), model.eval().sample(2))
