"""The real data where there is any."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def real() -> Path:
    """The folder of real data that IGN_DATA names."""
    folder = os.environ.get("IGN_DATA")
    if not folder:
        pytest.skip("IGN_DATA does not name a folder with mnist/ and celeba/")
    return Path(folder)
