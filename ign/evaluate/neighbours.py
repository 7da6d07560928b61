r"""Precision, recall, density and coverage of two sets of features, and nearest images."""

__all__ = ["Manifold", "manifold", "nearest"]

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ign.data import to_float
from ign.evaluate.frechet import features64

ROWS = 1000
"""The number of rows of a distance matrix that are kept in memory at a time."""
ROUNDING = 1e-12
"""Two points are equal if their squared distance is below this part of their squared norms."""
SLACK = 1 + 1e-9
"""Balls are larger by this factor, so that rounding does not put the k-th neighbour outside."""


class Manifold(NamedTuple):
    """The result of :func:`manifold`, each a share of points except ``density``."""

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(real: Tensor, samples: Tensor, k: int = 5) -> Manifold:
    r"""Compare the supports of real points and of samples by balls around their points.

    The ball of a point is closed, and its radius is the distance to the k-th neighbour in the same
    set.

    - precision: the share of samples in the balls of real points; implausible samples lower it.
    - recall: the share of real points in the balls of samples; modes without samples lower it.
    - density: the mean number of balls of real points that contain a sample, divided by k. The
      large ball of a real outlier counts less than it does in precision. It can exceed 1.
    - coverage: the share of real points whose ball contains a sample.

    1,000 rows of the distance matrix are kept in memory at a time. The numbers depend on the sizes
    of both sets and on k, so compare only numbers for the same sizes and k.

    Args:
        real: Features, (N, D), N > k.
        samples: Features, (M, D), M > k.
        k: The neighbour that sets the radius of a ball; the papers use 3 (precision, recall) and 5
            (density, coverage).

    Returns:
        The four numbers. Equal sets give 1, 1, (k + 1) / k and 1. For independent sets from one
        distribution the expected density is 1.

    Raises:
        ValueError: The features are not finite, the sets have different dimensions, or a set has no
            k-th neighbour.

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


def nearest(images: Tensor, among: Tensor, skip_equal: bool = False) -> tuple[Tensor, Tensor]:
    r"""Find the nearest of other images to each image.

    .. math:: \min_j \sqrt{\tfrac{1}{d} |x_i - y_j|^2}, \quad d \text{ the number of values}

    Args:
        images: (N, C, H, W) uint8.
        among: (M, C, H, W) uint8, such as the training images.
        skip_equal: Whether to skip the images :math:`y_j` that are equal to :math:`x_i`.

    Returns:
        The root mean square difference in units of [-1, 1], (N,), and the index j, (N,). The
        distance is infinite if every image was skipped.

    Raises:
        ValueError: There are no images, or their shapes differ.
    """
    if images.shape[1:] != among.shape[1:] or not len(images) or not len(among):
        raise ValueError(
            f"images of {tuple(images.shape)} and {tuple(among.shape)} cannot be compared"
        )
    queries = to_float(images).flatten(1)
    names, others = _contents(images, among) if skip_equal else (None, None)
    least, place = torch.full((len(images),), torch.inf), torch.zeros(len(images), dtype=torch.long)
    for start in range(0, len(among), ROWS):
        block = to_float(among[start : start + ROWS]).flatten(1)
        square = torch.addmm(block.square().sum(1), queries, block.T, alpha=-2)
        if names is not None and others is not None:
            square[names[:, None] == others[start : start + ROWS]] = torch.inf
        value, where = square.min(1)
        closer = value < least
        least, place = torch.where(closer, value, least), torch.where(closer, start + where, place)
    difference = to_float(among[place]).flatten(1) - queries
    distance = difference.square().mean(1).sqrt()
    return torch.where(least.isinf(), torch.inf, distance), place


def _contents(images: Tensor, among: Tensor) -> tuple[Tensor, Tensor]:
    """A number for the content of each image: equal for equal images, -1 for unknown images."""
    numbers: dict[bytes, int] = {}
    mine = [numbers.setdefault(x.tobytes(), len(numbers)) for x in images.cpu().numpy()]
    others = [numbers.get(y.tobytes(), -1) for y in among.cpu().numpy()]
    return torch.tensor(mine), torch.tensor(others)
