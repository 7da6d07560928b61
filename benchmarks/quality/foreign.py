"""Images in the format of MNIST that are not digits: letters, shapes, textures, white noise.

Letters and shapes are normalized like the digits of MNIST: the strokes have one width, the longer
side is 18 to 20 pixels, and the centre of mass is in the centre of 28x28 pixels. Each image is a
function of the kind, the seed and its number.
"""

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from torch import Tensor

from ign import data

Mask = NDArray[np.bool_]
Random = np.random.Generator
SIDE, FINE, LETTER = 28, 160, 72
LETTERS = "ACEFHKMNPRUVWXcdefkmnpuvwx"
"""Letters that do not look like digits; B D G I J L O Q S T Y Z and a b g h i j l o q r s t y z
are left out."""

FONTS = [
    "DejaVuSans", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif-Italic",
    "STIXGeneralItalic", "cmmi10", "cmss10", "cmti10",
]  # fmt: skip
"""Font files of matplotlib."""


def letter(rng: Random) -> NDArray[np.uint8]:
    """Draw a letter: the skeleton of a printed letter, bent and slanted, with a round pen."""
    from skimage.morphology import skeletonize

    printed = Image.new("L", (FINE, FINE))
    font, sign = _font(str(rng.choice(FONTS))), str(rng.choice(list(LETTERS)))
    ImageDraw.Draw(printed).text((FINE / 2, FINE / 2), sign, fill=255, font=font, anchor="mm")
    line = skeletonize(_bent(np.asarray(printed) > 127, _slanted(rng, 0.15), rng))
    return _centred(_drawn(line, rng), rng)


def shape(rng: Random) -> NDArray[np.uint8]:
    """Draw a triangle, square, cross, star or heart, filled or as an outline."""
    names = list(_outlines())
    points = _outlines()[names[rng.integers(len(names))]] @ _slanted(rng, 0.5).T
    corners = [(x, y) for x, y in FINE / 2 + points * LETTER / 2]
    filled = bool(rng.integers(2))
    plain = Image.new("1", (FINE, FINE))
    ImageDraw.Draw(plain).polygon(corners, fill=filled, outline=1)
    mask = np.asarray(plain)
    return _centred(mask if filled else _drawn(mask, rng), rng)


def texture(rng: Random) -> NDArray[np.uint8]:
    """Draw stripes, a chequerboard, smooth noise or dots over the whole image."""
    angle, period = rng.uniform(0, math.pi), rng.uniform(3, 10)
    at = np.indices((SIDE, SIDE)) + rng.uniform(0, period, (2, 1, 1))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    u, v = np.sin(2 * math.pi / period * np.tensordot(turn, at, 1))
    sharp = rng.uniform(1, 5)
    kind = rng.integers(4)
    if kind == 2:
        smooth = ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), rng.uniform(1, 3))
        waves = smooth / smooth.std() / 2
    else:
        waves = sharp * (u, u * v, u + v - 1)[(0, 1, None, 2)[kind]]
    return _levels(waves / 2 + 0.5)


def white_noise(rng: Random) -> NDArray[np.uint8]:
    """Draw independent standard normal numbers, clamped to [-1, 1]."""
    return _levels(rng.normal(size=(SIDE, SIDE)) / 2 + 0.5)


KINDS: dict[str, Callable[[Random], NDArray[np.uint8]]] = {
    "letters": letter, "shapes": shape, "textures": texture, "white noise": white_noise,
}  # fmt: skip


def images(kind: str, n: int, seed: int = 0) -> Tensor:
    """Return the first n images of a kind, (n, 1, 28, 28) in [-1, 1]."""
    place = list(KINDS).index(kind)
    made = [KINDS[kind](np.random.default_rng([seed, place, i])) for i in range(n)]
    return data.to_float(torch.from_numpy(np.stack(made))[:, None])


@cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    file = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf")
    return ImageFont.truetype(str(file), LETTER)


@cache
def _outlines() -> dict[str, NDArray[np.float64]]:
    """Return the corners of each shape, (N, 2), about as large as the unit circle, y downward."""

    def around(n: int, radii: tuple[float, ...]) -> NDArray[np.float64]:
        angles = 2 * math.pi * np.arange(n) / n - math.pi / 2
        radius = np.resize(radii, n)
        return np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1)

    arm = [(-0.3, -1), (0.3, -1), (0.3, -0.3)]
    turns = [np.linalg.matrix_power(np.array([[0, 1], [-1, 0]]), k) for k in range(4)]
    t = np.linspace(0, 2 * math.pi, 60, endpoint=False)
    up = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return {
        "triangle": around(3, (1.0,)),
        "square": np.array([(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)]),
        "cross": np.concatenate([np.array(arm) @ turn for turn in turns]),
        "star": around(10, (1.0, 0.4)),
        "heart": np.stack([16 * np.sin(t) ** 3, -up], 1) / 16,
    }


def _slanted(rng: Random, turn: float) -> NDArray[np.float64]:
    """Draw a linear map of (x, y): rotation by at most ``turn`` radians, slant and width."""
    angle, slant, wide = rng.uniform(-turn, turn), rng.uniform(-0.5, 0.2), rng.uniform(0.75, 1.15)
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s], [s, c]]) @ np.array([[wide, slant], [0, 1]])


def _bent(mask: Mask, linear: NDArray[np.float64], rng: Random) -> Mask:
    """Map the mask by a linear map about the centre and a smooth random displacement."""
    xy = np.indices((FINE, FINE))[::-1] - FINE / 2
    bend = ndimage.gaussian_filter(rng.normal(size=(2, FINE, FINE)), (0, 12, 12))
    xy = xy + bend * rng.uniform(0, 5) / bend.std()
    source = np.tensordot(np.linalg.inv(linear), xy, 1)[::-1] + FINE / 2
    return ndimage.map_coordinates(mask.astype(np.float32), source, order=1) > 0.5


def _drawn(line: Mask, rng: Random) -> Mask:
    """Draw a line with a pen of 1.4 to 3.4 pixels of the finished image."""
    pen = rng.uniform(1.4, 3.4)
    longer = max(np.ptp(places) for places in np.nonzero(line))
    return ndimage.distance_transform_edt(~line) <= longer * pen / (20 - pen) / 2


def _centred(mask: Mask, rng: Random) -> NDArray[np.uint8]:
    """Resize the mask so that its longer side is 18 to 20 pixels, and centre its mass."""
    whole = Image.fromarray(mask.astype(np.uint8) * 255)
    cut = whole.crop(whole.getbbox())
    scale = rng.uniform(18, 20) / max(cut.size)
    width, height = (max(1, round(scale * side)) for side in cut.size)
    small = np.asarray(cut.resize((width, height), Image.Resampling.BICUBIC))
    middle = ndimage.center_of_mass(small)
    top, left = (
        min(max(round(SIDE / 2 - 0.5 - m), 0), SIDE - side)
        for m, side in zip(middle, small.shape, strict=True)
    )
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + height, left : left + width] = small
    return image


def _levels(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Convert values to bytes; values outside [0, 1] are clamped."""
    return (values.clip(0, 1) * 255).round().astype(np.uint8)
