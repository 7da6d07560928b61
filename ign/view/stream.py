"""Write many images to disk batch by batch, with bounded memory."""

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
"""The maximum number of pictures that wait to be written."""


@contextmanager
def picture_files() -> Iterator[Callable[[Tensor, Iterable[Path]], None]]:
    """Write pictures atomically in background threads.

    Yields:
        A function that takes images, (B, C, H, W) in [-1, 1], and a path for each. When the context
        ends, it waits until all pictures are written.

    Raises:
        OSError: A picture cannot be written. The error is raised by a later call or at the end.
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
    """Write a NumPy file of uint8 batch by batch, atomically.

    Args:
        path: The file, ``.npy``.
        shape: (N, C, H, W).

    Yields:
        A function that takes the next images, (B, C, H, W) in [-1, 1].

    Raises:
        ValueError: The number of images is not N, or they have another shape.
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
