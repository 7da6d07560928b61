"""One thread for a test process and those it starts: quick side by side, and bit-equal."""

import os
from pathlib import Path

import pytest
import torch

os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real data that IGN_DATA names."""
    folder = os.environ.get("IGN_DATA")
    if not folder:
        pytest.skip("IGN_DATA does not name a folder with mnist/ and celeba/")
    return Path(folder)
