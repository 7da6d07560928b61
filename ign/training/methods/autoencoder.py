"""The plain autoencoder."""

__all__ = ["Autoencoder"]

from collections.abc import Iterator
from typing import Any

from ign.data import ImageSet
from ign.nn import GaussianAutoencoder
from ign.objective.distance import l2
from ign.training.configs import AutoencoderConfig
from ign.training.methods.method import Batch, Method, Update, encode_images

ENCODED = 10_000
"""The largest number of images to whose codes the Gaussian is fitted."""


class Autoencoder(Method):
    r"""An autoencoder with the mean squared error, and a Gaussian of the codes for sampling.

    .. math:: L = \mathbb{E} \tfrac{1}{d} |G(E(x)) - x|^2

    The Gaussian has the mean and the full covariance of the codes of the training images, at most
    10,000 of them spread over the set, in evaluation mode. It is fitted whenever the model is
    saved.
    """

    config = AutoencoderConfig
    network_class = GaussianAutoencoder
    terms = ("rec",)

    def losses(self, network: Any, batch: Batch) -> Iterator[Update]:
        x = batch.x
        rec = l2(network.reconstruct(x), x).mean()
        yield Update(rec, {"rec": rec})

    def finalize(self, network: Any, images: ImageSet) -> None:
        network.fit(encode_images(images, ENCODED, network))
