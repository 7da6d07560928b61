"""The order in which training reads the images, as a function of the seed and a position."""

__all__ = ["order"]

from functools import lru_cache

import torch
from torch import Tensor

from ign.core import random


def order(n: int, seed: int, start: int, count: int) -> Tensor:
    """Return the indices in a set of n images for the samples start to start + count - 1.

    The samples follow one permutation of the set per epoch (:func:`ign.core.random.permutation`).
    Every epoch therefore contains each image once, and any part of the order can be computed
    without the parts before it.

    Args:
        n: The number of images in the set.
        seed: The seed of the run.
        start: The index of the first sample, counted from the start of training.
        count: The number of samples, which may span several epochs.

    Returns:
        The indices, (count,) int64, in [0, n).

    Raises:
        ValueError: n is below 1, or start or count is below 0.
    """
    if n < 1 or start < 0 or count < 0:
        raise ValueError(f"no order of {count} samples from number {start} on in {n} images")
    parts, end = [torch.empty(0, dtype=torch.int64)], start + count
    for epoch in range(start // n, -(-end // n)):
        first = epoch * n
        parts.append(_epoch(n, seed, epoch)[max(start - first, 0) : end - first])
    return torch.cat(parts)


@lru_cache(maxsize=2)
def _epoch(n: int, seed: int, epoch: int) -> Tensor:
    return random.permutation(n, seed, epoch)
