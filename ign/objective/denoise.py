"""Noise on data and samples that the network learns to remove, an addition to the paper."""

__all__ = ["restoration_noise"]

import torch
from torch import Tensor

from ign.core import random


def restoration_noise(
    seed: int, step: int, index: Tensor, shape: tuple[int, ...], largest: float
) -> Tensor:
    r"""Gaussian noise of a random level for every second sample of a step, and none for the others.

    .. math:: n_i = \lambda_i \epsilon_i, \qquad \lambda_i \sim U(0, \lambda), \quad
        \epsilon_i \sim \mathcal{N}(0, I) \quad \text{for odd } i, \quad n_i = 0 \text{ else}

    The noise of a sample is a function of (seed, step, global sample index) alone. Samples with
    and without noise alternate, so that a discriminator cannot tell data from samples by it.

    Args:
        seed: The seed of the run.
        step: The training step.
        index: The global index of each sample within the step, (B,) int64.
        shape: The shape of one sample, (C, H, W).
        largest: :math:`\lambda`, the largest standard deviation, on values in [-1, 1].

    Returns:
        (B, C, H, W) float32, on the device of ``index``.
    """
    odd = index % 2 == 1
    key = random.keys(seed, "denoise", step, index[odd])
    level = largest * random.uniform(random.derive(key, "level"), (1,) * len(shape))
    noise = torch.zeros(len(index), *shape, device=index.device)
    noise[odd] = level * random.normal(key, shape)
    return noise
