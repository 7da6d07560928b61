r"""The kernel distance of two sets of features."""

__all__ = ["kernel_distance"]

import torch
from torch import Tensor

from ign.core import random
from ign.evaluate.frechet import features64


def kernel_distance(
    a: Tensor, b: Tensor, subsets: int = 100, size: int = 1000, seed: int = 0
) -> tuple[float, float]:
    r"""The squared maximum mean discrepancy of two sets of features, without bias.

    .. math:: \frac{1}{n(n-1)} \sum_{i \ne j} [k(a_i, a_j) + k(b_i, b_j)]
        - \frac{2}{n^2} \sum_{i, j} k(a_i, b_j), \qquad k(x, y) = (x \cdot y / D + 1)^3

    It is measured on random subsets of n of either set. With Inception's features this is KID.

    Args:
        a: (N, D), at least 2.
        b: (M, D), at least 2.
        subsets: How many pairs of subsets.
        size: n; all of a set where it, or the other, is smaller.
        seed: What the subsets are drawn by.

    Returns:
        Mean and standard deviation over subsets; the mean is 0 in expectation for equal
        distributions and can be negative.

    Raises:
        ValueError: As :func:`ign.evaluate.frechet_distance`, or fewer than one subset of two.

    References:
        Bińkowski et al., Demystifying MMD GANs, 2018 (arXiv 1801.01401).
    """
    a, b = features64(a, b, least=2)
    if subsets < 1 or size < 2:
        raise ValueError(f"subsets {subsets} must be at least 1, and their size {size} 2")
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
