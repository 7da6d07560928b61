"""Degradations of pixels, which change noise, colour or detail."""

__all__ = [
    "JPEG",
    "AdditiveNoise",
    "Blur",
    "Downsample",
    "Grayscale",
    "SaltAndPepper",
    "Sketch",
    "gaussian_blur",
]

import io
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ign.core import random
from ign.data import to_float, to_uint8
from ign.degrade.base import BOUNDED, Degradation, check_bounds, noise


@dataclass(frozen=True)
class AdditiveNoise(Degradation):
    r"""Adds Gaussian noise.

    .. math:: y = x + n, \qquad n \sim \mathcal{N}(0, \sigma^2)

    The paper's :math:`\mathcal{N}(0, 0.15)` is interpreted as the standard deviation
    :math:`\sigma = 0.15`. The other interpretation, ``variance=0.15``, gives
    :math:`\sigma = 0.387`.

    Args:
        std: The standard deviation :math:`\sigma` for pixels in [-1, 1].
        variance: The variance :math:`\sigma^2`, which replaces the standard deviation if given.

    References:
        Shocher et al., 2024, Section 4, Figure 5 (arXiv 2311.01462).
    """

    name = "noise"
    std: float = 0.15
    variance: float | None = None

    def __post_init__(self) -> None:
        check_bounds(self, "std", 0, 1e6)
        check_bounds(self, "variance", 0, 1e6)
        if self.variance is not None:
            object.__setattr__(self, "std", math.sqrt(self.variance))

    def degrade(self, images: Tensor, key: Tensor) -> Tensor:
        return images + self.std * noise(images, key)


@dataclass(frozen=True)
class Grayscale(Degradation):
    r"""Replaces every channel with the mean of the channels.

    .. math:: g(x)_c = \frac1C \sum_{c'} x_{c'}

    References:
        Shocher et al., 2024, Section 4, Figure 5 (arXiv 2311.01462).
    """

    name = "gray"
    bounds = BOUNDED

    def degrade(self, images: Tensor, key: Tensor) -> Tensor:
        return images.mean(1, keepdim=True).expand_as(images).contiguous()


@dataclass(frozen=True)
class Sketch(Degradation):
    r"""Turns an image into a line drawing: the grayscale image divided by its own blur.

    .. math:: s(x) = \frac{g(x + 1)}{\mathrm{blur}_k(g(x + 1)) + 10^{-10}} - 1, \qquad
        \sigma = 0.3 \left( \frac{k - 1}{2} - 1 \right) + 0.8

    The blur is :func:`gaussian_blur`. Values are at least -1. They exceed 1 where a pixel is more
    than twice as bright as its surroundings, up to 75 for one bright pixel on black with k = 21.

    Args:
        kernel_size: The size k of the kernel, which is odd.
        clamp: Whether to clamp the result to [-1, 1]. The paper does not clamp it.

    References:
        Shocher et al., 2024, Section 4, Figure 5 (arXiv 2311.01462). The paper prints
        :math:`10^{-10}` outside the quotient, where it has no effect.
    """

    name = "sketch"
    bounds = (-1.0, math.inf)
    kernel_size: int = 21
    clamp: bool = False

    def __post_init__(self) -> None:
        check_bounds(self, "kernel_size", 1, 999)
        if self.kernel_size % 2 == 0:
            raise ValueError(f"sketch: kernel_size {self.kernel_size} must be odd")

    def degrade(self, images: Tensor, key: Tensor) -> Tensor:
        sigma = 0.3 * ((self.kernel_size - 1) * 0.5 - 1) + 0.8
        gray = (images + 1).mean(1, keepdim=True)
        lines = gray / (gaussian_blur(gray, sigma, self.kernel_size) + 1e-10) - 1
        lines = lines.clamp(-1, 1) if self.clamp else lines
        return lines.expand_as(images).contiguous()


@dataclass(frozen=True)
class Blur(Degradation):
    """Applies :func:`gaussian_blur` with a kernel radius of three standard deviations.

    Args:
        sigma: The standard deviation in pixels.
    """

    name = "blur"
    bounds = BOUNDED
    sigma: float = 1.5

    def __post_init__(self) -> None:
        check_bounds(self, "sigma", 1e-3, 1e3)

    def degrade(self, images: Tensor, key: Tensor) -> Tensor:
        return gaussian_blur(images, self.sigma, 2 * math.ceil(3 * self.sigma) + 1)


@dataclass(frozen=True)
class Downsample(Degradation):
    """Replaces squares of pixels with their mean, at the same image size.

    Args:
        factor: The side of the squares in pixels. Squares at the right and lower edges may be cut.
    """

    name = "downsample"
    bounds = BOUNDED
    factor: int = 2

    def __post_init__(self) -> None:
        check_bounds(self, "factor", 1, 10**6)

    def degrade(self, images: Tensor, key: Tensor) -> Tensor:
        sides, f = images.shape[-2:], self.factor
        small = F.avg_pool2d(images, f, ceil_mode=True, count_include_pad=False)
        return small.repeat_interleave(f, -2).repeat_interleave(f, -1)[..., : sides[0], : sides[1]]


@dataclass(frozen=True)
class JPEG(Degradation):
    """Compresses the image as JPEG.

    Args:
        quality: The quality as defined by Pillow, 1 to 95.
    """

    name = "jpeg"
    bounds = BOUNDED
    quality: int = 25

    def __post_init__(self) -> None:
        check_bounds(self, "quality", 1, 95)

    def degrade(self, images: Tensor, key: Tensor) -> Tensor:
        from PIL import Image

        if images.shape[1] not in (1, 3):
            raise ValueError(f"jpeg: images have {images.shape[1]} channels; give 1 or 3")
        results = []
        for pixels in to_uint8(images.detach().cpu()).movedim(1, -1).numpy():
            file = io.BytesIO()
            Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels).save(
                file, "JPEG", quality=self.quality
            )
            with Image.open(file) as read:
                data = torch.frombuffer(bytearray(read.tobytes()), dtype=torch.uint8)
            results.append(data.view(pixels.shape))
        return to_float(torch.stack(results)).movedim(-1, 1).contiguous().to(images)


@dataclass(frozen=True)
class SaltAndPepper(Degradation):
    """Sets random pixels to black or white.

    Args:
        share: The probability that a pixel is set.
    """

    name = "saltpepper"
    bounds = BOUNDED
    share: float = 0.1

    def __post_init__(self) -> None:
        check_bounds(self, "share", 0, 1)

    def degrade(self, images: Tensor, key: Tensor) -> Tensor:
        u = random.uniform(key, (1, *images.shape[-2:])).to(images.dtype)
        return torch.where(u < self.share, (u < self.share / 2).to(images) * 2 - 1, images)


def gaussian_blur(images: Tensor, sigma: float, kernel_size: int) -> Tensor:
    r"""Convolve with a Gaussian kernel of odd size, whose weights sum to one.

    .. math:: w_i \propto e^{-i^2 / 2 \sigma^2}, \qquad |i| \le \frac{k - 1}{2}

    Images are padded by reflection without repeating the edge pixel (``dcb|abcd|cba``). An image
    that is smaller than the kernel radius is reflected repeatedly.

    Args:
        images: (B, C, H, W).
        sigma: The standard deviation in pixels.
        kernel_size: The size k of the kernel, which is odd.

    Returns:
        The blurred images, (B, C, H, W).
    """
    reach = (kernel_size - 1) // 2
    i = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    weights = (-0.5 * (i / sigma).square()).exp()
    weights = (weights / weights.sum()).view(1, 1, 1, -1)
    for _ in range(2):
        wide = images.index_select(-1, _reflected(images.shape[-1], reach, images.device))
        rows = F.conv2d(wide.reshape(-1, 1, *wide.shape[-2:]), weights)
        images = rows.view(*images.shape).transpose(-1, -2)
    return images


def _reflected(n: int, reach: int, device: torch.device) -> Tensor:
    """Return the pixel index for each position from ``-reach`` to ``n + reach - 1``."""
    period = max(2 * (n - 1), 1)
    position = torch.arange(-reach, n + reach, device=device) % period
    return torch.minimum(position, period - position)
