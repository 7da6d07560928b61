"""Decode many images in parallel, in order."""

__all__ = ["Memory", "Shape", "read_all"]

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

from ign.core.terminal import progress
from ign.data.decode import Header, quiet, reason
from ign.data.files import Reader
from ign.data.remarks import Remarks
from ign.data.sources import Source
from ign.data.storage import Record

Shape = tuple[int, int, int]
T = TypeVar("T")
R = TypeVar("R")

CHUNK = 16
"""The maximum number of images that a thread decodes as one block."""

CHUNK_BYTES = 2**22
"""The maximum number of bytes in a block, unless a single image exceeds it."""


class Memory:
    """Collects images in memory.

    Args:
        shape: (N, C, H, W), where N is the maximum number of images.
    """

    def __init__(self, shape: tuple[int, ...]):
        self._images, self._count = np.empty(shape, np.uint8), 0

    def append(self, block: NDArray[np.uint8]) -> None:
        """Append images, (n, C, H, W)."""
        self._images[self._count : self._count + len(block)] = block
        self._count += len(block)

    def images(self) -> Tensor:
        """Return all images that were appended."""
        return torch.from_numpy(self._images[: self._count])


def read_all(
    found: Source,
    shape: Shape,
    append: Callable[[NDArray[np.uint8]], None],
    show_progress: bool = False,
) -> Record:
    """Decode all images of a source, and pass them to ``append`` in order, in blocks.

    Returns:
        The broken images, and remarks about the others.
    """
    n = len(found.names)
    step = min(CHUNK, max(1, CHUNK_BYTES // math.prod(shape)))
    chunks = [range(first, min(first + step, n)) for first in range(0, n, step)]
    record = Record(Remarks(shape))
    with ExitStack() as stack:
        stack.enter_context(quiet())
        bar = stack.enter_context(progress(shown=show_progress))
        task = bar.add_task("reading images", total=n)
        read = partial(_read, found, stack.enter_context(Reader()), shape)
        for block in stack.enter_context(closing(_in_order(read, chunks))):
            record.broken += block.broken
            for place, header, dark in block.facts:
                record.remarks.add(found.names[place], header, dark)
                record.remarks.own_range += header.deep and found.range is None
            append(block.images)
            bar.advance(task, len(block.facts) + len(block.broken))
    return record


class _Block(NamedTuple):
    images: NDArray[np.uint8]
    broken: list[tuple[int, str]]
    facts: list[tuple[int, Header, bool]]


def _read(found: Source, reader: Reader, shape: Shape, places: range) -> _Block:
    images = np.empty((len(places), *shape), np.uint8)
    broken: list[tuple[int, str]] = []
    facts: list[tuple[int, Header, bool]] = []
    for place in places:
        try:
            decoded = found.read(reader, place, shape)
        except Exception as error:
            broken.append((place, reason(error)))
            continue
        images[len(facts)] = decoded.pixels
        facts.append((place, decoded.header, decoded.dark))
    return _Block(images[: len(facts)], broken, facts)


def _in_order(function: Callable[[T], R], items: Iterable[T]) -> Generator[R, None, None]:
    """Map a function in threads, with a bounded number of pending results.

    Threads are sufficient, because Pillow releases the global interpreter lock while it decodes.
    """
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
    """Return the number of cores that this process may use, at most 16."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, 16)
