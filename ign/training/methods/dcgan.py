"""DCGAN: a generator against a discriminator."""

__all__ = ["DCGAN"]

from collections.abc import Iterator
from typing import Any

import torch.nn.functional as F
from torch import nn

from ign.nn import Generator
from ign.nn.dcgan import encoder, initialize
from ign.objective import frozen
from ign.training.configs import DCGANConfig
from ign.training.methods.method import Batch, Method, Update


class DCGAN(Method):
    r"""A generator G, which is the decoder, and a discriminator D, which is the encoder.

    .. math::
        L_D &= \mathbb{E} \log(1 + e^{-D(x)}) + \mathbb{E} \log(1 + e^{D(G(u))}) \\
        L_G &= \mathbb{E} \log(1 + e^{-D(G(u))})

    D is the encoder with a single output, a logit, in its last convolution. Data and samples pass
    through it in separate batches. D is updated first; G is then updated on the same codes with the
    updated D.

    References:
        Radford et al., 2016 (arXiv 1511.06434); Goodfellow et al., 2014 (arXiv 1406.2661).
    """

    config = DCGANConfig
    network_class = Generator
    terms = ("discriminator", "generator")
    updates = 2

    def __init__(self, network: nn.Module, config: DCGANConfig):
        super().__init__(network, config)
        self.discriminator = encoder(**vars(network)["config"], outputs=1).apply(initialize)

    def losses(self, network: Any, batch: Batch) -> Iterator[Update]:
        x, z, d = batch.x, batch.z, self.discriminator
        y = network.generate(network.latent(z))
        discriminator = F.softplus(-d(x)).mean() + F.softplus(d(y.detach())).mean()
        yield Update(discriminator, {"discriminator": discriminator})
        with frozen(d):
            generator = F.softplus(-d(y)).mean()
        yield Update(generator, {"generator": generator})
