r"""Densities with known probabilities of cells, and the cells.

Each is an equal mixture of Gaussians of one standard deviation s about M centres,

.. math:: P_x = \frac1M \sum_m \mathcal{N}(c_m, s^2 I)

with the centres on three points, on two half circles, or on two circles.
"""

__all__ = ["BINS", "DENSITIES", "SIDE", "Density", "centres", "gaussian", "probabilities", "tally"]

import math
from dataclasses import dataclass

import torch
from torch import Tensor

SIDE = 3.0
"""All points are in the box [-SIDE, SIDE]^D."""
BINS = {1: 120, 2: 24}
"""The number of cells along each axis, by the number of axes."""


@dataclass(frozen=True)
class Density:
    """An equal mixture of isotropic Gaussians.

    Args:
        centres: (M, D).
        spread: The standard deviation s.
    """

    centres: Tensor
    spread: float

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw n points, (n, D)."""
        which = torch.randint(len(self.centres), (n,), generator=generator)
        blur = torch.randn(n, self.centres.shape[1], generator=generator)
        return self.centres[which] + self.spread * blur


def gaussian(dimensions: int, spread: float) -> Density:
    """The Gaussian about 0."""
    return Density(torch.zeros(1, dimensions), spread)


def _arc(n: int, turn: float, radius: float, middle: tuple[float, float], start: float) -> Tensor:
    """Place n points at equal distances on an arc of the given angle, (n, 2)."""
    t = start + turn * (torch.arange(n) + 0.5) / n
    return torch.tensor(middle) + radius * torch.stack([t.cos(), t.sin()], 1)


def _moons() -> Tensor:
    upper = _arc(200, math.pi, 1.4, (-0.7, -0.35), 0.0)
    return torch.cat([upper, -upper])


def _rings() -> Tensor:
    small, large = (_arc(n, 2 * math.pi, r, (0.0, 0.0), 0.0) for n, r in ((120, 0.9), (280, 2.1)))
    return torch.cat([small, large])


DENSITIES = {
    "three Gaussians": Density(torch.tensor([[-1.8], [0.0], [1.8]]), 0.2),
    "two moons": Density(_moons(), 0.15),
    "two rings": Density(_rings(), 0.15),
}


def centres(dimensions: int) -> Tensor:
    """The centre of each cell, (cells, D)."""
    bins = BINS[dimensions]
    axis = (torch.arange(bins) + 0.5) * (2 * SIDE / bins) - SIDE
    return torch.cartesian_prod(*[axis] * dimensions).view(-1, dimensions)


def probabilities(density: Density) -> Tensor:
    """The probability of each cell, (cells,), up to rounding."""
    edges = torch.linspace(-SIDE, SIDE, BINS[density.centres.shape[1]] + 1)
    z = (edges - density.centres[..., None]) / density.spread
    mass = torch.special.ndtr(z.double()).diff()
    joined = mass[:, 0]
    for d in range(1, mass.shape[1]):
        joined = (joined[:, :, None] * mass[:, d, None]).flatten(1)
    return joined.mean(0).float()


def tally(points: Tensor) -> Tensor:
    """The share of points in each cell, (N, D) to (cells,)."""
    bins = BINS[points.shape[1]]
    inside = (points.abs() < SIDE).all(1)
    place = ((points[inside] + SIDE) * (bins / (2 * SIDE))).long().clamp(max=bins - 1)
    index = torch.zeros(len(place), dtype=torch.long)
    for axis in place.unbind(1):
        index = index * bins + axis
    return torch.bincount(index, minlength=bins ** points.shape[1]) / len(points)
