"""What a degradation is, and several in a row."""

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
    """A way to degrade images; a subclass is a frozen dataclass and overrides :meth:`degrade`.

    ``bounds`` are the least and the greatest value that an image in [-1, 1] can have afterwards.
    """

    name: ClassVar[str]
    bounds: ClassVar[tuple[float, float]] = UNBOUNDED

    def __call__(self, images: Tensor, seed: int = 0, start: int = 0) -> Tensor:
        """Degrade images.

        Args:
            images: (B, C, H, W) in [-1, 1].
            seed: The seed.
            start: The number of the first image; the others follow.

        Returns:
            (B, C, H, W); the random numbers of image i are a function of (seed, i).

        Raises:
            ValueError: Images of another shape, not floating point, NaN, infinite, or of another
                scale, such as 0 to 255.
        """
        return self.degrade(_checked(images), _keys(images, seed, start, 0))

    @abstractmethod
    def degrade(self, images: Tensor, key: Tensor) -> Tensor:
        """Degrade images with random numbers of their own.

        Args:
            images: (B, C, H, W) in [-1, 1].
            key: (B,), a key of :mod:`ign.core.random` for each image.

        Returns:
            (B, C, H, W).
        """


@dataclass(frozen=True)
class Compose(Degradation):
    """Degradations one after another, each with random numbers of its own.

    Args:
        steps: The degradations; the steps of a :class:`Compose` among them are taken one by one.
    """

    steps: tuple[Degradation, ...]

    def __init__(self, steps: Sequence[Degradation]):
        parts = [step.steps if isinstance(step, Compose) else (step,) for step in steps]
        object.__setattr__(self, "steps", tuple(step for part in parts for step in part))

    @property
    def bounds(self) -> tuple[float, float]:  # type: ignore[override]
        """[-1, 1] where every step stays in it."""
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
    """Standard normal noise of the images' shape and type."""
    return random.normal(key, images.shape[1:]).to(images.dtype)


def check_bounds(degradation: Any, field: str, least: float, most: float) -> None:
    """Refuse a field whose number lies outside of the bounds; None is allowed.

    Raises:
        ValueError: It lies outside.
    """
    value = getattr(degradation, field)
    if value is not None and not least <= value <= most:
        bound = f"at most {most:g}" if value > most else f"at least {least:g}"
        raise ValueError(f"{degradation.name}: {field} {str(value)[:40]} must be {bound}")
