"""Files that are either complete or absent."""

__all__ = ["atomic"]

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4


@contextmanager
def atomic(path: str | os.PathLike[str], durable: bool = True) -> Iterator[Path]:
    """Write a file under a temporary name beside its place; rename it when it is complete.

    The folder is made where it is missing. When the block raises, a full disk included, the
    temporary file goes and what stood at ``path`` stays as it was.

    Args:
        path: Where the file shall stand.
        durable: Whether to wait until the disk has it, so that a power cut cannot leave it empty;
            that takes most of the time where files are many and small.

    Yields:
        The temporary path to write to, with the same suffix.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{uuid4().hex[:8]}{path.suffix}")
    temporary.open("x").close()
    try:
        yield temporary
        if durable:
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
