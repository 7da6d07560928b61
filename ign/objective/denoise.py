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
    if index.is_cpu:
        noise = torch.zeros(len(index), *shape)
        noise[odd] = _drawn(seed, step, index[odd], shape, largest)
        return noise
    return masked(_drawn(seed, step, index, shape, largest), odd)


def masked(noise: Tensor, chosen: Tensor) -> Tensor:
    """The noise of chosen samples, and zero for the others, without waiting for the device.

    Selecting samples by a mask would wait until the device knows their number.
    """
    return torch.where(chosen.view(-1, *[1] * (noise.ndim - 1)), noise, 0.0)


def _drawn(seed: int, step: int, index: Tensor, shape: tuple[int, ...], largest: float) -> Tensor:
    """Noise of a random level for every given sample."""
    key = random.keys(seed, "denoise", step, index)
    level = largest * random.uniform(random.derive(key, "level"), (1,) * len(shape))
    return level * random.normal(key, shape)
