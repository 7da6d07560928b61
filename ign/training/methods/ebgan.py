"""EBGAN: a generator against the reconstruction error of an autoencoder."""

__all__ = ["EBGAN", "pulling_away"]

from collections.abc import Iterator
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ign.nn import EnergyGenerator
from ign.nn.norm import still
from ign.objective import frozen
from ign.objective.distance import l2
from ign.training.configs import EBGANConfig
from ign.training.methods.method import Batch, Method, Update


def pulling_away(codes: Tensor) -> Tensor:
    r"""Compute the similarity of the codes of a batch, a scalar in [0, 1].

    .. math:: \frac{1}{n(n-1)} \sum_i \sum_{j \ne i}
        \left( \frac{s_i^T s_j}{|s_i| |s_j|} \right)^2

    Args:
        codes: The codes, (n, K), with n at least 2.

    References:
        Zhao et al., 2017, equation 4 (arXiv 1609.03126).
    """
    s, n = F.normalize(codes), len(codes)
    return ((s @ s.T).square().sum() - n) / (n * (n - 1))


class EBGAN(Method):
    r"""A generator G, which is the decoder, and an energy E, the error of an autoencoder.

    .. math::
        E(x) &= \tfrac{1}{d} |D(x) - x|^2 \\
        L_D &= \mathbb{E} \, E(x) + \mathbb{E} \max(0, m - E(G(u))) \\
        L_G &= \mathbb{E} \, E(G(u)) + w \, \mathrm{PT}

    m is a margin, and PT is the pulling-away term (:func:`pulling_away`) of the codes that the
    encoder of D gives to the samples, within each process and micro-batch. The running statistics
    of D are measured on the data.

    References:
        Zhao et al., Energy-based Generative Adversarial Network, 2017 (arXiv 1609.03126).
    """

    config = EBGANConfig
    network_class = EnergyGenerator
    terms = ("discriminator", "generator", "energy_data", "energy_samples", "pull")
    updates = 2

    def __init__(self, network: nn.Module, config: EBGANConfig):
        super().__init__(network, config)
        self.margin, self.pull_weight = config.margin, config.pull_weight

    def losses(self, network: Any, batch: Batch) -> Iterator[Update]:
        x, z = batch.x, batch.z
        y, critic = network.generate(network.latent(z)), network.critic
        real = l2(critic(x), x).mean()
        with still(critic):
            fake = l2(critic(y.detach()), y.detach())
        loss = real + F.relu(self.margin - fake).mean()
        terms = {"discriminator": loss, "energy_data": real, "energy_samples": fake.mean()}
        yield Update(loss, terms)
        with frozen(critic):
            code = critic.encoder(y)
            energy, pull = l2(critic.decoder(code), y).mean(), pulling_away(code.flatten(1))
        loss = energy + self.pull_weight * pull
        yield Update(loss, {"generator": loss, "pull": pull})
