"""The cache folder: decoded images under a key of all that they depend on.

A file is a numpy array (N, C, H, W), which any reader of .npy files opens, and after it a note in
JSON with the images that were skipped. It is written under a temporary name, from start to end
and not through memory, so that a full disk is an error and not a crash, and renamed when whole.
"""

__all__ = ["CacheFile", "Note", "cache_folder", "key", "open_cached", "replacing"]

import errno
import hashlib
import json
import math
import os
import shutil
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ign.data.errors import DataError

Note = list[tuple[int, str]]
"""The images that were skipped: their place in the listing, and why."""

VERSION = 1
"""Part of every key; raised when the file or the decoding changes."""

STALE = 3600.0
"""After so many seconds without a write a temporary file is taken for abandoned."""


def cache_folder(cache: str | os.PathLike[str] | None = None) -> Path:
    """The folder given, else the one in ``IGN_CACHE``, else ``~/.cache/ign``."""
    folder = cache or os.environ.get("IGN_CACHE") or Path("~", ".cache", "ign")
    return Path(folder).expanduser()


def key(parts: Any) -> str:
    """A name for what these parts, anything that JSON can say, lead to."""
    text = json.dumps([VERSION, parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, which takes its place when the context ends well.

    Otherwise it is removed. What an earlier process left behind is removed too.

    Raises:
        DataError: The file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.glob(f".{path.name}.*.tmp"):
            with suppress(FileNotFoundError):
                if time.time() - old.stat().st_mtime > STALE:
                    old.unlink()
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise DataError(
            f"cache file {str(path)!r} cannot be written: {error.strerror or error}; free space "
            "there, or name another folder by cache= or the environment variable IGN_CACHE"
        ) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


class CacheFile:
    """Writes images one block after another, and a note at the end.

    Args:
        path: The file to write.
        shape: (N, C, H, W), N being the most images that will come.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]):
        self._file = path.open("xb")
        self._shape, self._count = shape, 0
        if shutil.disk_usage(path.parent).free < math.prod(shape):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._write_header(shape[0])

    def __enter__(self) -> "CacheFile":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._file.close()

    def append(self, block: NDArray[np.uint8]) -> None:
        """Write (n, C, H, W) images behind those before."""
        self._file.write(np.ascontiguousarray(block).data)
        self._count += len(block)

    def finish(self, note: Note) -> None:
        """Write the note and the true number of images, and wait for the disk."""
        self._file.write(json.dumps(note).encode())
        self._file.seek(0)
        self._write_header(self._count)
        self._file.flush()
        os.fsync(self._file.fileno())

    def _write_header(self, count: int) -> None:
        """The header of the array; it leaves room for its first dimension to change."""
        shape = (count, *self._shape[1:])
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)


def open_cached(path: Path) -> tuple[Tensor, Note] | None:
    """Map the images of a finished file into memory; None where there is none."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        with path.open("rb") as file:
            file.seek(array.offset + array.nbytes)
            note = [(int(place), str(why)) for place, why in json.loads(file.read())]
    except (OSError, ValueError, EOFError, TypeError):
        return None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array), note
