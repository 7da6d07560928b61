"""The base class of degradations, and their composition."""

__all__ = ["BOUNDED", "UNBOUNDED", "Compose", "Degradation", "check_bounds", "noise"]

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from ign.core import random
from ign.data import check_range

UNBOUNDED = (-math.inf, math.inf)
BOUNDED = (-1.0, 1.0)


@dataclass(frozen=True)
class Degradation(ABC):
    """Base class of degradations. A subclass is a frozen dataclass that overrides :meth:`degrade`.

    ``bounds`` are the minimum and maximum values that a degraded image in [-1, 1] can have.
    """

    name: ClassVar[str]
    bounds: ClassVar[tuple[float, float]] = UNBOUNDED

    def __call__(self, images: Tensor, seed: int = 0, start: int = 0) -> Tensor:
        """Degrade images.

        Args:
            images: (B, C, H, W) in [-1, 1].
            seed: The seed.
            start: The index of the first image.

        Returns:
            The degraded images, (B, C, H, W). The random numbers of image i are a function of
            (seed, i).

        Raises:
            ValueError: The images have another shape, are not floating point, contain NaN or
                infinity, or have another scale, such as 0 to 255.
        """
        return self.degrade(_checked(images), _keys(images, seed, start, 0))

    @abstractmethod
    def degrade(self, images: Tensor, key: Tensor) -> Tensor:
        """Degrade each image with its own random numbers.

        Args:
            images: (B, C, H, W) in [-1, 1].
            key: A key of :mod:`ign.core.random` for each image, (B,).

        Returns:
            The degraded images, (B, C, H, W).
        """


@dataclass(frozen=True)
class Compose(Degradation):
    """Applies several degradations in order, each with its own random numbers.

    Args:
        steps: The degradations. A nested :class:`Compose` is replaced by its steps.
    """

    steps: tuple[Degradation, ...]

    def __init__(self, steps: Sequence[Degradation]):
        parts = [step.steps if isinstance(step, Compose) else (step,) for step in steps]
        object.__setattr__(self, "steps", tuple(step for part in parts for step in part))

    @property
    def bounds(self) -> tuple[float, float]:  # type: ignore[override]
        """The bounds [-1, 1] if every step has them, and no bounds otherwise."""
        return BOUNDED if all(step.bounds == BOUNDED for step in self.steps) else UNBOUNDED

    def __call__(self, images: Tensor, seed: int = 0, start: int = 0) -> Tensor:
        images = _checked(images)
        for number, step in enumerate(self.steps):
            images = step.degrade(images, _keys(images, seed, start, number))
        return images

    def degrade(self, images: Tensor, key: Tensor) -> Tensor:
        for number, step in enumerate(self.steps):
            images = step.degrade(images, random.derive(key, f"step {number}"))
        return images


def _checked(images: Tensor) -> Tensor:
    if images.ndim != 4 or not images.numel() or not images.is_floating_point():
        raise ValueError(
            f"images are {images.dtype} {tuple(images.shape)}; give floating point (B, C, H, W)"
        )
    return check_range(images)


def _keys(images: Tensor, seed: int, start: int, step: int) -> Tensor:
    index = torch.arange(start, start + len(images), device=images.device)
    return random.keys(seed, "degrade", step, index)


def noise(images: Tensor, key: Tensor) -> Tensor:
    """Draw standard normal noise with the shape and type of the images."""
    return random.normal(key, images.shape[1:]).to(images.dtype)


def check_bounds(degradation: Any, field: str, least: float, most: float) -> None:
    """Check that the number in a field is within bounds; None is allowed.

    Raises:
        ValueError: The number is outside the bounds.
    """
    value = getattr(degradation, field)
    if value is not None and not least <= value <= most:
        bound = f"at most {most:g}" if value > most else f"at least {least:g}"
        raise ValueError(f"{degradation.name}: {field} {str(value)[:40]} must be {bound}")
