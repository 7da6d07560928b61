"""The exported module and its metadata."""

__all__ = ["Graph", "describe", "rounded"]

import copy
import json

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ign.data import to_float, to_uint8
from ign.model import IGN
from ign.project import applied, iterates


class Graph(nn.Module):
    """The network, applied k times, with the conversions before and after it.

    Args:
        model: The model.
        applications, sampler, uint8, half: As in :func:`ign.export.export`.

    Shape:
        (B, C, H, W) to the same shape; with ``uint8`` images are (B, H, W, C).
    """

    def __init__(self, model: IGN, applications: int, sampler: bool, uint8: bool, half: bool):
        super().__init__()
        self.network = _stored_in_half(model.network) if half else model.network
        self.noise = model.noise if sampler else None
        self.applications, self.uint8 = applications, uint8

    def forward(self, y: Tensor) -> Tensor:
        if self.noise is not None:
            y = self.noise.color(y)
        elif self.uint8:
            y = to_float(y.movedim(-1, 1))
        *_, (_, made) = iterates(self.network, y, self.applications, self.noise is not None)
        return to_uint8(made).movedim(1, -1) if self.uint8 else made


def rounded(model: IGN) -> IGN:
    """A copy of a model whose kernels and matrices are rounded to float16, stored as float32."""
    model = copy.deepcopy(model)
    for p in model.network.parameters():
        if p.ndim > 1:
            p.data = p.data.half().float()
    return model


def _stored_in_half(network: nn.Module) -> nn.Module:
    """A copy that holds kernels and matrices as float16, and computes in float32."""
    network = copy.deepcopy(network)
    for layer in list(network.modules()):
        for name, p in list(layer.named_parameters(recurse=False)):
            if p.ndim > 1:
                p.data = p.data.half()
                parametrize.register_parametrization(layer, name, _ToFloat(), unsafe=True)
    return network


class _ToFloat(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return weight.float()


def describe(
    model: IGN, name: str, applications: int, sampler: bool, uint8: bool, half: bool
) -> dict[str, str]:
    """The metadata of a file.

    Args:
        model: The model.
        name: The name of the model.
        applications, sampler, uint8, half: As in :func:`ign.export.export`.
    """
    import ign

    channels, height, width = map(str, model.shape)
    image = "uint8 NHWC in 0 to 255" if uint8 else "float32 NCHW in -1 to 1"
    metadata = {
        "ign": ign.__version__,
        "torch": torch.__version__,
        "model": name,
        "network": type(model.network).__name__,
        "computes": applied(applications, "noise" if sampler else "image"),
        "applications": str(applications),
        "input": "noise: float32 NCHW, standard normal" if sampler else f"image: {image}",
        "output": f"sample: {image}" if sampler else f"projection: {image}",
        "layout": "NHWC" if uint8 else "NCHW",
        "value_range": "0 255" if uint8 else "-1 1",
        "channels": channels,
        "height": height,
        "width": width,
        "noise": model.noise.name + ", made by the graph from standard normal numbers" * sampler,
        "weights": "float16, computed in float32" if half else "float32",
        "about": json.dumps(model.about),
    }
    if uint8:
        metadata["bytes"] = "x = byte / 127.5 - 1; byte = (x + 1) * 127.5, rounded to even, clamped"
    return metadata | {k: str(model.about[k]) for k in ("licence", "license") if k in model.about}
