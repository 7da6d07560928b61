"""Degradations of images, which a projector learns to undo.

The result of a degradation depends only on the image, a seed and the index of the image, so it is
the same in any batch. :func:`parse` creates degradations from text, which are applied in order:
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
