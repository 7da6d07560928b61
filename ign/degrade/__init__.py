r"""Ways to spoil an image: what a projector is asked to undo.

A degradation is a function of (image, seed, the image's number) and of nothing else: the same
image is spoilt in the same way in any batch. They are written as text too, and applied in order:
``noise:0.15,sketch``.
"""

from ign.degrade.base import Compose, Degradation
from ign.degrade.masks import BrushMask, HalfMask, Mask, RectangleMask
from ign.degrade.pixels import (
    JPEG,
    AdditiveNoise,
    Blur,
    Downsample,
    Grayscale,
    SaltAndPepper,
    Sketch,
    gaussian_blur,
)
from ign.degrade.text import DEGRADATIONS, parse

__all__ = [
    "DEGRADATIONS",
    "JPEG",
    "AdditiveNoise",
    "Blur",
    "BrushMask",
    "Compose",
    "Degradation",
    "Downsample",
    "Grayscale",
    "HalfMask",
    "Mask",
    "RectangleMask",
    "SaltAndPepper",
    "Sketch",
    "gaussian_blur",
    "parse",
]
