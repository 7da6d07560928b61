"""Pixels of more than 8 bits, and the range of values that becomes black to white."""

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
"""How many rows are converted at once."""

PHOTOMETRIC, BITS = 262, 258
"""Tags of a TIFF file."""


class Percentiles(NamedTuple):
    """The share of all pixels, in per cent, that is at most black and at most white."""

    low: float
    high: float


DEFAULT = Percentiles(0.1, 99.9)


def parse_range(text: str | Range | None) -> Range | Percentiles | None:
    """Read a range of values: ``0:4095`` for values, ``1%:99%`` for percentiles of all pixels.

    Raises:
        DataError: The text is neither, or its first number is not below its second.
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
    """Whether a picture is gray with more than 8 bits for each pixel."""
    return image.mode == "F" or image.mode.startswith("I")


def raw_values(image: Image.Image, turned: Image.Image | None = None) -> NDArray[np.generic]:
    """The values of a deep picture, (H, W), larger ones being brighter.

    Args:
        image: The picture as it was opened, with its tags.
        turned: The same picture turned upright; None where nothing was turned.

    Raises:
        ValueError: A value is NaN or infinite.
    """
    values = np.asarray(image if turned is None else turned)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError("it holds pixels that are NaN or infinite")
    tags = getattr(image, "tag_v2", {})
    if tags.get(PHOTOMETRIC) != 0:
        return values
    if values.dtype.kind == "u":
        return (2 ** int(tags.get(BITS, (16,))[0]) - 1 - values.astype(np.int32)).clip(0)
    return -values


def find_range(values: NDArray[np.generic], wish: Percentiles | None = None) -> Range:
    """Find the range of values that becomes black to white.

    Where no percentiles are given it is all that the type can hold, 0 to 65535 for integers and 0
    to 1 for floating point, if the pixels lie in that range and use over half of it. Otherwise it
    lies between the percentiles, by default 0.1 and 99.9, so that a few hot pixels do not count.

    Args:
        values: Some pixels of all images, any shape.
        wish: The percentiles.

    Raises:
        ValueError: All pixels have one value, beyond the range of the type.
    """
    low, high = (float(v) for v in np.percentile(values.astype(np.float64), wish or DEFAULT))
    if low == high:
        low, high = float(values.min()), float(values.max())
    whole = 1.0 if values.dtype.kind == "f" else 65535.0
    inside = low >= 0 and values.max() <= whole
    if wish is None and inside and (high - low > whole / 2 or low == high):
        return 0.0, whole
    if low == high:
        raise ValueError(f"all pixels have the value {low:g}, of no known range; give a range")
    return low, high


def to_levels(values: NDArray[np.generic], bounds: Range) -> NDArray[np.uint8]:
    r"""Turn values into the nearest of 256 levels; what lies outside of the bounds is clipped.

    .. math:: \mathrm{round} \left( 255 \, \frac{v - low}{high - low} \right)
    """
    low, high = bounds
    levels = np.empty(values.shape, np.uint8)
    for row in range(0, len(values), ROWS):
        part = values[row : row + ROWS].astype(np.float64)
        scaled = (part - low) * (255 / (high - low))
        levels[row : row + ROWS] = np.floor(scaled + 0.5).clip(0, 255)
    return levels
