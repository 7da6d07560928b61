"""Whether a file computes what the model does."""

__all__ = ["difference", "inputs"]

import torch
from torch import Tensor

from ign.data import to_float, to_uint8
from ign.export.graph import Graph
from ign.model import IGN


def inputs(model: IGN, sampler: bool, uint8: bool, seed: int) -> list[Tensor]:
    """What a file is tried on: batches of 3, and their first ones alone.

    Images are normal and uniform noise, the model's samples, samples with noise on them, and
    black and white pixels; for a sampler, normal noise and what has all its values at 4 or -4.
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
    """The largest difference of outputs from the model's, of values in [-1, 1].

    Of bytes it is how much further than half a level they are from the model's values.
    """
    off = [_off(model, graph, y, out) for y, out in zip(given, found, strict=True)]
    return float(torch.stack(off).max())  # NaN where there is one


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
