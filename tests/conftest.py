"""One thread for a test process and those it starts: quick side by side, and bit-equal."""

import os
import subprocess
import sys
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


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation as a site, built once for all test processes, without a warning."""
    from filelock import FileLock

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with FileLock(shared / "site.lock"):
        if not (shared / "site.built").exists():
            command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir"]
            done = subprocess.run(
                [*command, shared / "site"], cwd=Path(__file__).parent.parent, check=False,
                env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
            (shared / "site.built").touch()
    return shared / "site"
