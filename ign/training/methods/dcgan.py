"""DCGAN: a generator against a discriminator."""

__all__ = ["DCGAN"]

from collections.abc import Iterator
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import nn

from ign.nn import Generator
from ign.nn.dcgan import encoder, initialize
from ign.objective import frozen
from ign.training.config import Config
from ign.training.methods.method import LATENT, Batch, Method, Turn


class DCGAN(Method):
    r"""The decoder as generator G, the encoder as discriminator D, in alternation.

    .. math::
        L_D &= \mathbb{E} \log(1 + e^{-D(x)}) + \mathbb{E} \log(1 + e^{D(G(u))}) \\
        L_G &= \mathbb{E} \log(1 + e^{-D(G(u))})

    D is the encoder down to one logit: a convolution to one map stands in the place of the one
    to the code. Data and samples pass through it in batches of their own. It moves first, and G
    is judged, on the same codes, by the discriminator that has moved.

    References:
        Radford et al., 2016 (arXiv 1511.06434); Goodfellow et al., 2014 (arXiv 1406.2661).
    """

    network = Generator
    defaults: ClassVar = {**LATENT, "learning_rate": 2e-4, "betas": [0.5, 0.999]}
    terms = ("critic", "generator")
    players = 2

    def __init__(self, network: nn.Module, config: Config):
        super().__init__(network, config)
        self.critic = encoder(**vars(network)["config"], outputs=1).apply(initialize)

    def turns(self, network: Any, batch: Batch) -> Iterator[Turn]:
        x, z = batch.x, batch.z
        y = network.generate(network.latent(z))
        critic = F.softplus(-self.critic(x)).mean() + F.softplus(self.critic(y.detach())).mean()
        yield Turn(critic, {"critic": critic})
        with frozen(self.critic):
            generator = F.softplus(-self.critic(y)).mean()
        yield Turn(generator, {"generator": generator})
