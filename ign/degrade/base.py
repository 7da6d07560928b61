"""What a degradation is, and several in a row."""

__all__ = ["FREE", "IMAGE", "Compose", "Degradation", "noise", "within"]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from ign.core import random

FREE = (-math.inf, math.inf)
IMAGE = (-1.0, 1.0)


@dataclass(frozen=True)
class Degradation:
    """A way to spoil images; a subclass overrides :meth:`degrade` and is a frozen dataclass.

    ``bounds`` is where the values of an image in [-1, 1] lie afterwards.
    """

    name: ClassVar[str]
    bounds: ClassVar[tuple[float, float]] = FREE

    def __call__(self, images: Tensor, seed: int = 0, start: int = 0) -> Tensor:
        """Spoil images.

        Args:
            images: (B, C, H, W) in [-1, 1].
            seed: The seed.
            start: The number of the first image; the others follow.

        Returns:
            (B, C, H, W); what is drawn for image i is a function of (seed, i).

        Raises:
            ValueError: Images of another shape or not floating point.
        """
        return self.degrade(_checked(images), _keys(images, seed, start, 0))

    def degrade(self, images: Tensor, key: Tensor) -> Tensor:
        """Spoil images with the random numbers of these keys, one for each."""
        raise NotImplementedError


@dataclass(frozen=True)
class Compose(Degradation):
    """Degradations one after another, each with random numbers of its own."""

    steps: tuple[Degradation, ...]

    def __init__(self, steps: Sequence[Degradation]):
        object.__setattr__(self, "steps", tuple(steps))

    @property
    def bounds(self) -> tuple[float, float]:  # type: ignore[override]
        """Those of the steps where all of them stay in [-1, 1]."""
        return IMAGE if all(step.bounds == IMAGE for step in self.steps) else FREE

    def __call__(self, images: Tensor, seed: int = 0, start: int = 0) -> Tensor:
        images = _checked(images)
        for place, step in enumerate(self.steps):
            images = step.degrade(images, _keys(images, seed, start, place))
        return images


def _checked(images: Tensor) -> Tensor:
    if images.ndim != 4 or not images.numel() or not images.is_floating_point():
        raise ValueError(
            f"images are {images.dtype} {tuple(images.shape)}; give floating point (B, C, H, W)"
        )
    return images


def _keys(images: Tensor, seed: int, start: int, place: int) -> Tensor:
    index = torch.arange(start, start + len(images), device=images.device)
    return random.keys(seed, "degrade", place, index)


def noise(images: Tensor, key: Tensor) -> Tensor:
    """Standard normal noise of the images' shape and type."""
    return random.normal(key, images.shape[1:]).to(images.dtype)


def within(one: Any, field: str, least: float, most: float) -> None:
    """Refuse a number outside of the bounds; None is let through.

    Raises:
        ValueError: It lies outside.
    """
    value = getattr(one, field)
    if value is not None and not least <= value <= most:
        bound = f"at least {least:g}" if value < least or most == math.inf else f"at most {most:g}"
        raise ValueError(f"{one.name}: {field} {value} must be {bound}")
