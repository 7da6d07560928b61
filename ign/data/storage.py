"""The cache folder, which stores decoded images under a key of everything they depend on.

A file is a NumPy array (N, C, H, W), which any reader of .npy files can open, followed by a record
in JSON and a checksum of both. It is written sequentially rather than through a memory map, so that
a full disk causes an error and not a crash. It gets its name when it is complete.
"""

__all__ = [
    "CacheFile", "Record", "cache_folder", "key", "label", "list_problems", "open_cached",
    "replacing",
]  # fmt: skip

import errno
import hashlib
import json
import logging
import math
import os
import re
import shutil
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ign.core.files import atomic
from ign.core.paths import expand_user
from ign.core.text import printable
from ign.data.errors import DataError, Problem
from ign.data.remarks import Remarks

VERSION = 3
"""A part of every key, which is increased when the file format or the decoding changes."""

STALE = 3600.0
"""The number of seconds without a write after which a temporary file counts as abandoned."""

HASHED = 2**24
"""The number of bytes that are hashed at once."""

logger = logging.getLogger("ign.data")


@dataclass
class Record:
    """The problems and remarks that decoding produced.

    Args:
        remarks: What happened to the other images.
        broken: The index of each skipped image in the listing, and the reason.
    """

    remarks: Remarks
    broken: list[tuple[int, str]] = field(default_factory=list)


def cache_folder(cache: str | os.PathLike[str] | None = None) -> Path:
    """Return the given folder, or else ``IGN_CACHE``, or else ``~/.cache/ign``.

    Raises:
        DataError: The home folder is not known.
    """
    folder = expand_user(cache or os.environ.get("IGN_CACHE") or "~/.cache/ign")
    if folder.parts[:1] == ("~",) and not os.path.lexists("~"):
        raise DataError(
            "there is no home folder for the cache; set a folder with cache= or the environment "
            "variable IGN_CACHE"
        )
    return folder


def key(parts: Any) -> str:
    """Return a hash of values that can be written as JSON."""
    text = json.dumps([VERSION, parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def label(source: str | os.PathLike[str]) -> str:
    """Return the prefix of a cache file's name: the last part of a source in ASCII."""
    stem = Path(source).stem
    return re.sub(r"[^\w.-]+", "-", stem, flags=re.ASCII)[:40].strip(".") or "images"


def list_problems(source: str, problems: Sequence[Problem]) -> Path | None:
    """Write all broken images of a source to a text file in the cache folder, one per line.

    Returns:
        The path of the file; None if it cannot be written.
    """
    lines = [f"{printable(name, 1000)}: {reason}\n" for name, reason in problems]
    try:
        path = cache_folder() / "broken" / f"{label(source)}-{key(source)[:8]}.txt"
        with atomic(path) as temporary:
            temporary.write_text("".join(lines), encoding="utf-8")
    except (OSError, DataError):
        return None
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file with :func:`ign.core.files.atomic`, after removing abandoned ones.

    Raises:
        DataError: The file cannot be written.
    """
    try:
        for old in path.parent.glob(f".{path.stem}-*{path.suffix}"):
            with suppress(OSError):
                if time.time() - old.stat().st_mtime > STALE:
                    old.unlink()
        with atomic(path) as temporary:
            yield temporary
    except OSError as error:
        raise DataError(
            f"cache file '{printable(path)}' cannot be written: {error.strerror or error}; free "
            "space there, or set another folder with cache= or the environment variable IGN_CACHE"
        ) from None


class CacheFile:
    """Writes images block by block, and a record at the end.

    Args:
        path: The file to write.
        shape: (N, C, H, W), where N is the maximum number of images.
        name: The name that the file will have when it is opened.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], name: str):
        self._file = path.open("wb")
        self._shape, self._count, self._name = shape, 0, name
        self._digest = hashlib.blake2b(digest_size=16)
        if shutil.disk_usage(path.parent).free < math.prod(shape):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._write_header(shape[0])

    def __enter__(self) -> "CacheFile":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._file.close()

    def append(self, block: NDArray[np.uint8]) -> None:
        """Append images, (n, C, H, W)."""
        content = np.ascontiguousarray(block).data
        self._file.write(content)
        self._digest.update(content)
        self._count += len(block)

    def finish(self, record: Record) -> None:
        """Write the record, the checksum and the true number of images."""
        shape = (self._count, *self._shape[1:])
        said = json.dumps({"name": self._name, "shape": shape, **asdict(record)})
        self._digest.update(said.encode())
        self._file.write(json.dumps([said, self._digest.hexdigest()]).encode())
        self._file.seek(0)
        self._write_header(self._count)
        self._file.flush()

    def _write_header(self, count: int) -> None:
        """Write the header of the array, whose length does not depend on the number of images."""
        shape = (count, *self._shape[1:])
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)


def open_cached(path: Path, shape: tuple[int, ...]) -> tuple[Tensor, Record] | None:
    """Map the images of a finished file into memory after verifying their checksum.

    Args:
        path: The file.
        shape: (N, C, H, W), where N includes the images that were skipped.

    Returns:
        The images and the record; None if the file does not exist or is damaged.
    """
    if not path.is_file():
        return None
    try:
        array, record = _checked(path, shape)
    except Exception as error:  # a damaged header or record can raise any error
        why = printable(str(error) or type(error).__name__, 100)
        logger.warning(
            "cache file '%s' is damaged (%s); the images are decoded again", printable(path), why
        )
        return None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array), record


def _checked(path: Path, shape: tuple[int, ...]) -> tuple[NDArray[np.uint8], Record]:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype != np.uint8 or array.shape[1:] != shape[1:] or not array.flags.c_contiguous:
        raise ValueError(f"it holds {array.dtype} {array.shape}, not uint8 {shape}")
    with path.open("rb") as file:
        file.seek(array.offset + array.nbytes)
        said, checksum = json.loads(file.read())
    digest = hashlib.blake2b(digest_size=16)
    content = array.reshape(-1)
    for start in range(0, content.size, HASHED):
        digest.update(content[start : start + HASHED].data)
    digest.update(said.encode())
    if digest.hexdigest() != checksum:
        raise ValueError("its checksum is wrong")
    found = json.loads(said)
    broken = [(int(place), str(why)) for place, why in found["broken"]]
    if [*array.shape] != found["shape"] or len(array) + len(broken) != shape[0]:
        raise ValueError(f"it holds {len(array)} of {shape[0]} images")
    if found["name"] != path.name:
        raise ValueError(f"it was written as {found['name']}")
    return array, Record(Remarks.parse(found["remarks"]), broken)
