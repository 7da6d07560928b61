"""A diagram of a convolutional autoencoder, drawn from the module itself."""

__all__ = ["Layer", "network"]

import copy
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ign.figures import drawing as d

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Shape = tuple[int, ...]
NORMS = {"BatchNorm2d": "batch norm", "RoleBatchNorm2d": "role norm", "GroupNorm": "group norm"}
ENCODER, DECODER = d.BLUE, d.ORANGE


class Layer(NamedTuple):
    """A convolution and the modules between it and the next one."""

    up: bool
    shape: Shape
    window: str
    stride: str
    norm: str = ""
    activation: str = ""
    parameters: int = 0


def network(network: nn.Module) -> "Figure":
    """Draw a convolutional autoencoder; its layers are found by passing zeros through it.

    Args:
        network: A module that keeps the shape of images, its attribute ``shape``, (C, H, W).

    Raises:
        ValueError: The module has no attribute ``shape``, does not take images of this shape, or
            does not consist of convolutions followed by transposed convolutions.
    """
    shape, layers = _layers(network)
    shapes, code = [shape, *(layer.shape for layer in layers)], sum(not x.up for x in layers)
    names = {0: "$x$", code: "bottleneck", len(layers): "$f(x)$"}
    pitch, middle = max(86.0, 920 / len(shapes)), 350
    ax, figure = d.canvas(pitch * len(shapes) + 40, 490)
    xs = [20 + pitch * (i + 0.5) for i in range(len(shapes))]
    scale = 170 / max(shape[1:]) ** 0.5
    edges = []
    for i, x in enumerate(xs):
        colour = DECODER if i > code else ENCODER
        edges.append(_volume(ax, (x, middle), shapes[i], colour, scale, names.get(i, "")))
    for x, layer, ((_, start), (end, _)) in zip(xs, layers, pairwise(edges), strict=False):
        x += pitch / 2
        d.arrow(ax, [(start + 4, middle), (end - 4, middle)], width=1.1)
        d.line(ax, [(x, middle - 6), (x, 190)], d.FAINT, width=0.7, dashed=True)
        _card(ax, (x, 138), pitch - 6, layer)
    _brace(ax, xs[0], xs[code], layers[:code])
    _brace(ax, xs[code], xs[-1], layers[code:])
    return figure


def _volume(ax: "Axes", at: d.Point, shape: Shape, colour: str, scale: float, name: str) -> d.Point:
    """Draw a block with height and depth by the root of the side, and width by log(channels).

    Returns:
        The horizontal positions of its left and right end, at the height of the point.
    """
    from matplotlib.patches import Polygon

    w, h, depth = 4 + 2.5 * np.log2(shape[0]), scale * shape[1] ** 0.5, scale * shape[2] ** 0.5
    corner = np.array(at) - (w / 2 + 0.11 * depth, h / 2 + 0.08 * depth)
    across, along, back = np.array([w, 0]), np.array([0, h]), depth * np.array([0.22, 0.16])
    for share, start, one, two in (
        (0.45, corner, across, along),
        (0.25, corner + along, across, back),
        (0.65, corner + across, back, along),
    ):
        face = Polygon([start, start + one, start + one + two, start + two], zorder=3)
        face.set(facecolor=d.mixed(colour, share), edgecolor=d.INK, linewidth=0.8)
        ax.add_patch(face)
    d.text(ax, (at[0], corner[1] + h + back[1] + 13), "×".join(map(str, shape)), 11)
    d.text(ax, (at[0], corner[1] - 15), name, 12)
    return corner[0], corner[0] + w + back[0]


def _card(ax: "Axes", at: d.Point, width: float, layer: Layer) -> None:
    """Draw the card of a layer, with a row for each of its modules."""
    d.box(ax, at, (width, 94), DECODER if layer.up else ENCODER, corner=5, width=0.9)
    for i, words in enumerate((layer.window, layer.stride, layer.norm, layer.activation)):
        d.text(ax, (at[0], at[1] + 32 - 21 * i), words, 10)


def _brace(ax: "Axes", left: float, right: float, layers: list[Layer]) -> None:
    """Draw a line under the cards of the encoder or decoder, with its name."""
    colour = DECODER if layers[0].up else ENCODER
    d.line(ax, [(left + 6, 80), (left + 6, 68), (right - 6, 68), (right - 6, 80)], colour)
    kind = "decoder: transposed convolutions" if layers[0].up else "encoder: convolutions"
    count = sum(layer.parameters for layer in layers)
    d.text(ax, ((left + right) / 2, 46), kind, 13)
    d.text(ax, ((left + right) / 2, 24), f"{count:,} parameters", 11.5, d.FAINT)


def _layers(network: nn.Module) -> tuple[Shape, list[Layer]]:
    """Find the image shape and the layers in order, by passing zeros through a copy."""
    name, shape = type(network).__name__, tuple(getattr(network, "shape", ()))
    if len(shape) != 3:
        raise ValueError(f"{name} has no shape (C, H, W), which its diagram needs")
    layers: list[Layer] = []
    network = copy.deepcopy(network).cpu().float().eval()
    for module in network.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda module, _, y: _note(layers, module, y))
    try:
        with torch.no_grad():
            network(torch.zeros(1, *shape))
    except RuntimeError as error:
        raise ValueError(f"{name} does not take images of {shape}, its shape") from error
    ups = [layer.up for layer in layers]
    if len(set(ups)) < 2 or ups != sorted(ups) or layers[-1].shape != shape:
        raise ValueError(
            f"{name} must consist of convolutions, then transposed convolutions back to {shape}"
        )
    return shape, layers


def _note(layers: list[Layer], module: nn.Module, y: Tensor) -> None:
    """Add a module that has run: a convolution begins a layer, and other modules join it."""
    kind, count = type(module).__name__, sum(p.numel() for p in module.parameters())
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        up = isinstance(module, nn.ConvTranspose2d)
        window, stride = "×".join(map(str, module.kernel_size)), f"stride {module.stride[0]}"
        layers.append(Layer(up, tuple(y.shape[1:]), window, stride, parameters=count))
    elif layers and not isinstance(module, nn.Identity):
        layer = layers[-1]._replace(parameters=layers[-1].parameters + count)
        if "Norm" in kind:
            layers[-1] = layer._replace(norm=NORMS.get(kind, kind))
        else:
            layers[-1] = layer._replace(activation=f"{layer.activation} {kind}".strip())
