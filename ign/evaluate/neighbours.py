r"""Sets of features as manifolds: unions of balls that reach to the k-th neighbour."""

__all__ = ["Manifold", "manifold", "nearest"]

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ign.data import to_float
from ign.evaluate.frechet import features64

ROWS = 1000
"""How many rows of a table of distances are held at a time."""
ROUNDING = 1e-12
"""Squared distances below this share of the squared norms are those of equal points."""
SLACK = 1 + 1e-9
"""By this factor balls are larger, so that rounding does not put the k-th neighbour outside."""


class Manifold(NamedTuple):
    """How a set lies on another, by :func:`manifold`."""

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(real: Tensor, samples: Tensor, k: int = 5) -> Manifold:
    r"""Do samples look real, and is what is real among the samples?

    The ball of a point is closed and reaches to its k-th neighbour in its own set.

    - precision: the share of samples in the balls of real points; outliers lower it;
    - recall: the share of real points in the balls of samples; what is never drawn lowers it;
    - density: in how many balls of real points a sample lies on average, over k; unlike precision
      it does not count the ball of a real outlier like any other; it can exceed 1;
    - coverage: the share of real points whose ball holds a sample.

    Memory is that of 1,000 rows of the table of distances. The numbers depend on the size of
    either set and on k: compare equal ones only.

    Args:
        real: Features, (N, D), N > k.
        samples: Features, (M, D), M > k.
        k: Which neighbour; the papers take 3 (precision, recall) and 5 (density, coverage).

    Returns:
        For equal sets 1, 1, (k + 1) / k and 1; for independent sets of one distribution
        density is 1 in expectation.

    Raises:
        ValueError: As :func:`ign.evaluate.frechet_distance`, or no k-th neighbour.

    References:
        Kynkäänniemi et al., Improved precision and recall metric for assessing generative
        models, 2019 (arXiv 1904.06991); Naeem et al., Reliable fidelity and diversity metrics for
        generative models, 2020 (arXiv 2002.09797).
    """
    if k < 1 or min(len(real), len(samples)) <= k:
        raise ValueError(f"k {k} must be at least 1 and less than {len(real)} and {len(samples)}")
    x, y = features64(real, samples)
    centre = x.mean(0)
    x, y = x - centre, y - centre
    reach_x, reach_y = _reaches(x, k), _reaches(y, k)
    inside, recalled = 0, torch.zeros(len(x), dtype=torch.bool)
    precise, covered = 0, torch.zeros(len(x), dtype=torch.bool)
    for rows, square in _squares(y, x):
        within = square <= reach_x
        inside += int(within.sum())
        precise += int(within.any(1).sum())
        covered |= within.any(0)
        recalled |= (square <= reach_y[rows, None]).any(0)
    return Manifold(precise / len(y), _share(recalled), inside / (k * len(y)), _share(covered))


def _share(x: Tensor) -> float:
    return x.double().mean().item()


def _reaches(x: Tensor, k: int) -> Tensor:
    """The squared distance of each point from its k-th neighbour, (N,)."""
    last = [square.topk(k + 1, largest=False).values[:, -1] for _, square in _squares(x, x)]
    return torch.cat(last) * SLACK


def _squares(a: Tensor, b: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Squared distances from some of a at a time to all of b; exactly 0 for equal points."""
    norms = b.square().sum(1)
    for start in range(0, len(a), ROWS):
        part = a[start : start + ROWS]
        scale = part.square().sum(1)[:, None] + norms
        square = torch.addmm(scale, part, b.T, alpha=-2)
        yield slice(start, start + len(part)), square.masked_fill_(square < ROUNDING * scale, 0)


def nearest(images: Tensor, among: Tensor) -> tuple[Tensor, Tensor]:
    r"""The nearest of other images to each image, and how far it is.

    .. math:: \min_j \sqrt{\tfrac{1}{d} |x_i - y_j|^2}, \quad d \text{ the number of values}

    Args:
        images: (N, C, H, W) uint8.
        among: (M, C, H, W) uint8, such as the training images.

    Returns:
        The root mean square difference in units of [-1, 1], (N,), and the place j, (N,).

    Raises:
        ValueError: They are not uint8, or of two shapes.
    """
    if images.shape[1:] != among.shape[1:] or not len(images) or not len(among):
        raise ValueError(f"images of {tuple(images.shape)} and {tuple(among.shape)} do not compare")
    queries = to_float(images).flatten(1)
    least, place = torch.full((len(images),), torch.inf), torch.zeros(len(images), dtype=torch.long)
    for start in range(0, len(among), ROWS):
        block = to_float(among[start : start + ROWS]).flatten(1)
        square = torch.addmm(block.square().sum(1), queries, block.T, alpha=-2)
        value, where = square.min(1)
        closer = value < least
        least, place = torch.where(closer, value, least), torch.where(closer, start + where, place)
    difference = to_float(among[place]).flatten(1) - queries
    return difference.square().mean(1).sqrt(), place
