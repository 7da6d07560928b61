"""List and read the image files in a folder or a zip."""

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
"""A file with one of these suffixes is an image. If it cannot be read, it counts as broken."""

SIDE_SUFFIXES = {
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".md", ".rst", ".xml", ".yaml", ".yml", ".toml",
    ".ini", ".html", ".htm", ".pdf", ".svg", ".log", ".py", ".npy", ".npz", ".pt", ".pth",
    ".pkl", ".parquet", ".mat", ".h5", ".zip", ".tar", ".gz", ".mp3", ".mp4", ".mov", ".avi",
    ".wav",
}  # fmt: skip
"""A file with one of these suffixes is not an image. For any other suffix, the content decides."""

SIGNATURE = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|RIFF....WEBP|GIF8[79]a|II\*\0|MM\0\*|BM.{4}\0\0\0\0"
    rb"|....ftyp(?:avif|avis|heic|heix|mif1)|\0\0\0\x0cjP  ",
    re.DOTALL,
)
"""The first bytes of the supported image formats."""

LARGEST = 2**30
"""The maximum uncompressed size of a zip member in bytes; a member is read as a whole."""


@dataclass(frozen=True, slots=True)
class File:
    """An image in a folder, or a member of a zip.

    Args:
        name: The name within the source, with forward slashes.
        path: The path of the file, or of the zip that contains it.
        size: The size in bytes.
        stamp: A number that changes with the content: the modification time of a file, or the
            checksum of a zip member.
        member: The zip member; None for a file in a folder.
    """

    name: str
    path: str
    size: int
    stamp: int
    member: ZipInfo | None = None


@dataclass
class Listing:
    """The images of a source in natural order, and the number of other files."""

    files: list[File] = field(default_factory=list)
    others: int = 0


def natural_key(name: str) -> tuple[list[str | tuple[int, str]], str]:
    """The key that sorts ``a2`` before ``a10``, and upper and lower case together."""
    parts: list[str | tuple[int, str]] = list(re.split(r"([0-9]+)", name.casefold()))
    for i in range(1, len(parts), 2):
        digits = str(parts[i]).lstrip("0")
        parts[i] = (len(digits), digits)  # sorts by number, without a limit on its digits
    return parts, name


def member_name(member: ZipInfo) -> str:
    """Return the name of a zip member with forward slashes; some programs write backslashes."""
    return member.filename.replace("\\", "/")


def list_folder(root: str | os.PathLike[str], nested: bool = True) -> Listing:
    """List the images in a folder and, unless ``nested`` is False, in its subfolders.

    Links are followed, each folder is visited once, and hidden files are ignored.
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
    """List the images in a zip.

    Raises:
        DataError: The file is truncated, encrypted, or not a zip.
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
        DataError: The zip cannot be read.
    """
    try:
        if not os.path.isfile(path):
            raise OSError("it is not a file")
        return ZipFile(path)
    except Exception as error:
        why = printable(str(error), 200)
        raise DataError(
            f"data '{printable(path)}' is not a complete zip ({why}); download it again, or give a "
            "folder"
        ) from None


class Reader:
    """Opens files from any thread, and keeps zips open until the context ends."""

    def __init__(self) -> None:
        self._zips: dict[str, ZipFile] = {}
        self._lock = Lock()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        for archive in self._zips.values():
            archive.close()

    def open(self, file: File) -> str | BinaryIO:
        """Return the path of a file, or the content of a zip member.

        Raises:
            ValueError: The zip member is too large.
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
    """Return the status of an entry, with links followed; None for a broken link."""
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
