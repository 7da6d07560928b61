"""Decoding many images at once, in order."""

__all__ = ["Memory", "Shape", "read_all"]

import logging
import math
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ign.data.decode import quiet, reason
from ign.data.errors import DataError
from ign.data.files import Reader
from ign.data.progress import bar
from ign.data.sources import Source
from ign.data.storage import Note

Shape = tuple[int, int, int]
T = TypeVar("T")
R = TypeVar("R")

LARGE = 4000
"""The longest side of a picture that nobody is told about."""

TOLERATED = 0.05
"""The share of broken images above which a source cannot be used."""

CHUNK = 16
"""The most images that a thread reads before it hands them over."""

CHUNK_BYTES = 2**22
"""The most bytes that it hands over at once, a single image apart."""

logger = logging.getLogger("ign.data")


class Memory:
    """Collects images in memory.

    Args:
        shape: (N, C, H, W), N being the most images that will come.
    """

    def __init__(self, shape: tuple[int, ...]):
        self._images, self._count = np.empty(shape, np.uint8), 0

    def append(self, block: NDArray[np.uint8]) -> None:
        """Put (n, C, H, W) images behind those before."""
        self._images[self._count : self._count + len(block)] = block
        self._count += len(block)

    def images(self) -> Tensor:
        """All that came."""
        return torch.from_numpy(self._images[: self._count])


def read_all(
    found: Source,
    shape: Shape,
    source: str,
    append: Callable[[NDArray[np.uint8]], None],
    progress: bool = False,
) -> Note:
    """Decode all images of a source and hand them to ``append`` in order, in blocks.

    Returns:
        The broken ones.

    Raises:
        DataError: More than 5 % are broken.
    """
    n = len(found.names)
    step = min(CHUNK, max(1, CHUNK_BYTES // math.prod(shape)))
    chunks = [range(first, min(first + step, n)) for first in range(0, n, step)]
    note: Note = []
    large = 0
    with ExitStack() as stack:
        stack.enter_context(quiet())
        advance = stack.enter_context(bar("reading images", n, progress))
        read = partial(_read, found, stack.enter_context(Reader()), shape)
        for block in stack.enter_context(closing(_in_order(read, chunks))):
            note += block.broken
            large += block.large
            if len(note) > TOLERATED * n:
                _refuse(found, source, note)
            append(block.images)
            advance(len(block.images) + len(block.broken))
    if large:
        logger.warning(
            "data %r: %d images have a side over %d pixels; they were resized to %d on reading",
            source, large, LARGE, shape[1],
        )  # fmt: skip
    return note


class _Block(NamedTuple):
    images: NDArray[np.uint8]
    broken: Note
    large: int


def _read(found: Source, reader: Reader, shape: Shape, places: range) -> _Block:
    images, broken, large = np.empty((len(places), *shape), np.uint8), [], 0
    for place in places:
        try:
            image, longest = found.read(reader, place, shape)
        except Exception as error:
            broken.append((place, reason(error)))
            continue
        images[place - places.start - len(broken)] = image
        large += longest > LARGE
    return _Block(images[: len(places) - len(broken)], broken, large)


def _in_order(function: Callable[[T], R], items: Iterable[T]) -> Generator[R, None, None]:
    """Map in threads, a bounded number of results ahead; Pillow lets go of the lock in C."""
    threads = _threads()
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[R]] = deque()
        for item in items:
            ahead.append(pool.submit(function, item))
            if len(ahead) > 2 * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _threads() -> int:
    """One for each core that this process may use, at most 16."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, 16)


def _refuse(found: Source, source: str, note: Note) -> None:
    names = found.names
    raise DataError(
        f"data {source!r}: more than {TOLERATED:.0%} of {len(names):,} images cannot be read; "
        "repair or remove them",
        [(names[place], why) for place, why in note],
    )
