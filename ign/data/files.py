"""The image files in a folder or a zip, and their bytes."""

__all__ = [
    "File",
    "Listing",
    "Reader",
    "list_folder",
    "list_zip",
    "member_name",
    "natural_key",
    "open_zip",
]

import io
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from threading import Lock
from typing import IO, BinaryIO
from zipfile import ZipFile, ZipInfo

from ign.core.text import printable
from ign.data.errors import DataError

IMAGE_SUFFIXES = {
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif",
    ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".jxl",
}  # fmt: skip
"""A file of such a name is an image; it counts as broken where it cannot be read."""

SIDE_SUFFIXES = {
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".md", ".rst", ".xml", ".yaml", ".yml", ".toml",
    ".ini", ".html", ".htm", ".pdf", ".svg", ".log", ".py", ".npy", ".npz", ".pt", ".pth",
    ".pkl", ".parquet", ".mat", ".h5", ".zip", ".tar", ".gz", ".mp3", ".mp4", ".mov", ".avi",
    ".wav",
}  # fmt: skip
"""A file of such a name is none. Of any other file the first bytes decide."""

SIGNATURE = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|RIFF....WEBP|GIF8[79]a|II\*\0|MM\0\*|BM.{4}\0\0\0\0"
    rb"|....ftyp(?:avif|avis|heic|heix|mif1)|\0\0\0\x0cjP  ",
    re.DOTALL,
)
"""How images begin."""

LARGEST = 2**30
"""The bytes to which a member of a zip may unpack; it is read as a whole."""


@dataclass(frozen=True, slots=True)
class File:
    """An image in a folder, or a member of a zip.

    Args:
        name: Its name within the source, with forward slashes.
        path: The file itself, or the zip that holds it.
        size: Its bytes.
        stamp: What changes with its content: the time of the last change, or the member's checksum.
        member: The member of the zip.
    """

    name: str
    path: str
    size: int
    stamp: int
    member: ZipInfo | None = None


@dataclass
class Listing:
    """The images of a source in natural order, and how many other files lie there."""

    files: list[File] = field(default_factory=list)
    others: int = 0


def natural_key(name: str) -> tuple[list[str | tuple[int, str]], str]:
    """The key that sorts ``a2`` before ``a10``, and upper and lower case together."""
    parts: list[str | tuple[int, str]] = list(re.split(r"([0-9]+)", name.casefold()))
    for i in range(1, len(parts), 2):
        digits = str(parts[i]).lstrip("0")
        parts[i] = (len(digits), digits)  # in the order of the numbers, however many digits
    return parts, name


def member_name(member: ZipInfo) -> str:
    """The name of a zip's member with forward slashes; some programs write backslashes."""
    return member.filename.replace("\\", "/")


def list_folder(root: str | os.PathLike[str], nested: bool = True) -> Listing:
    """The images in a folder and, unless ``nested`` is False, the folders in it.

    Links are followed, each folder is entered once, and hidden files are left out.
    """
    listing, seen, waiting = Listing(), set[tuple[int, int]](), [(os.fspath(root), "")]
    while waiting:
        folder, prefix = waiting.pop()
        try:
            status = os.stat(folder)
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise DataError(f"data folder '{printable(folder)}': {error.strerror}") from None
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in entries:
            if _hidden(entry.name):
                continue
            found = _status(entry)
            if found is not None and stat.S_ISDIR(found.st_mode):
                waiting += [(entry.path, f"{prefix}{entry.name}/")] * nested
            elif _is_picture(entry, found):
                size, time = (found.st_size, found.st_mtime_ns) if found else (0, 0)
                listing.files.append(File(prefix + entry.name, entry.path, size, time))
            else:
                listing.others += 1
    listing.files.sort(key=lambda file: natural_key(file.name))
    return listing


def list_zip(path: str | os.PathLike[str]) -> Listing:
    """The images in a zip.

    Raises:
        DataError: It is truncated, encrypted, or no zip at all.
    """
    listing, path = Listing(), os.fspath(path)
    with open_zip(path) as archive:
        for member in archive.infolist():
            path_in_zip = member_name(member)
            name = PurePosixPath(path_in_zip)
            if path_in_zip.endswith("/") or any(map(_hidden, name.parts)):
                continue
            if member.flag_bits & 1:
                raise DataError(
                    f"data '{printable(path)}': the zip is encrypted; unpack it and give the folder"
                )
            if _is_image(name.suffix, partial(archive.open, member)):
                file = File(path_in_zip, path, member.file_size, member.CRC, member)
                listing.files.append(file)
            else:
                listing.others += 1
    listing.files.sort(key=lambda file: natural_key(file.name))
    return listing


def open_zip(path: str) -> ZipFile:
    """Open a zip.

    Raises:
        DataError: It cannot be read.
    """
    try:
        if not os.path.isfile(path):
            raise OSError("it is not a file")
        return ZipFile(path)
    except Exception as error:
        why = printable(str(error), 200)
        raise DataError(
            f"data '{printable(path)}' is no complete zip ({why}); fetch it again, or give a folder"
        ) from None


class Reader:
    """Opens files from any thread; a zip stays open until the context ends."""

    def __init__(self) -> None:
        self._zips: dict[str, ZipFile] = {}
        self._lock = Lock()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        for archive in self._zips.values():
            archive.close()

    def open(self, file: File) -> str | BinaryIO:
        """The path of a file, or the content of a zip's member.

        Raises:
            ValueError: The member is too large to be read as a whole.
        """
        if file.member is None:
            return file.path
        if file.size > LARGEST:
            raise ValueError(f"unpacks to {file.size / 2**30:.1f} GiB")
        with self._lock:
            if file.path not in self._zips:
                self._zips[file.path] = open_zip(file.path)
        return io.BytesIO(self._zips[file.path].read(file.member))


def _hidden(name: str) -> bool:
    dotted = name.startswith(".") and name != ".."
    return dotted or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """That of the file or folder a link leads to; None where it leads nowhere."""
    try:
        return entry.stat()
    except OSError:
        return None


def _is_picture(entry: os.DirEntry[str], status: os.stat_result | None) -> bool:
    if status is not None and not stat.S_ISREG(status.st_mode):
        return False
    return _is_image(os.path.splitext(entry.name)[1], lambda: open(entry.path, "rb"))


def _is_image(suffix: str, content: Callable[[], IO[bytes]]) -> bool:
    if suffix.lower() in IMAGE_SUFFIXES or suffix.lower() in SIDE_SUFFIXES:
        return suffix.lower() in IMAGE_SUFFIXES
    try:
        with content() as file:
            return SIGNATURE.match(file.read(16)) is not None
    except Exception:  # zipfile raises what its decompressors raise
        return False
