"""The paper's network: DCGAN's discriminator as encoder, its generator as decoder (Table 1)."""

__all__ = ["DCGANAutoencoder", "code_size", "decoder", "encoder", "initialize"]

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ign.core.inputs import whole
from ign.nn.norm import RoleBatchNorm2d, make_norm


class DCGANAutoencoder(nn.Module):
    r"""Encoder and decoder of strided convolutions, in mirror order, without skip connections.

    .. math:: f(x) = \mathrm{decode}(\mathrm{encode}(x))

    At 3x64x64 and width 64 this is Table 1 of the paper: kernels of 4x4 and strides of 2 down to
    4x4 pixels, then one valid convolution down to 1x1. Other sizes follow the same rule. Each
    layer halves the side, rounding up, until at most 4 pixels are left, with kernel 4 from an even
    side and 3 from an odd one. One valid convolution then covers the remaining 4 or 3 pixels. The
    number of maps doubles from ``width`` up to 8 ``width``.

    With ``rounding`` :math:`\Delta` the code c is rounded in evaluation mode:

    .. math:: q = \Delta \sigma \operatorname{round} \frac{c}{\Delta \sigma}

    :math:`\sigma` holds the standard deviations of the code on the data (:meth:`fit`; 1 before). A
    change of a component by less than half a step then does not change f(x), and iterates of f
    come to rest.

    Args:
        channels: The number of image channels C.
        size: The side of the square image, 8 to 256 pixels.
        width: The number of maps of the first layer.
        norm: ``batch``, ``role``, ``group`` or ``none``, on every layer but the first, the
            bottleneck and the last.
        rounding: The step :math:`\Delta`, 0 for no rounding; the paper does not round.
        decoder_norm: The norm of the decoder's layers; None for the norm of the encoder.
        code_norm: Whether a role norm without affine map normalizes the code, all but its first
            component, which can be the output of a discriminator.

    Shape:
        (B, C, size, size) in [-1, 1] to the same.

    Raises:
        ValueError: The size, width, norm or step is not one that the construction allows.

    References:
        Shocher et al., Idempotent Generative Networks, 2024, Table 1 (arXiv 2311.01462).
        Radford et al., DCGAN, 2016 (arXiv 1511.06434); for rounded codes Mentzer et al., Finite
        Scalar Quantization, 2024 (arXiv 2309.15505).
    """

    spread: Tensor

    def __init__(
        self,
        channels: int = 3,
        size: int = 64,
        width: int = 64,
        norm: str = "batch",
        rounding: float = 0.0,
        decoder_norm: str | None = None,
        code_norm: bool = False,
    ):
        super().__init__()
        if not 0 <= rounding < math.inf:
            raise ValueError(f"rounding {rounding} must be finite and at least 0")
        self.config = {"channels": channels, "size": size, "width": width, "norm": norm}
        self.config["rounding"] = rounding
        if decoder_norm is not None:
            self.config["decoder_norm"] = decoder_norm
        if code_norm:
            self.config["code_norm"] = code_norm
        self.shape, self.rounding = (channels, size, size), rounding

        self.encoder = encoder(channels, size, width, norm, code_norm=code_norm)
        self.decoder = decoder(
            channels, size, width, norm if decoder_norm is None else decoder_norm
        )
        self.apply(initialize)
        if rounding:
            self.register_buffer("spread", torch.ones(code_size(size, width)))

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

    def encode(self, x: Tensor) -> Tensor:
        """The code of images, (B, C, H, W) to (B, K, 1, 1)."""
        code: Tensor = self.encoder(x)
        return code

    def decode(self, code: Tensor) -> Tensor:
        """The images of codes, (B, K, 1, 1) to (B, C, H, W), rounded in evaluation mode."""
        if self.rounding and not self.training:
            step = (self.rounding * self.spread)[:, None, None]
            code = torch.where(step > 0, step * (code / step).round(), code)
        y: Tensor = self.decoder(code)
        return y

    def with_code(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The code of images before it is rounded, (B, K), and f(x)."""
        code = self.encode(x)
        return code.flatten(1), self.decode(code)

    @torch.no_grad()
    def fit(self, codes: Tensor) -> None:
        r"""Measure :math:`\sigma`, the standard deviations of codes of data, (N, K), N >= 2."""
        self.spread.copy_(codes.double().std(0))


class Plan(NamedTuple):
    """The sides and maps before and after each strided layer, and the layers' kernels."""

    sides: list[int]
    maps: list[int]
    kernels: list[int]


def plan(channels: int, size: int, width: int) -> Plan:
    """The strided layers for images of this size.

    Raises:
        ValueError: A size or width that the construction does not allow.
    """
    size, width = whole(size, "size"), whole(width, "width", 1)
    channels = whole(channels, "channels", 1)
    if not 8 <= size <= 256:
        raise ValueError(f"size {size} is outside 8 to 256 pixels")
    sides, maps = [size], [channels]
    while sides[-1] > 4:
        sides.append((sides[-1] + 1) // 2)
        maps.append(width * min(2 ** (len(sides) - 2), 8))
    return Plan(sides, maps, [4 - side % 2 for side in sides[:-1]])


def code_size(size: int, width: int) -> int:
    """The number of values between encoder and decoder."""
    return width * min(2 ** (len(plan(1, size, width).sides) - 1), 8)


def encoder(
    channels: int,
    size: int,
    width: int,
    norm: str,
    outputs: int | None = None,
    code_norm: bool = False,
) -> nn.Sequential:
    """The way down, (B, C, size, size) to (B, outputs, 1, 1); None for the size of the code."""
    sides, maps, kernels = plan(channels, size, width)
    layers: list[nn.Module] = []
    for i, kernel in enumerate(kernels):
        bias = i == 0 or norm == "none"  # elsewhere the norm's own bias takes its place
        layers += [nn.Conv2d(maps[i], maps[i + 1], kernel, 2, 1, bias=bias)]
        layers += [make_norm(norm, maps[i + 1])] if i else []
        layers += [nn.LeakyReLU(0.2)]
    outputs = outputs or code_size(size, width)
    layers += [ToPoint(maps[-1], outputs, sides[-1], bias=not code_norm)]
    layers += [CodeNorm(outputs)] if code_norm else []
    return nn.Sequential(*layers)


def decoder(channels: int, size: int, width: int, norm: str) -> nn.Sequential:
    """The way up, a code (B, K, 1, 1) to (B, C, size, size) in [-1, 1]."""
    sides, maps, kernels = plan(channels, size, width)
    bias = norm == "none"
    layers: list[nn.Module] = [FromPoint(code_size(size, width), maps[-1], sides[-1], bias=bias)]
    for i in reversed(range(len(kernels))):
        layers += [make_norm(norm, maps[i + 1]), nn.ReLU()]
        up = nn.ConvTranspose2d(maps[i + 1], maps[i], kernels[i], 2, 1, bias=i == 0 or bias)
        layers += [up]
    return nn.Sequential(*layers, nn.Tanh())


class CodeNorm(nn.Module):
    """Normalize the code, (B, K, 1, 1), except its first component, by role norm.

    Codes of data and of noise then have the same mean and scale, and the code cannot grow. The
    first component, which can be the output of a discriminator, has a bias.
    """

    def __init__(self, size: int):
        super().__init__()
        self.norm = RoleBatchNorm2d(size - 1, affine=False)
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, code: Tensor) -> Tensor:
        return torch.cat([code[:, :1] + self.bias, self.norm(code[:, 1:])], 1)


class ToPoint(nn.Conv2d):
    """A convolution that covers its whole input, computed as the matrix product that it is."""

    def forward(self, x: Tensor) -> Tensor:
        last = not self.weight.is_contiguous()
        return F.linear(_rows(x, last), _rows(self.weight, last), self.bias)[..., None, None]


class FromPoint(nn.ConvTranspose2d):
    """A transposed convolution of a single point, computed as the matrix product that it is."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        last = not self.weight.is_contiguous()
        y, (maps, *sides) = x.flatten(1) @ _rows(self.weight, last), self.weight.shape[1:]
        if last:
            y = y.unflatten(1, (*sides, maps)).permute(0, 3, 1, 2)
        else:
            y = y.unflatten(1, (maps, *sides))
        return y if self.bias is None else y + self.bias[:, None, None]


def _rows(x: Tensor, last: bool) -> Tensor:
    """Flatten all but the first dimension, channels last or not; no copy where x lies that way."""
    return (x.permute(0, 2, 3, 1) if last else x).flatten(1)


def initialize(module: nn.Module) -> None:
    """Weights of convolutions N(0, 0.02), biases 0; norms keep weight 1 and bias 0.

    Parameters on the meta device are skipped: they have no values, and PyTorch would import its
    compiler for the call, which takes seconds.
    """
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and not module.weight.is_meta:
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
