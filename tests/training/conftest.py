"""Two runs that were never interrupted."""

from pathlib import Path

import pytest
from training.runs import RICH, TINY, begin


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run RICH."""
    return begin(tmp_path_factory.mktemp("rich") / "run", RICH)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run TINY."""
    return begin(tmp_path_factory.mktemp("tiny") / "run", TINY)
