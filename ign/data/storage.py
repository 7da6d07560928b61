"""The cache folder: decoded images under a key of all that they depend on.

A file is a numpy array (N, C, H, W), which any reader of .npy files opens, and after it a record in
JSON with a checksum of both. It is written from start to end and not through memory, so that a
full disk is an error and not a crash, and appears under its name when it is complete.
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

VERSION = 2
"""Part of every key; raised when the file or the decoding changes."""

STALE = 3600.0
"""After so many seconds without a write a temporary file counts as abandoned."""

HASHED = 2**24
"""How many bytes are hashed at once."""

logger = logging.getLogger("ign.data")


@dataclass
class Record:
    """What decoding found.

    Args:
        broken: The images that were skipped: their number in the listing, and why.
        remarks: What else the owner of the images should know, under the name of each remark.
    """

    broken: list[tuple[int, str]] = field(default_factory=list)
    remarks: dict[str, str] = field(default_factory=dict)


def cache_folder(cache: str | os.PathLike[str] | None = None) -> Path:
    """The folder given, else the one in ``IGN_CACHE``, else ``~/.cache/ign``.

    Raises:
        DataError: There is no home folder to put it in.
    """
    folder = expand_user(cache or os.environ.get("IGN_CACHE") or "~/.cache/ign")
    if folder.parts[:1] == ("~",) and not os.path.lexists("~"):
        raise DataError(
            "there is no home folder for the cache; name a folder by cache= or the environment "
            "variable IGN_CACHE"
        )
    return folder


def key(parts: Any) -> str:
    """A name for what these parts, anything that JSON can say, lead to."""
    text = json.dumps([VERSION, parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def label(source: str | os.PathLike[str]) -> str:
    """The start of a cache file's name: the last part of a source, in plain characters."""
    stem = Path(source).stem
    return re.sub(r"[^\w.-]+", "-", stem, flags=re.ASCII)[:40].strip(".") or "images"


def list_problems(source: str, problems: Sequence[Problem]) -> Path | None:
    """Write all broken images of a source to a text file in the cache folder, a line each.

    Returns:
        The file; None where it cannot be written.
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
    """Write a file with :func:`ign.core.files.atomic`, after removing what others left behind.

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
            "space there, or name another folder by cache= or the environment variable IGN_CACHE"
        ) from None


class CacheFile:
    """Writes images one block after another, and a record at the end.

    Args:
        path: The file to write.
        shape: (N, C, H, W), N being the most images that will come.
        name: The name under which the file will be opened.
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
        """Write (n, C, H, W) images behind those before."""
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
        """The header of the array; it leaves room for its first dimension to change."""
        shape = (count, *self._shape[1:])
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)


def open_cached(path: Path, shape: tuple[int, ...]) -> tuple[Tensor, Record] | None:
    """Map the images of a finished file into memory, once their checksum is right.

    Args:
        path: The file.
        shape: (N, C, H, W), N counting the images that were skipped too.

    Returns:
        The images and the record; None where there is no such file, or it is damaged.
    """
    if not path.is_file():
        return None
    try:
        array, record = _checked(path, shape)
    except Exception as error:  # whatever a damaged header or record leads to
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
    return array, Record(broken, found["remarks"])
