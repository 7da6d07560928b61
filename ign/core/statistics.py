"""Numbers that several packages compute in the same way."""

__all__ = ["below", "diversity", "ratio"]

import torch
from torch import Tensor

LAST_BITS = 1e-5
"""A value this close to a bound, relatively, counts as equal to it."""


def diversity(samples: Tensor) -> float:
    r"""The mean Euclidean distance between two samples.

    .. math:: \frac{2}{n(n-1)} \sum_{i < j} \lVert x_i - x_j \rVert

    Args:
        samples: (N, ...), floating point.

    Returns:
        At least 0; 0 for fewer than two samples.
    """
    return torch.pdist(samples.flatten(1).cpu()).mean().item() if len(samples) > 1 else 0.0


def ratio(value: float, reference: float) -> float | None:
    """The value divided by a reference, or None where the reference is 0 or not finite."""
    return value / reference if 0 < reference < float("inf") else None


def below(values: Tensor, bound: float) -> Tensor:
    """Which values are below a bound.

    The last bits of a float32 result depend on the batch size. A value that differs from the bound
    by less than a relative 1e-5 counts as equal to it, so these bits do not decide.

    Args:
        values: Any shape, at least 0.
        bound: At least 0.

    Returns:
        Booleans of the same shape.
    """
    return values < bound * (1 - LAST_BITS)
