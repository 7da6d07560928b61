r"""Networks that generate from a code, with the interface of an IGN, for comparisons.

Each maps (B, C, H, W) to the same. In the role of noise (:func:`ign.nn.norm.role`) the input's
first K numbers, standard normal, are the code :math:`u`, and the output is the generated image. In
any other role the input is an image, and the output is its reconstruction. Encoders and decoders
have the layers of :class:`ign.nn.DCGANAutoencoder`.
"""

__all__ = [
    "EnergyGenerator",
    "GaussianAutoencoder",
    "Generator",
    "LatentNetwork",
    "VariationalAutoencoder",
]

import math

import torch
from torch import Tensor, nn

from ign.nn.dcgan import DCGANAutoencoder, code_size, decoder, encoder, initialize
from ign.nn.norm import UNKNOWN


class LatentNetwork(nn.Module):
    """A decoder of codes; a subclass adds the reconstruction of images.

    Args:
        channels: The number of image channels C.
        size: The side of the square image, 8 to 256 pixels.
        width: The number of maps of the layer next to the image.
        norm: ``batch``, ``group`` or ``none``, as in :class:`ign.nn.DCGANAutoencoder`.

    Shape:
        (B, C, size, size) to the same in [-1, 1].

    Raises:
        ValueError: A code of more values than an image, or a size, width or norm that the
            construction does not allow.
    """

    projects = True
    """Whether the network accepts images, and not only noise."""

    def __init__(self, channels: int = 3, size: int = 64, width: int = 64, norm: str = "batch"):
        super().__init__()
        self.config = {"channels": channels, "size": size, "width": width, "norm": norm}
        self.shape = (channels, size, size)
        self.role = UNKNOWN
        self.code = code_size(size, width)
        if self.code > math.prod(self.shape):
            most = math.prod(self.shape) * width // self.code
            raise ValueError(
                f"network.width {width} makes a code of {self.code} values, more than an image of"
                f" {channels} x {size} x {size} has; at most {most} fits"
            )
        self.decoder = decoder(channels, size, width, norm)
        self.build(channels, size, width, norm)
        self.apply(initialize)

    def build(self, channels: int, size: int, width: int, norm: str) -> None:
        """Add the modules of a subclass, besides the decoder."""

    def forward(self, x: Tensor) -> Tensor:
        return self.generate(self.latent(x)) if self.role == "noise" else self.reconstruct(x)

    def latent(self, z: Tensor) -> Tensor:
        """The code in a noise image, (B, C, H, W) to (B, K, 1, 1): its first K numbers."""
        return z.flatten(1)[:, : self.code, None, None]

    def generate(self, u: Tensor) -> Tensor:
        """The images of codes, (B, K, 1, 1) to (B, C, H, W)."""
        return self.decoder(u)

    def reconstruct(self, x: Tensor) -> Tensor:
        """The network's own version of images, (B, C, H, W) to the same."""
        raise NotImplementedError


class Generator(LatentNetwork):
    r"""A decoder without encoder: it generates images, and cannot project or score them.

    .. math:: f(z) = G(u)

    References:
        Radford et al., DCGAN, 2016 (arXiv 1511.06434).
    """

    projects = False

    def reconstruct(self, x: Tensor) -> Tensor:
        """Raise an error.

        Raises:
            ValueError: Always.
        """
        raise ValueError(
            "this model is a generator without encoder: it samples with one application,"
            " and cannot project or score images, its own samples included"
        )


class VariationalAutoencoder(LatentNetwork):
    r"""Encoder to the mean and the log variance of a Gaussian on codes, and decoder.

    .. math:: f(z) = G(u), \qquad f(x) = G(\mu(x))

    References:
        Kingma and Welling, 2014 (arXiv 1312.6114).
    """

    def build(self, channels: int, size: int, width: int, norm: str) -> None:
        self.encoder = encoder(channels, size, width, norm, 2 * self.code)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the code, (B, K, 1, 1) each."""
        mean, log_variance = self.encoder(x).chunk(2, 1)
        return mean, log_variance

    def reconstruct(self, x: Tensor) -> Tensor:
        return self.decoder(self.encode(x)[0])


class GaussianAutoencoder(LatentNetwork):
    r"""An autoencoder, with a Gaussian of full covariance on its codes to sample from.

    .. math:: f(z) = G(m + S u), \quad S S^T = \operatorname{Cov} E(x), \qquad f(x) = G(E(x))

    Until :meth:`fit` it is the standard Gaussian.
    """

    mean: Tensor
    spread: Tensor

    def build(self, channels: int, size: int, width: int, norm: str) -> None:
        self.encoder = encoder(channels, size, width, norm)
        self.register_buffer("mean", torch.zeros(self.code))
        self.register_buffer("spread", torch.eye(self.code))

    def generate(self, u: Tensor) -> Tensor:
        return self.decoder((self.mean + u.flatten(1) @ self.spread.T)[..., None, None])

    def reconstruct(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))

    @torch.no_grad()
    def fit(self, codes: Tensor) -> None:
        """Take mean and covariance from codes, (N, K), N at least 2."""
        codes = codes.double()
        values, vectors = torch.linalg.eigh(codes.T.cov())
        self.mean.copy_(codes.mean(0))
        self.spread.copy_(vectors * values.clamp(min=0).sqrt())


class EnergyGenerator(LatentNetwork):
    r"""A generator, and the autoencoder whose reconstruction error is its critic.

    .. math:: f(z) = G(u), \qquad f(x) = D(x)

    References:
        Zhao et al., Energy-based Generative Adversarial Network, 2017 (arXiv 1609.03126).
    """

    def build(self, channels: int, size: int, width: int, norm: str) -> None:
        self.critic = DCGANAutoencoder(channels, size, width, norm)

    def reconstruct(self, x: Tensor) -> Tensor:
        return self.critic(x)
