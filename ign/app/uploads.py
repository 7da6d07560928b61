"""Uploaded files of bounded size, each with an identifier that only its visitor knows."""

__all__ = ["Refused", "Reservation", "Upload", "Uploads"]

import os
import secrets
import shutil
import stat
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

VISITOR = 200 * 10**6
"""The maximum number of bytes of one visitor, including uploads in progress."""
TOTAL = 10**9
"""The maximum number of bytes of all visitors together."""
LEAST = 2**16
"""The minimum number of bytes that a file counts as, which limits the number of empty files."""
STALE = 300.0
"""The number of seconds after which a file that no job has read is removed."""


class Refused(ValueError):
    """A request was refused, with an HTTP status."""

    def __init__(self, text: str, status: int = 413) -> None:
        super().__init__(text)
        self.status = status


@dataclass
class Upload:
    """A file that a visitor sent.

    Args:
        visitor: The visitor who uploaded it.
        path: The path of the file.
        size: The number of bytes that it counts as.
        time: The time in seconds when it arrived or was last named in a job.
    """

    visitor: str
    path: Path
    size: int
    time: float = field(default_factory=time.monotonic)


class Uploads:
    """The files that this server wrote. A job cannot name other files.

    Args:
        folder: The folder for the files; each file gets its own subfolder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Upload] = {}
        self._bytes: Counter[str] = Counter()
        self._lock = threading.Lock()

    def reserve(self, visitor: str, size: int) -> None:
        """Count bytes of a visitor before they are written.

        Raises:
            Refused: The uploads of the visitor, or of all visitors, would exceed the limit.
        """
        with self._lock:
            if self._bytes[visitor] + size > VISITOR:
                raise Refused(f"your uploads are over {VISITOR // 10**6} MB together")
            if self._bytes.total() + size > TOTAL:
                raise Refused("the server holds too many uploads; try again in a minute", 503)
            self._bytes[visitor] += size

    def release(self, visitor: str, size: int) -> None:
        """Undo :meth:`reserve`."""
        with self._lock:
            self._bytes[visitor] -= size
            if self._bytes[visitor] <= 0:
                del self._bytes[visitor]

    def create(self, name: str) -> tuple[str, Path, BinaryIO]:
        """Create a file for an upload of that name; return its identifier, path and open file."""
        identifier = secrets.token_urlsafe(16)
        folder = self._folder / identifier
        folder.mkdir(mode=0o700, parents=True)
        path = folder / _plain(name)
        return identifier, path, open(path, "xb")

    def register(self, identifier: str, visitor: str, path: Path, size: int) -> None:
        """Register a file with reserved bytes, so that jobs of the visitor can name it."""
        with self._lock:
            self._files[identifier] = Upload(visitor, path, size)

    def find(self, identifier: object, visitor: str) -> Upload:
        """Find the file with this identifier that belongs to the visitor.

        Raises:
            KeyError: There is no such file.
        """
        with self._lock:
            found = self._files.get(identifier) if isinstance(identifier, str) else None
            if found is None or found.visitor != visitor:
                raise KeyError(identifier)
            found.time = time.monotonic()
            return found

    def paths(self, files: Any) -> list[str]:
        """The paths of the files in an input of a job, which is None, a file or a list of files.

        Raises:
            ValueError: A file was not written by this server, or no longer exists.
        """
        every = files if isinstance(files, list) else [] if files is None else [files]
        with self._lock:
            known = {str(one.path) for one in self._files.values()}
        given = [one.get("path") if isinstance(one, dict) else None for one in every]
        found = [path for path in given if isinstance(path, str) and path in known]
        if len(found) < len(every):
            raise ValueError("a file no longer exists on the server; upload it again")
        if not all(stat.S_ISREG(os.lstat(path).st_mode) for path in found):
            raise ValueError("only regular files are read")
        return found

    def discard(self, paths: Iterable[str]) -> None:
        """Remove files that this server wrote; other paths are ignored."""
        wanted = set(paths)
        with self._lock:
            gone = [key for key, one in self._files.items() if str(one.path) in wanted]
        self._remove(gone)

    def forget(self, identifiers: Iterable[str]) -> None:
        """Remove uploads by their identifiers."""
        self._remove(identifiers)

    def expire(self) -> None:
        """Remove the files that no job has named for :data:`STALE` seconds."""
        oldest = time.monotonic() - STALE
        with self._lock:
            gone = [key for key, one in self._files.items() if one.time < oldest]
        self._remove(gone)

    def _remove(self, identifiers: Iterable[str]) -> None:
        for identifier in identifiers:
            with self._lock:
                found = self._files.pop(identifier, None)
            if found is not None:
                shutil.rmtree(self._folder / identifier, ignore_errors=True)
                self.release(found.visitor, found.size)


class Reservation:
    """The files of one upload request. Files that are not kept at its end are removed.

    Args:
        uploads: The registry of uploaded files.
        visitor: The visitor who uploads them.
        most: The maximum number of bytes of each file.
    """

    def __init__(self, uploads: Uploads, visitor: str, most: int) -> None:
        self._uploads, self._visitor, self._most = uploads, visitor, most
        self._open: tuple[str, Path, BinaryIO] | None = None
        self._size = self._counted = 0
        self.identifiers: list[str] = []

    def begin(self, name: str) -> None:
        """Start a file."""
        self._uploads.reserve(self._visitor, LEAST)
        self._size, self._counted = 0, LEAST
        self._open = self._uploads.create(name)

    def write(self, content: bytes) -> None:
        """Append to the file.

        Raises:
            Refused: The file, or all files of the visitor together, are too large.
        """
        assert self._open
        self._size += len(content)
        if self._size > self._most:
            raise Refused(f"{self._open[1].name}: over {self._most // 2**20} MB")
        if self._size > self._counted:
            self._uploads.reserve(self._visitor, self._size - self._counted)
            self._counted = self._size
        self._open[2].write(content)

    def end(self) -> None:
        """Finish the file."""
        assert self._open
        identifier, path, file = self._open
        file.close()
        self._open = None
        self._uploads.register(identifier, self._visitor, path, self._counted)
        self.identifiers.append(identifier)

    def cancel(self) -> None:
        """Remove the files that were received."""
        if self._open:
            _, path, file = self._open
            file.close()
            shutil.rmtree(path.parent, ignore_errors=True)
            self._uploads.release(self._visitor, self._counted)
            self._open = None
        self._uploads.forget(self.identifiers)
        self.identifiers = []


def _plain(name: str) -> str:
    """The last component of a name, without control characters and shortened for a file name."""
    last = name.replace("\\", "/").rpartition("/")[2]
    text = "".join(c for c in last if c.isprintable()).strip(". ")
    while len(text.encode(errors="replace")) > 200:
        text = text[1:]
    return text.encode(errors="replace").decode() or "file"
