"""The source distributions that a network learns to project."""

__all__ = ["NOISES", "GaussianNoise", "Noise", "SpectralNoise", "make_noise"]

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ign.core import random
from ign.core.inputs import whole, whole_numbers

CHUNK = 2**20
"""The number of values that are transformed at a time when statistics are measured."""


class Noise(nn.Module, ABC):
    """A distribution of noise images: a map from white noise. This is an abstract base class.

    A subclass implements :meth:`color` and has a class attribute ``name``. Its statistics are
    buffers, so that they are saved with the model.

    Args:
        shape: The shape of one image, (C, H, W), or of any other sample, such as (D,).

    Raises:
        ValueError: The shape is empty, or a side is below 1.
        TypeError: The shape is not a sequence of integers.
    """

    name: str

    def __init__(self, shape: Sequence[int]):
        super().__init__()
        self.shape = tuple(whole_numbers(shape, "the sides of a noise shape", 1))

    @abstractmethod
    def color(self, white: Tensor) -> Tensor:
        """Turn white noise, (B, C, H, W) standard normal, into this noise, of the same shape."""

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw n noise images, (n, C, H, W), on the generator's device.

        Raises:
            TypeError: n is not an integer.
            ValueError: n is negative.
        """
        n = whole(n, "n", 0)
        device = generator.device if generator is not None else None
        return self.color(torch.randn(n, *self.shape, generator=generator, device=device))

    def at(self, key: Tensor) -> Tensor:
        """The noise images of the given keys (:func:`ign.core.random.keys`), (B,) to (B, C, H, W).

        An image depends on its own key alone, so that it is the same in any batch.
        """
        return self.color(random.normal(key, self.shape))


class GaussianNoise(Noise):
    r"""Independent standard normal pixels.

    .. math:: z \sim \mathcal{N}(0, I)

    References:
        Shocher et al., 2024, Section 2.1 (arXiv 2311.01462).
    """

    name = "gaussian"

    def color(self, white: Tensor) -> Tensor:
        return white


class SpectralNoise(Noise):
    r"""Noise with the frequency statistics of a set of images.

    With :math:`W` the unitary Fourier transform of white noise, and the mean and the standard
    deviations of the data's unitary Fourier coefficients at each frequency and channel,

    .. math:: z = \mathcal{F}^{-1}\left[ m + g \left( \sigma_{re} \operatorname{Re} W
        + i \, \sigma_{im} \operatorname{Im} W \right) \right]

    where :math:`g = 1` at the frequencies that are their own conjugate, where :math:`W` is real
    with variance 1, and :math:`\sqrt 2` elsewhere, where each part has variance 1/2. The statistics
    are symmetric, as for any real images. Hence :math:`z` is real, and both variances equal the
    variances of the data.

    Args:
        shape: The shape of one image, (C, H, W).

    References:
        Shocher et al., 2024, Section 3.1 and Appendix (arXiv 2311.01462).
    """

    name = "spectral"
    mean: Tensor
    std: Tensor

    def __init__(self, shape: Sequence[int]):
        super().__init__(shape)
        if len(self.shape) != 3:
            raise ValueError(f"spectral noise is of images, (C, H, W), not {self.shape}")
        self.register_buffer("mean", torch.zeros(2, *self.shape))
        self.register_buffer("std", torch.ones(2, *self.shape))

    @classmethod
    def fit(cls, images: Tensor, chunk: int | None = None) -> "SpectralNoise":
        """Measure the statistics of images.

        Args:
            images: (N, C, H, W) in [-1, 1], or uint8, at least 2 of them.
            chunk: How many images are transformed at a time; None for 2^20 values of them, which
                take 50 MiB.

        Raises:
            ValueError: The images do not have four dimensions, or there are fewer than two.
        """
        if images.ndim != 4 or len(images) < 2:
            raise ValueError(
                f"spectral noise needs (N, C, H, W) with N > 1, not {tuple(images.shape)}"
            )
        noise = cls(images.shape[1:])
        chunk = chunk or max(1, CHUNK // images[0].numel())
        total = torch.zeros(2, 2, *noise.shape, dtype=torch.float64)
        for part in images.split(chunk):
            x = part.double() / 127.5 - 1 if part.dtype == torch.uint8 else part.double()
            c = torch.view_as_real(torch.fft.fft2(x, norm="ortho")).movedim(-1, 0).cpu()
            total += torch.stack([c.sum(1), c.square().sum(1)])
        mean = total[0] / len(images)
        var = (total[1] - len(images) * mean.square()) / (len(images) - 1)
        noise.mean.copy_(mean)
        noise.std.copy_(var.clamp(min=0).sqrt() * _gain(*noise.shape[1:]))
        return noise

    def color(self, white: Tensor) -> Tensor:
        w = torch.fft.rfft2(white, norm="ortho")  # the other half follows, all being symmetric
        mean, std = (part[..., : w.shape[-1]].to(white) for part in (self.mean, self.std))
        coefficients = torch.complex(mean[0] + std[0] * w.real, mean[1] + std[1] * w.imag)
        return torch.fft.irfft2(coefficients, white.shape[-2:], norm="ortho")


def _gain(height: int, width: int) -> Tensor:
    """1 at the frequencies that are their own conjugate, the square root of 2 elsewhere."""
    own = [torch.arange(n) == (-torch.arange(n)) % n for n in (height, width)]
    return torch.where(own[0][:, None] & own[1], 1.0, 2.0**0.5)


NOISES: dict[str, type[Noise]] = {k.name: k for k in (GaussianNoise, SpectralNoise)}
"""The noise classes that can be saved and loaded, by name."""


def make_noise(name: str, shape: Sequence[int], images: Tensor | None = None) -> Noise:
    """Create the noise ``gaussian`` or ``spectral``, and fit it to images if they are given.

    Raises:
        ValueError: The name is unknown.
    """
    if name not in NOISES:
        raise ValueError(f"noise {name!r} is unknown; choose one of {', '.join(NOISES)}")
    if name == "spectral" and images is not None:
        return SpectralNoise.fit(images)
    return NOISES[name](shape)
