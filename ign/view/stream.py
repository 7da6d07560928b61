"""Many images to disk, some at a time, so that memory does not grow with their number."""

__all__ = ["array_file", "picture_files"]

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from torch import Tensor

from ign.core.files import atomic
from ign.data import to_uint8
from ign.view import pictures

AHEAD = 256
"""How many pictures may wait to be written."""


@contextmanager
def picture_files() -> Iterator[Callable[[Tensor, Iterable[Path]], None]]:
    """Write pictures in threads, each whole or not at all, while the caller computes.

    Yields:
        What takes images, (B, C, H, W) in [-1, 1], and a path for each. Leaving the context waits
        for the last of them.

    Raises:
        OSError: A picture cannot be written; told when a later one comes, or at the end.
    """
    waiting: deque[Future[Path]] = deque()
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:

        def put(images: Tensor, paths: Iterable[Path]) -> None:
            for image, path in zip(images.detach().cpu(), paths, strict=True):
                picture = pictures.to_picture(image)  # a quarter of the memory while it waits
                waiting.append(pool.submit(pictures.save, picture, path, durable=False))
                if len(waiting) > AHEAD:
                    waiting.popleft().result()

        try:
            yield put
            while waiting:
                waiting.popleft().result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def array_file(path: Path, shape: tuple[int, ...]) -> Iterator[Callable[[Tensor], None]]:
    """Write a numpy file of uint8, one batch behind the other; whole or not at all.

    Args:
        path: The file, ``.npy``.
        shape: (N, C, H, W).

    Yields:
        What takes the next images, (B, C, H, W) in [-1, 1].

    Raises:
        ValueError: More or fewer than N images came, or images of another shape.
    """
    count = 0
    with atomic(path) as temporary, open(temporary, "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)

        def put(images: Tensor) -> None:
            nonlocal count
            if images.shape[1:] != shape[1:]:
                raise ValueError(f"images of {tuple(images.shape[1:])} in a file of {shape[1:]}")
            file.write(to_uint8(images.detach().cpu()).numpy().tobytes())
            count += len(images)

        yield put
        if count != shape[0]:
            raise ValueError(f"{path}: {count} images came, {shape[0]} were due")
