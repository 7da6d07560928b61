"""Reading one picture of any common format as uint8 pixels.

Transparent pixels are laid on white, 16-bit values are scaled to 8 bits, the orientation that a
camera wrote is applied, the first frame stands for an animation, and colour profiles are ignored.
"""

__all__ = ["Header", "decode", "fit", "pixels", "quiet", "read_header", "read_image", "reason"]

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ign.data.errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF", "PPM", "AVIF", "JPEG2000")
"""What is read; Pillow's other formats start foreign programs or have no signature."""

GAP = 3.0
"""A large picture is first reduced cheaply, to no less than this many times the wanted size."""


class Header(NamedTuple):
    """What a picture's header says of it."""

    width: int
    height: int
    gray: bool


def read_image(
    file: str | os.PathLike[str] | BinaryIO, size: int | None = None, gray: bool | None = None
) -> NDArray[np.uint8]:
    """Read a picture from a path or an open file.

    Args:
        file: PNG, JPEG, WebP, BMP, GIF, TIFF, PNM, AVIF or JPEG 2000, told by its content.
        size: The side of the result: the short side is resized to it with a Lanczos filter and
            the centre is kept. None leaves the picture as large as it is.
        gray: Whether the result has one channel or three; None for what the picture has.

    Shape:
        (C, H, W), C 1 or 3.

    Raises:
        DataError: There is no such file, or it cannot be read as a picture.
    """
    file = os.fspath(file) if isinstance(file, os.PathLike) else file
    try:
        with quiet():
            return decode(file, size, gray)[0]
    except Exception as error:
        name = file if isinstance(file, str) else getattr(file, "name", "(open file)")
        raise DataError(f"image {name!r} cannot be read: {reason(error)}") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Without Pillow's warnings of large pictures and odd metadata, in all threads."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        yield


def read_header(file: str | BinaryIO) -> Header:
    """The size and the kind of a picture, without decoding it."""
    with Image.open(file, formats=FORMATS) as image:
        return Header(*image.size, _is_gray(image))


def decode(
    file: str | BinaryIO,
    size: int | None = None,
    gray: bool | None = None,
    crop: int | None = None,
) -> tuple[NDArray[np.uint8], int]:
    """Read a picture as :func:`read_image` does, and tell its longest side.

    Args:
        crop: The side of the square that is cut from the centre before anything is resized.
    """
    with Image.open(file, formats=FORMATS) as image:
        longest = max(image.size)
        if size is not None and crop is None:
            image.draft(None, (int(GAP * size),) * 2)
        gray = _is_gray(image) if gray is None else gray
        ImageOps.exif_transpose(image, in_place=True)
        return pixels(fit(_plain(image), size, crop), gray), longest


def fit(image: Image.Image, size: int | None, crop: int | None = None) -> Image.Image:
    """The centre of a picture: the square of side ``crop``, then the largest square at ``size``."""
    if crop is not None:
        width, height = image.size
        crop = min(crop, width, height)
        left, top = (width - crop) // 2, (height - crop) // 2
        image = image.crop((left, top, left + crop, top + crop))
    if size is None or image.size == (size, size):
        return image
    width, height = image.size
    side = min(width, height)
    x, y = (width - side) / 2, (height - side) / 2
    box = (x, y, x + side, y + side)
    return image.resize((size, size), Image.Resampling.LANCZOS, box=box, reducing_gap=GAP)


def pixels(image: Image.Image, gray: bool) -> NDArray[np.uint8]:
    """The values of a picture, (1, H, W) or (3, H, W)."""
    values = np.asarray(image.convert("L" if gray else "RGB"))
    return values[None] if gray else np.ascontiguousarray(values.transpose(2, 0, 1))


def reason(error: Exception) -> str:
    """Why a picture cannot be read, in one line."""
    if isinstance(error, UnidentifiedImageError):
        return "not a picture of a known format"
    if isinstance(error, Image.DecompressionBombError):
        return (
            f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels; is it a decompression bomb?"
        )
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__


def _is_gray(image: Image.Image) -> bool:
    if image.mode == "P":
        colours = np.array(image.getpalette() or [0, 0, 0]).reshape(-1, 3)
        return bool((colours == colours[:, :1]).all())
    return image.mode in ("1", "L", "LA") or image.mode.startswith("I")


def _plain(image: Image.Image) -> Image.Image:
    """The picture as L or RGB."""
    if image.mode == "F":
        raise ValueError("floating-point pixels have no known range")
    if image.mode.startswith("I"):
        return _from_16_bits(image)
    if image.mode in ("LA", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image if image.mode == "L" else image.convert("L" if image.mode == "1" else "RGB")


def _from_16_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("pixels of more than 16 bits have no known range")
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))
