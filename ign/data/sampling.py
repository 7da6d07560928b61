"""The order in which training reads the images: a function of the seed and a position."""

__all__ = ["order"]

from functools import lru_cache

import torch
from torch import Tensor

from ign.core import random


def order(n: int, seed: int, start: int, count: int) -> Tensor:
    """Where in a set of n images the samples number start to start + count - 1 lie.

    The stream is one permutation of the set after another (:func:`ign.core.random.permutation`), so
    that every epoch sees each image once, and any part of it can be had without what came before.

    Args:
        n: How many images the set has.
        seed: The run's seed.
        start: The number of the first sample, counted from the start of training.
        count: How many samples; they may lie in several epochs.

    Returns:
        (count,) int64, in [0, n).

    Raises:
        ValueError: n below 1, or start or count below 0.
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
