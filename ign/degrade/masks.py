"""Degradations that remove a part of the image."""

__all__ = ["BrushMask", "HalfMask", "Mask", "RectangleMask"]

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ign.core import random
from ign.degrade.base import Degradation, check_bounds, noise

SIDES = ("left", "right", "top", "bottom")


@dataclass(frozen=True)
class Mask(Degradation):
    r"""Base class of degradations that fill a hole with standard normal noise or with one value.

    .. math:: y = (1 - m) \, x + m \, n

    A subclass is a frozen dataclass that overrides :meth:`holes`.

    Args:
        fill: The value in the hole, or None for noise.
    """

    fill: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        check_bounds(self, "fill", -1e6, 1e6)

    def degrade(self, images: Tensor, key: Tensor) -> Tensor:
        filling = noise(images, key) if self.fill is None else torch.full_like(images, self.fill)
        return torch.where(self.holes(images.shape[-2:], key), filling, images)

    @abstractmethod
    def holes(self, sides: Sequence[int], key: Tensor) -> Tensor:
        """Draw the mask m, which is True in the hole.

        Args:
            sides: The height H and the width W.
            key: A key of :mod:`ign.core.random` for each image, (B,).

        Returns:
            The mask, (B, 1, H, W) bool.
        """


@dataclass(frozen=True)
class HalfMask(Mask):
    """Removes half of the image; if the side is odd, the larger half.

    Args:
        side: The half to remove: ``left``, ``right``, ``top`` or ``bottom``.
    """

    name = "half"
    side: str = "right"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.side not in SIDES:
            raise ValueError(f"half: side {self.side!r} is unknown; choose {', '.join(SIDES)}")

    def holes(self, sides: Sequence[int], key: Tensor) -> Tensor:
        height, width = sides
        hole = torch.zeros(len(key), 1, height, width, dtype=torch.bool, device=key.device)
        if self.side in ("left", "right"):
            hole[..., width // 2 :] = True
        else:
            hole[..., height // 2 :, :] = True
        mirrored = {"left": -1, "top": -2}.get(self.side)
        return hole if mirrored is None else hole.flip(mirrored)


@dataclass(frozen=True)
class RectangleMask(Mask):
    """Removes a rectangle with the image's aspect ratio at a random position.

    Args:
        share: The fraction of the image's area, above 0 and at most 1.
    """

    name = "rectangle"
    share: float = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, "share", 1e-6, 1)

    def holes(self, sides: Sequence[int], key: Tensor) -> Tensor:
        u = random.uniform(random.derive(key, "place"), (2,))
        inside = []
        for position, side in zip(u.T, sides, strict=True):
            length = max(1, round(side * self.share**0.5))
            first = (position * (side - length + 1)).long()[:, None]
            pixel = torch.arange(side, device=key.device)
            inside.append((pixel >= first) & (pixel < first + length))
        return (inside[0][:, :, None] & inside[1][:, None, :])[:, None]


@dataclass(frozen=True)
class BrushMask(Mask):
    """Removes brush strokes. Each stroke connects four random points.

    Args:
        strokes: The number of strokes.
        width: The width of the brush, as a fraction of the shorter side.
    """

    name = "brush"
    strokes: int = 2
    width: float = 0.15

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, "strokes", 1, 1000)
        check_bounds(self, "width", 1e-6, 2)

    def holes(self, sides: Sequence[int], key: Tensor) -> Tensor:
        points = random.uniform(random.derive(key, "place"), (self.strokes, 4, 2))
        scale = torch.tensor(list(sides), device=key.device) - 1
        a, b = (points * scale).unfold(2, 2, 1).flatten(1, 2).unbind(-1)
        rows, columns = (torch.arange(n, device=key.device, dtype=a.dtype) for n in sides)
        pixels = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1).flatten(0, 1)
        reach = max(self.width * min(sides) / 2, 0.5)
        covered = _distance(pixels, a, b).min(1).values <= reach
        return covered.view(len(key), 1, *sides)


def _distance(pixels: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Compute the distances from P pixels to S segments from a to b, (B, S, P)."""
    segment, offset = (b - a)[:, :, None], pixels - a[:, :, None]
    squared_length = segment.square().sum(-1).clamp(min=1e-12)
    t = ((offset * segment).sum(-1) / squared_length).clamp(0, 1)
    return (offset - t[..., None] * segment).norm(dim=-1)
