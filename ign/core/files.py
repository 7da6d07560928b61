"""Write files atomically, so that they are either complete or absent."""

__all__ = ["TEMPORARY", "atomic", "check_writable"]

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from uuid import uuid4

LONGEST_SUFFIX = 16
"""A longer suffix says nothing about the format, and is left out of the temporary name."""
TEMPORARY = f".{'[0-9a-f]' * 12}*"
"""The pattern of the temporary names, which a killed process may leave."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Error numbers of a failed write; such an error does not name the file."""


@contextmanager
def atomic(path: str | os.PathLike[str], durable: bool = True) -> Iterator[Path]:
    """Write a file under a temporary name beside its place; rename it when it is complete.

    A missing folder is created. When the block raises, for example because the disk is full, the
    temporary file is removed and an existing file at ``path`` is not changed.

    Args:
        path: The path of the file.
        durable: Whether to flush the file to disk, so that a power failure cannot leave it empty.
            This is slow for many small files.

    Yields:
        The temporary path to write to, with the same suffix.

    Raises:
        OSError: The file cannot be written; the error names ``path``.
    """
    path = Path(path)
    suffix = path.suffix if len(path.suffix) <= LONGEST_SUFFIX else ""
    temporary = path.with_name(f".{uuid4().hex[:12]}{suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.open("xb").close()
        yield temporary
        if durable:
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        unnamed = error.filename is None and error.errno in FULL
        if unnamed or str(error.filename) == str(temporary):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        with suppress(OSError):
            temporary.unlink()


def check_writable(path: str | os.PathLike[str]) -> None:
    """Check that a file can be created at a path, without leaving anything there.

    Raises:
        OSError: The nearest existing folder above ``path`` cannot be written to, or the name is
            not possible there; the error names ``path``.
    """
    path = Path(path)
    folder = path.parent
    try:
        with suppress(FileNotFoundError):
            path.lstat()
        while not os.path.lexists(folder):
            folder = folder.parent
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
