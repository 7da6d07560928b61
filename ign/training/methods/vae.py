"""The variational autoencoder."""

__all__ = ["VAE"]

from collections.abc import Iterator
from typing import Any

from torch import nn

from ign.nn import VariationalAutoencoder
from ign.training.configs import VAEConfig
from ign.training.methods.method import Batch, Method, Update


class VAE(Method):
    r"""A variational autoencoder with the squared error of the values of an image.

    .. math::
        L = \mathbb{E} |G(u) - x|^2
            + \beta \, \mathbb{E} \, \mathrm{KL}(\mathcal{N}(\mu, \sigma^2), \mathcal{N}(0, I)),
            \qquad u = \mu(x) + \sigma(x) \epsilon

    Up to a constant, the first term is the negative log likelihood of a Gaussian of variance 1/2
    for each value in [-1, 1]. With :math:`\beta = 1` the sum is the negative evidence lower bound.
    :math:`\epsilon` is taken from the noise of the step.

    References:
        Kingma and Welling, 2014 (arXiv 1312.6114).
    """

    config = VAEConfig
    network_class = VariationalAutoencoder
    terms = ("total", "rec", "kl")

    def __init__(self, network: nn.Module, config: VAEConfig):
        super().__init__(network, config)
        self.beta = config.beta

    def losses(self, network: Any, batch: Batch) -> Iterator[Update]:
        x, z = batch.x, batch.z
        mean, log_variance = network.encode(x)
        u = mean + (log_variance / 2).exp() * network.latent(z)
        rec = (network.generate(u) - x).square().flatten(1).sum(1).mean()
        kl = (mean.square() + log_variance.exp() - 1 - log_variance).flatten(1).sum(1).mean() / 2
        total = rec + self.beta * kl
        yield Update(total, {"total": total, "rec": rec, "kl": kl})
