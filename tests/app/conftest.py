"""Models that nobody trained, the input of a visitor, and a server to attack."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawings import seven, untrained
from forked import Forked
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


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Starts servers: each returns its process, its address and its temporary folder."""
    processes = []

    def run(head: float = 15) -> tuple[Forked, str, Path]:
        folder = tmp_path_factory.mktemp("server")
        variables = {"TMPDIR": str(folder), "HEAD": str(head)}
        process = Forked(code=SERVER, variables=variables)
        processes.append(process)
        return process, process.line(), folder

    yield run
    for process in processes:
        process.kill()


@pytest.fixture(scope="session")
def hasty(start: Callable[..., Any]) -> str:
    """The address of a server that waits for half a second for the head of a request."""
    return start(head=0.5)[1]
