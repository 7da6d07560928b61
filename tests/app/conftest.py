"""Models that nobody trained, the input of a visitor, and a server to attack."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawings import seven, untrained
from PIL import Image

from ign import IGN
from ign.app.markup import data_url

SERVER = """
import os
import time
from drawings import untrained
from ign.app import connections, server, tasks
connections.HEAD = float(os.environ["HEAD"])
generate = tasks.Tasks.generate
tasks.Tasks.generate = lambda self, seed, *rest: (
    time.sleep(60 * (seed == 99)) or generate(self, seed, *rest))
server.serve(untrained(1), "test", port=0)
"""
"""A page on which the samples of seed 99 take a minute."""


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


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Starts servers: each returns its process, its address and its temporary folder."""
    processes = []
    tests = Path(__file__).resolve().parent.parent

    def run(quiet: bool = False, head: float = 15) -> tuple[subprocess.Popen[str], str, Path]:
        folder = tmp_path_factory.mktemp("server")
        environment = {
            **os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1", "HEAD": str(head),
            "PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)]),
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE if quiet else None,
        )  # fmt: skip
        processes.append(process)
        return process, process.stdout.readline().strip(), folder

    yield run
    for process in processes:
        process.kill()
        process.wait()
