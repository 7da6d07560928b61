"""The plain autoencoder."""

__all__ = ["Autoencoder"]

from collections.abc import Iterator
from typing import Any, ClassVar

from ign.data import ImageSet
from ign.nn import GaussianAutoencoder
from ign.objective.distance import l2
from ign.training.methods.method import LATENT, Batch, Method, Turn, codes_of

FITTED = 10_000
"""From how many images the Gaussian is told."""


class Autoencoder(Method):
    r"""The mean squared error of reconstruction; to sample, a Gaussian on the codes of the data.

    .. math:: L = \mathbb{E} \tfrac{1}{d} |G(E(x)) - x|^2

    Mean and full covariance of the codes are those of the training images, at most
    :data:`FITTED` of them spread over the set, in evaluation mode; they are taken anew whenever
    the model is saved.
    """

    network = GaussianAutoencoder
    defaults: ClassVar = {**LATENT, "learning_rate": 1e-3, "betas": [0.9, 0.999]}
    terms = ("rec",)

    def turns(self, network: Any, batch: Batch) -> Iterator[Turn]:
        x = batch.x
        rec = l2(network.reconstruct(x), x).mean()
        yield Turn(rec, {"rec": rec})

    def complete(self, network: Any, images: ImageSet) -> None:
        network.fit(codes_of(images, FITTED, network))
