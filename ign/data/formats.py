"""The supported image formats, and the repair of images with damaged metadata."""

__all__ = ["FORMATS", "available", "orientation", "read_repaired", "unsupported"]

import importlib
import io
import re
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import BinaryIO, TypeVar

from PIL import Image, UnidentifiedImageError

T = TypeVar("T")
File = str | BinaryIO

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM", "AVIF", "JPEG2000")
"""The formats that are read. Pillow's other formats run external programs or lack a signature."""

OTHERS = {
    "AVIF": (rb"....ftypavi[fs]", "pip install -U pillow"),
    "HEIC": (rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", "pip install pillow-heif"),
    "JPEG XL": (rb"\xff\x0a|\0\0\0\x0cJXL ", ""),
}
"""Formats that an installation of Pillow may lack: their first bytes, and what to install."""

PNG = b"\x89PNG\r\n\x1a\n"
KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf")
"""The PNG chunks that determine the pixels."""

ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip


@lru_cache(1)
def available() -> tuple[str, ...]:
    """Return the formats that Pillow can read here, with HEIF if pillow-heif is installed."""
    Image.init()
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        return tuple(name for name in FORMATS if name in Image.OPEN)
    return tuple(name for name in (*FORMATS, "HEIF") if name in Image.OPEN)


def unsupported(file: File) -> Exception:
    """Return the error for a file that Pillow does not recognise, with advice if possible."""
    head = _head(file)
    for name, (signature, install) in OTHERS.items():
        if re.match(signature, head, re.DOTALL):
            advice = f", or {install}" if install else ""
            return ValueError(f"{name} is not supported; convert it to PNG or JPEG{advice}")
    return UnidentifiedImageError()


def orientation(image: Image.Image) -> Image.Transpose | None:
    """Return the rotation that makes an image upright; None if it is, or has no valid EXIF."""
    try:
        return TURNS.get(image.getexif().get(ORIENTATION, 1))
    except Exception:
        return None


def read_repaired(read: Callable[[File], T], file: File) -> T:
    """Read a file, and retry a PNG that fails without its text and colour profile.

    Raises:
        Exception: The error that ``read`` raises for the original file.
    """
    try:
        return read(file)
    except Exception as error:
        try:
            return read(io.BytesIO(_pixels_only(file)))
        except Exception:
            raise error from None


def _pixels_only(file: File) -> bytes:
    """Return a PNG without the chunks that its pixels do not depend on.

    Raises:
        ValueError: The file is not a PNG.
    """
    if _head(file)[: len(PNG)] != PNG:
        raise ValueError("not a PNG")
    if isinstance(file, str):
        with open(file, "rb") as opened:
            content = opened.read()
    else:
        file.seek(0)
        content = file.read()
    return PNG + b"".join(chunk for name, chunk in _chunks(content) if name in KEPT)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(PNG)
    while place + 12 <= len(content):
        length, name = struct.unpack(">I4s", content[place : place + 8])
        yield name, content[place : place + 12 + length]
        place += 12 + length


def _head(file: File) -> bytes:
    if isinstance(file, str):
        with open(file, "rb") as opened:
            return opened.read(16)
    file.seek(0)
    return file.read(16)
