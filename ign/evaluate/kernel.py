r"""The kernel distance between two sets of features."""

__all__ = ["kernel_distance"]

import torch
from torch import Tensor

from ign.core import random
from ign.evaluate.frechet import features64


def kernel_distance(
    a: Tensor, b: Tensor, subsets: int = 100, size: int = 1000, seed: int = 0
) -> tuple[float, float]:
    r"""Estimate the squared maximum mean discrepancy between two sets of features, without bias.

    .. math:: \frac{1}{n(n-1)} \sum_{i \ne j} [k(a_i, a_j) + k(b_i, b_j)]
        - \frac{2}{n^2} \sum_{i, j} k(a_i, b_j), \qquad k(x, y) = (x \cdot y / D + 1)^3

    It is computed on random subsets of n rows of both sets. With the features of Inception this
    is KID.

    Args:
        a: (N, D), at least 2.
        b: (M, D), at least 2.
        subsets: The number of pairs of subsets.
        size: The size n of a subset, at most the size of the smaller set.
        seed: The seed of the random subsets.

    Returns:
        The mean and the standard deviation over the subsets. For equal distributions the expected
        mean is 0, so it can be negative.

    Raises:
        ValueError: Same as for :func:`ign.evaluate.frechet_distance`, or ``subsets`` is below 1
            or ``size`` is below 2.

    References:
        Bińkowski et al., Demystifying MMD GANs, 2018 (arXiv 1801.01401).
    """
    a, b = features64(a, b, least=2)
    if subsets < 1 or size < 2:
        raise ValueError(
            f"subsets {subsets} must be at least 1, and size {size} must be at least 2"
        )
    n, found = min(size, len(a), len(b)), []
    for subset in range(subsets):
        x = a[random.permutation(len(a), seed, 2 * subset)[:n]]
        y = b[random.permutation(len(b), seed, 2 * subset + 1)[:n]]
        within = _kernel(x, x), _kernel(y, y)
        same = sum((k.sum() - k.diagonal().sum()) / (n * (n - 1)) for k in within)
        found.append(same - 2 * _kernel(x, y).mean())
    values = torch.stack(found)
    return values.mean().item(), values.std(correction=0).item()


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    inner = x @ y.T / x.shape[1] + 1
    return inner * inner * inner
