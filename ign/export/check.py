"""The check that the outputs of a file equal the outputs of the model."""

__all__ = ["difference", "inputs"]

import torch
from torch import Tensor

from ign.data import to_float, to_uint8
from ign.export.graph import Graph
from ign.model import IGN


def inputs(model: IGN, sampler: bool, uint8: bool, seed: int) -> list[Tensor]:
    """Make the inputs of the check: batches of 3, and the first image of each as a batch of 1.

    The images are normal noise, uniform noise, samples, samples with added noise, and black and
    white pixels. For a sampler they are normal noise, and noise whose values are all 4 or -4.
    """
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(3, *model.shape, generator=generator)
    if sampler:
        found = [normal, 4 * normal.sign()]
    else:
        uniform = torch.rand(3, *model.shape, generator=generator) * 2 - 1
        samples = model.sample(3, seed=seed)
        found = [normal, uniform, samples, samples + normal / 2, normal.sign()]
        if uint8:
            found = [to_uint8(y).movedim(1, -1).contiguous() for y in found]
    return found + [y[:1] for y in found]


def difference(model: IGN, graph: Graph, given: list[Tensor], found: list[Tensor]) -> float:
    """The largest difference between outputs of a file and of the model, for values in [-1, 1].

    For bytes it is the difference beyond half a level, since half a level is due to rounding.
    """
    off = [_off(model, graph, y, out) for y, out in zip(given, found, strict=True)]
    return float(torch.stack(off).max())  # NaN if a difference is NaN


def _off(model: IGN, graph: Graph, y: Tensor, out: Tensor) -> Tensor:
    if graph.noise is not None:
        [wanted] = model.trajectory(model.noise.color(y), [graph.applications], noise=True)
    else:
        y = to_float(y.movedim(-1, 1)) if graph.uint8 else y
        wanted = model.project(y, graph.applications)
    if graph.uint8:
        levels = (wanted.clamp(-1, 1) + 1) * 127.5
        return ((out.movedim(-1, 1) - levels).abs().max() - 0.5).clamp(min=0) / 127.5
    return (out - wanted).abs().max()
