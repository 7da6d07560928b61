"""The variational autoencoder."""

__all__ = ["VAE"]

from collections.abc import Iterator
from typing import Any, ClassVar

from torch import nn

from ign.nn import VariationalAutoencoder
from ign.training.config import Config
from ign.training.methods.method import LATENT, Batch, Method, Turn


class VAE(Method):
    r"""Squared error of an image's values, and the divergence of the codes from the prior.

    .. math::
        L = \mathbb{E} |G(u) - x|^2
            + \beta \, \mathbb{E} \, \mathrm{KL}(\mathcal{N}(\mu, \sigma^2), \mathcal{N}(0, I)),
            \qquad u = \mu(x) + \sigma(x) \epsilon

    The first term is, but for a constant, the negative log likelihood of a Gaussian of variance 1/2
    for each value in [-1, 1]; with :math:`\beta = 1` the sum is the negative evidence lower bound.
    :math:`\epsilon` is the code in the step's noise.

    References:
        Kingma and Welling, 2014 (arXiv 1312.6114).
    """

    network = VariationalAutoencoder
    defaults: ClassVar = {**LATENT, "learning_rate": 1e-3, "betas": [0.9, 0.999]}
    terms = ("total", "rec", "kl")

    def __init__(self, network: nn.Module, config: Config):
        super().__init__(network, config)
        self.beta = config.baseline.beta

    def turns(self, network: Any, batch: Batch) -> Iterator[Turn]:
        x, z = batch.x, batch.z
        mean, log_variance = network.encode(x)
        u = mean + (log_variance / 2).exp() * network.latent(z)
        rec = (network.generate(u) - x).square().flatten(1).sum(1).mean()
        kl = (mean.square() + log_variance.exp() - 1 - log_variance).flatten(1).sum(1).mean() / 2
        total = rec + self.beta * kl
        yield Turn(total, {"total": total, "rec": rec, "kl": kl})
