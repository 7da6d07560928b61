r"""The Fréchet distance of two sets of features, exactly and in float64."""

__all__ = ["features64", "frechet_distance"]

import torch
from torch import Tensor


def frechet_distance(a: Tensor, b: Tensor) -> float:
    r"""The distance of two sets of features, each taken for a normal distribution.

    .. math:: |\mu_a - \mu_b|^2
        + \operatorname{tr}(\Sigma_a + \Sigma_b - 2 (\Sigma_a \Sigma_b)^{1/2})

    The last trace is the sum of the singular values of :math:`\Sigma_a^{1/2} \Sigma_b^{1/2}`, which
    needs no square root of a product: singular covariances, of fewer samples than dimensions,
    lose no digits. With Inception's features this is FID. The fewer the samples, the larger it
    is: compare equal numbers only.

    Args:
        a: (N, D), at least 2.
        b: (M, D), at least 2.

    Returns:
        At least 0; 0 for equal sets, within rounding.

    Raises:
        ValueError: Not two sets of features of one kind, or NaN or infinity among them.

    References:
        Heusel et al., GANs trained by a two time-scale update rule converge to a local Nash
        equilibrium, 2017 (arXiv 1706.08500).
    """
    a, b = features64(a, b, least=2)
    roots, total = [], (a.mean(0) - b.mean(0)).square().sum()
    for x in (a, b):
        covariance = x.T.cov()
        values, vectors = torch.linalg.eigh(covariance.view(x.shape[1], x.shape[1]))
        roots.append(vectors * values.clamp(min=0).sqrt() @ vectors.T)
        total += values.sum()
    total -= 2 * torch.linalg.svdvals(roots[0] @ roots[1]).sum()
    return max(total.item(), 0.0)


def features64(*sets: Tensor, least: int = 1) -> list[Tensor]:
    """The sets of features in float64 on the CPU, checked.

    Raises:
        ValueError: They are not (N, D) with one D, fewer than ``least``, or hold NaN or infinity.
    """
    for x in sets:
        if x.ndim != 2 or len(x) < least or x.shape[1] != sets[0].shape[-1]:
            shapes = " and ".join(str(tuple(s.shape)) for s in sets)
            raise ValueError(f"features are {shapes}; give (N, D), N at least {least}, of one D")
        if not torch.isfinite(x).all():
            row = int((~torch.isfinite(x)).any(1).nonzero()[0])
            raise ValueError(f"features of number {row} hold NaN or infinity")
    return [x.detach().to("cpu", torch.float64) for x in sets]
