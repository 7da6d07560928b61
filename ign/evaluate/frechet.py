r"""The Fréchet distance between two sets of features, computed exactly in float64."""

__all__ = ["features64", "frechet_distance"]

import torch
from torch import Tensor


def frechet_distance(a: Tensor, b: Tensor) -> float:
    r"""Compute the Fréchet distance between normal distributions fitted to two sets of features.

    .. math:: |\mu_a - \mu_b|^2
        + \operatorname{tr}(\Sigma_a + \Sigma_b - 2 (\Sigma_a \Sigma_b)^{1/2})

    The last trace is the sum of the singular values of :math:`\Sigma_a^{1/2} \Sigma_b^{1/2}`, which
    avoids the square root of a product. It is therefore accurate for singular covariances, which
    occur if there are fewer samples than dimensions. With the features of Inception this is FID.
    The distance is larger for fewer samples, so compare only values for equal numbers of samples.

    Args:
        a: (N, D), at least 2.
        b: (M, D), at least 2.

    Returns:
        The distance, at least 0. It is 0 for equal sets, up to rounding.

    Raises:
        ValueError: The sets have different dimensions or fewer than two rows, or a feature is NaN
            or infinite.

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
    """Check sets of features and convert them to float64 on the CPU.

    Raises:
        ValueError: The sets are not (N, D) with the same D, have fewer than ``least`` rows, or
            contain NaN or infinity.
    """
    for x in sets:
        if x.ndim != 2 or len(x) < least or x.shape[1] != sets[0].shape[-1]:
            shapes = " and ".join(str(tuple(s.shape)) for s in sets)
            raise ValueError(
                f"features are {shapes}; give (N, D) with N at least {least} and the same D"
            )
        if not torch.isfinite(x).all():
            row = int((~torch.isfinite(x)).any(1).nonzero()[0])
            raise ValueError(f"the features in row {row} contain NaN or infinity")
    return [x.detach().to("cpu", torch.float64) for x in sets]
