"""Reading one picture of any common format as uint8 pixels.

Transparent pixels are laid on a background, values of more than 8 bits are scaled to 8, the
orientation that a camera wrote is applied, the first frame stands for an animation, and colour
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
from typing import BinaryIO, NamedTuple

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
"""About how many bytes decoding takes for each pixel."""

MEMORY = Budget(2**30)
"""What all threads may decode at once; a single picture may take more."""

DARK = 32
"""Colour pictures of 16 bits for each channel whose levels are all below this are dark."""

logger = logging.getLogger("ign.data")


class Header(NamedTuple):
    """What a picture's header says about it: its size, and its pixels.

    Attributes:
        width: In pixels.
        height: In pixels.
        gray: Whether it has no colours.
        deep: Whether it is gray with more than 8 bits for each pixel.
    """

    width: int
    height: int
    gray: bool
    deep: bool = False


class Decoded(NamedTuple):
    """A picture's pixels, (C, H, W), and what they came from.

    Attributes:
        pixels: uint8.
        header: Of the file, before anything was resized.
        range: The values that became black and white; None where the file has 8 bits.
        dark: Whether it has 16 bits for each channel and uses only the lowest of them.
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
    """Read a picture from a path or an open file.

    Args:
        file: PNG, JPEG, WebP, BMP, GIF, TIFF, PNM, AVIF or JPEG 2000, recognised by its content.
        size: The side of the result: the short side is resized to it with a Lanczos filter and
            the centre is kept. None leaves the picture as large as it is.
        gray: Whether the result has one channel or three; None for what the picture has.
        value_range: For a gray picture of more than 8 bits, the values that become black and
            white: ``0:4095``, percentiles ``1%:99%``, or two numbers. None looks for them in the
            picture, and logs them unless they are all that its type can hold.
        background: The level that transparent pixels get, 0 to 255.

    Shape:
        (C, H, W), C 1 or 3.

    Raises:
        DataError: There is no such file, or it cannot be read as a picture.
    """
    file = os.fspath(file) if isinstance(file, os.PathLike) else file
    name = file if isinstance(file, str | bytes) else str(getattr(file, "name", "(open file)"))
    wish = parse_range(value_range)
    try:
        if isinstance(file, str) and not stat.S_ISREG(os.stat(file).st_mode):
            what = "a directory" if os.path.isdir(file) else "a pipe, a socket or a device"
            raise ValueError(f"it is {what}, and not a file")
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
    """Without Pillow's warnings of large pictures and odd metadata, in all threads."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        yield


@contextmanager
def open_picture(file: str | BinaryIO) -> Iterator[Image.Image]:
    """Open a picture, whose pixels are decoded later.

    Raises:
        ValueError: It is of a format that is not read, which the message names.
        UnidentifiedImageError: It is no picture.
    """
    try:
        image = Image.open(file, formats=available())
    except UnidentifiedImageError:
        raise unsupported(file) from None
    with image:
        yield image


def read_header(file: str | BinaryIO) -> Header:
    """Read the size and the kind of a picture, without decoding it."""

    def read(file: str | BinaryIO) -> Header:
        with open_picture(file) as image:
            return _header(image)

    return read_repaired(read, file)


def sample(file: str | BinaryIO, most: int = 2**16) -> NDArray[np.generic]:
    """Evenly spread values of a picture of more than 8 bits, (n,)."""
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
    """Read a picture as :func:`read_image` does, and say what it was.

    Args:
        crop: The side of the square that is cut from the centre before anything is resized.
    """

    def read(file: str | BinaryIO) -> Decoded:
        with open_picture(file) as image:
            header = _header(image)
            if size is not None and crop is None:
                image.draft(None, (int(GAP * size),) * 2)
            with MEMORY.use(_cost(image)):
                bounds, many = None, _many_bits(image)
                upright = _upright(image)
                if header.deep:
                    plain, bounds = _from_deep(image, upright, value_range, background)
                else:
                    plain = opaque(upright, background)
                levels = pixels(
                    fit_opaque(plain, size, crop), header.gray if gray is None else gray
                )
        return Decoded(levels, header, bounds, many and int(levels.max()) < DARK)

    return read_repaired(read, file)


def reason(error: Exception) -> str:
    """Why a picture cannot be read, in one line."""
    if isinstance(error, UnidentifiedImageError):
        return "not a picture of a known format"
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
    return Header(*image.size, _is_gray(image), is_deep(image))


def _cost(image: Image.Image) -> int:
    return image.width * image.height * PIXEL_BYTES


def _many_bits(image: Image.Image) -> bool:
    """Whether Pillow keeps only the upper 8 of 16 bits."""
    return not is_deep(image) and "16" in _stored(image)


def _stored(image: Image.Image) -> str:
    """How the file stores its pixels, as Pillow calls it, before they are decoded."""
    tiles = getattr(image, "tile", None)
    return str(tiles[0][3]) if tiles else ""


def _is_gray(image: Image.Image) -> bool:
    if image.mode == "P":
        colours = np.array(image.getpalette() or [0, 0, 0]).reshape(-1, 3)
        return bool((colours == colours[:, :1]).all())
    with_alpha = image.mode == "RGBA" and _stored(image).startswith("LA")
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
    """A picture of more than 8 bits as L, and the values that became black and white."""
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
