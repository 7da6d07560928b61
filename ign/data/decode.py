"""Decode one image of any common format to uint8 pixels.

Transparent pixels are blended with a background, values of more than 8 bits are scaled to 8 bits,
and the EXIF orientation is applied. Only the first frame of an animation is read, and colour
profiles are ignored.
"""

__all__ = [
    "Decoded", "Header", "decode", "fit", "pixels", "quiet", "read_header", "read_image", "reason",
    "sample",
]  # fmt: skip

import logging
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ign.core.text import printable
from ign.data.budget import Budget
from ign.data.errors import DataError
from ign.data.formats import available, orientation, read_repaired, unsupported
from ign.data.geometry import GAP, fit, fit_opaque, opaque, pixels
from ign.data.levels import (
    Percentiles,
    Range,
    find_range,
    is_deep,
    parse_range,
    raw_values,
    to_levels,
)  # fmt: skip

PIXEL_BYTES = 8
"""The approximate number of bytes that decoding takes for each pixel."""

MEMORY = Budget(2**30)
"""The memory for the images that all threads decode at once; a single image may exceed it."""

DARK = 32
"""A colour image of 16 bits per channel is dark if all of its 8-bit levels are below this."""

logger = logging.getLogger("ign.data")


class Header(NamedTuple):
    """The size and the pixel format of an image, read from its header.

    Attributes:
        width: The width in pixels.
        height: The height in pixels.
        gray: Whether the image is grayscale.
        deep: Whether the image is grayscale with more than 8 bits per pixel.
        cut: Whether only the upper 8 bits of more bits per channel are read.
    """

    width: int
    height: int
    gray: bool
    deep: bool = False
    cut: bool = False


class Decoded(NamedTuple):
    """A decoded image, and the properties of the file that it was read from.

    Attributes:
        pixels: The pixels, (C, H, W) uint8.
        header: The header of the file, with its size before any resizing.
        range: The values that became black and white; None if the file has 8 bits.
        dark: Whether the file has 16 bits per channel and uses only the lowest of them.
    """

    pixels: NDArray[np.uint8]
    header: Header
    range: Range | None
    dark: bool


def read_image(
    file: str | os.PathLike[str] | BinaryIO,
    size: int | None = None,
    gray: bool | None = None,
    value_range: str | Range | None = None,
    background: int = 255,
) -> NDArray[np.uint8]:
    """Read an image from a path or an open file.

    Args:
        file: A PNG, JPEG, WebP, BMP, GIF, TIFF, PNM, AVIF or JPEG 2000 file. The format is
            detected from the content.
        size: The side of the result. The shorter side is resized to it with a Lanczos filter, and
            the centre is cropped. If None, the image is not resized.
        gray: Whether the result has one channel rather than three. If None, the image decides.
        value_range: The values that become black and white in a grayscale image of more than
            8 bits: ``0:4095``, percentiles ``1%:99%``, or two numbers. If None, they are estimated
            from the image, and logged unless they are the full range of its type.
        background: The level of transparent pixels, 0 to 255.

    Shape:
        (C, H, W), where C is 1 or 3.

    Raises:
        DataError: The file does not exist, or cannot be read as an image.
    """
    file = os.fspath(file) if isinstance(file, os.PathLike) else file
    name = file if isinstance(file, str | bytes) else str(getattr(file, "name", "(open file)"))
    wish = parse_range(value_range)
    try:
        if isinstance(file, str) and not stat.S_ISREG(os.stat(file).st_mode):
            what = "a directory" if os.path.isdir(file) else "a pipe, a socket or a device"
            raise ValueError(f"it is {what}, not a file")
        with quiet():
            decoded = decode(file, size, gray, value_range=wish, background=background)
    except Exception as error:
        raise DataError(f"image '{printable(name)}' cannot be read: {reason(error)}") from None
    if decoded.range not in (None, (0, 1), (0, 65535), wish):
        low, high = decoded.range or wish
        logger.warning("image '%s': black is the value %g, white %g", printable(name), low, high)
    return decoded.pixels


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress Pillow's warnings about large images and unusual metadata in all threads."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        yield


@contextmanager
def open_picture(file: str | BinaryIO) -> Iterator[Image.Image]:
    """Open an image without decoding its pixels.

    Raises:
        ValueError: The format is not supported; the message names it.
        UnidentifiedImageError: The file is not an image.
    """
    try:
        image = Image.open(file, formats=available())
    except UnidentifiedImageError:
        raise unsupported(file) from None
    with image:
        yield image


def read_header(file: str | BinaryIO) -> Header:
    """Read the size and the pixel format of an image without decoding it."""

    def read(file: str | BinaryIO) -> Header:
        with open_picture(file) as image:
            return _header(image)

    return read_repaired(read, file)


def sample(file: str | BinaryIO, most: int = 2**16) -> NDArray[np.generic]:
    """Read evenly spaced pixel values of an image of more than 8 bits, (n,)."""
    with open_picture(file) as image, MEMORY.use(_cost(image)):
        return _thinned(raw_values(image), most)


def decode(
    file: str | BinaryIO,
    size: int | None = None,
    gray: bool | None = None,
    crop: int | None = None,
    value_range: Range | Percentiles | None = None,
    background: int = 255,
) -> Decoded:
    """Read an image as :func:`read_image` does, and return its properties with it.

    Args:
        crop: The side of the square that is cropped from the centre before resizing.
    """

    def read(file: str | BinaryIO) -> Decoded:
        with open_picture(file) as image:
            header = _header(image)
            if size is not None and crop is None:
                image.draft(None, (int(GAP * size),) * 2)
            with MEMORY.use(_cost(image)):
                bounds, upright = None, _upright(image)
                if header.deep:
                    plain, bounds = _from_deep(image, upright, value_range, background)
                else:
                    plain = opaque(upright, background)
                levels = pixels(
                    fit_opaque(plain, size, crop), header.gray if gray is None else gray
                )
        return Decoded(levels, header, bounds, header.cut and int(levels.max()) < DARK)

    return read_repaired(read, file)


def reason(error: Exception) -> str:
    """Return one line that explains why an image cannot be read."""
    if isinstance(error, UnidentifiedImageError):
        return "not an image of a known format"
    if isinstance(error, Image.DecompressionBombError):
        return (
            f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels; is it a decompression bomb?"
        )
    if isinstance(error, MemoryError):
        return "not enough memory to decode it"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return printable(" ".join(str(error).split()), 200) or type(error).__name__


def _header(image: Image.Image) -> Header:
    deep = is_deep(image)
    return Header(*image.size, _is_gray(image), deep, not deep and _many_bits(image))


def _cost(image: Image.Image) -> int:
    return image.width * image.height * PIXEL_BYTES


def _many_bits(image: Image.Image) -> bool:
    """Return whether Pillow keeps only the upper 8 of more bits per channel."""
    stored, *others = _stored(image)
    levels = others[0] if others and image.format == "PPM" else 0
    return "16" in str(stored) or (isinstance(levels, int) and levels > 255)


def _stored(image: Image.Image) -> tuple[Any, ...]:
    """Return Pillow's name for the pixel format of the file, and details; before it is decoded."""
    tiles = getattr(image, "tile", None)
    details = tiles[0][3] if tiles else ""
    return details if isinstance(details, tuple) and details else (details,)


def _is_gray(image: Image.Image) -> bool:
    if image.mode == "P":
        colours = np.array(image.getpalette() or [0, 0, 0]).reshape(-1, 3)
        return bool((colours == colours[:, :1]).all())
    with_alpha = image.mode == "RGBA" and str(_stored(image)[0]).startswith("LA")
    return image.mode in ("1", "L", "LA") or is_deep(image) or with_alpha


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    turn = orientation(image)
    return image if turn is None else image.transpose(turn)


def _from_deep(
    image: Image.Image,
    upright: Image.Image,
    wish: Range | Percentiles | None,
    background: int,
) -> tuple[Image.Image, Range]:
    """Convert an image of more than 8 bits to L, and return the values of black and white."""
    values = raw_values(image, upright)
    if wish is None or isinstance(wish, Percentiles):
        wish = find_range(_thinned(values, 2**20), wish)
    levels = to_levels(values, wish)
    if isinstance(hidden := image.info.get("transparency"), int):
        levels[np.asarray(upright) == hidden] = background
    return Image.fromarray(levels), wish


def _thinned(values: NDArray[np.generic], most: int) -> NDArray[np.generic]:
    flat = values.ravel()
    return flat[:: max(1, -(-flat.size // most))]
