"""Conversion of pixels of more than 8 bits to 256 levels between black and white."""

__all__ = [
    "Percentiles",
    "Range",
    "find_range",
    "is_deep",
    "parse_range",
    "raw_values",
    "to_levels",
]

import math
import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ign.data.errors import DataError

Range = tuple[float, float]
"""The values that become black and white."""

ROWS = 256
"""The number of rows that are converted at once."""

PHOTOMETRIC, BITS = 262, 258
"""Tags of a TIFF file."""


class Percentiles(NamedTuple):
    """The percentiles of all pixels that become black and white, 0 to 100."""

    low: float
    high: float


DEFAULT = Percentiles(0.1, 99.9)


def parse_range(text: str | Range | None) -> Range | Percentiles | None:
    """Parse a range: ``0:4095`` for values, or ``1%:99%`` for percentiles of all pixels.

    Raises:
        DataError: The text has another form, or its first number is not below its second.
    """
    if text is None:
        return None
    words = text.split(":") if isinstance(text, str) else [str(float(part)) for part in text]
    percent = len(words) == 2 and all(word.strip().endswith("%") for word in words)
    try:
        low, high = [float(word.strip().removesuffix("%" if percent else "")) for word in words]
    except ValueError:
        low, high = math.nan, math.nan
    if not (math.isfinite(high - low) and low < high) or (percent and not 0 <= low < high <= 100):
        shown = re.sub(r"[^\x21-\x7e]", "?", str(text))[:40]
        raise DataError(
            f"value range {shown!r}: give two numbers, the first below the second, as in 0:4095, "
            "or two percentages, as in 1%:99%"
        )
    return Percentiles(low, high) if percent else (low, high)


def is_deep(image: Image.Image) -> bool:
    """Return whether an image is grayscale with more than 8 bits per pixel."""
    return image.mode == "F" or image.mode.startswith("I")


def raw_values(image: Image.Image, turned: Image.Image | None = None) -> NDArray[np.generic]:
    """Return the values of a deep image, (H, W), where larger values are brighter.

    Args:
        image: The image as it was opened, with its tags.
        turned: The same image rotated upright; None if it was not rotated.

    Raises:
        ValueError: A value is NaN or infinite.
    """
    values = np.asarray(image if turned is None else turned)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError("it contains pixels that are NaN or infinite")
    tags = getattr(image, "tag_v2", {})
    if tags.get(PHOTOMETRIC) != 0:
        return values
    if values.dtype.kind == "u":
        return (2 ** int(tags.get(BITS, (16,))[0]) - 1 - values.astype(np.int32)).clip(0)
    return -values


def find_range(values: NDArray[np.generic], wish: Percentiles | None = None) -> Range:
    """Find the values that become black and white.

    If no percentiles are given, the range is the full range of the type, 0 to 65535 for integers
    and 0 to 1 for floating point, provided that all pixels are inside it and use over half of it.
    Otherwise the range is between the percentiles, by default 0.1 and 99.9, which ignores a few
    hot pixels.

    Args:
        values: A sample of the pixels of all images, of any shape.
        wish: The percentiles.

    Raises:
        ValueError: All pixels have the same value, and it is outside the range of the type.
    """
    low, high = (float(v) for v in np.percentile(values.astype(np.float64), wish or DEFAULT))
    if low == high:
        low, high = float(values.min()), float(values.max())
    whole = 1.0 if values.dtype.kind == "f" else 65535.0
    inside = low >= 0 and values.max() <= whole
    if wish is None and inside and (high - low > whole / 2 or low == high):
        return 0.0, whole
    if low == high:
        raise ValueError(f"all pixels have the value {low:g}, so the range is unknown; give one")
    return low, high


def to_levels(values: NDArray[np.generic], bounds: Range) -> NDArray[np.uint8]:
    r"""Convert values to the nearest of 256 levels; values outside the bounds are clipped.

    .. math:: \mathrm{round} \left( 255 \, \frac{v - low}{high - low} \right)
    """
    low, high = bounds
    levels = np.empty(values.shape, np.uint8)
    for row in range(0, len(values), ROWS):
        part = values[row : row + ROWS].astype(np.float64)
        scaled = (part - low) * (255 / (high - low))
        levels[row : row + ROWS] = np.floor(scaled + 0.5).clip(0, 255)
    return levels
