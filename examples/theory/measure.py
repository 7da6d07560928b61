"""Measures of a trained network against the known density."""

__all__ = ["SAMPLES", "STILL", "Judgement", "area", "farthest", "judge", "judge_drift"]

from typing import NamedTuple

import torch
from torch import Tensor, nn

from examples.theory.densities import SIDE, Density, centres, probabilities, tally
from examples.theory.training import bounded

SAMPLES = 50_000
STILL = 0.05
"""A point with a smaller drift counts as on the manifold. In the units of the plane it is 0.15."""


class Judgement(NamedTuple):
    """Predictions of the theory and the measured values.

    Args:
        tv: Total variation between P_theta and P_x over the cells.
        floor: Total variation between P_x and the same number of samples of P_x.
        decided: The share of cells where P_x < w_t P_theta is decided, three standard errors away.
        indicator: The share of decided cells where the indicator predicts whether the drift is
            above half of its maximum.
        constant: The share of the larger class of decided cells, which is the accuracy of a
            constant prediction.
        rank: The probability that a cell with P_x < w_t P_theta has a larger drift than a cell
            without.
        idem: L_idem, with the drift of each point divided by its maximum.
        off: The probability that f(z) is in a cell with P_x < w_t P_theta.
        rec: L_rec.
        area: The share of the box that is on the manifold.
    """

    tv: float
    floor: float
    decided: float
    indicator: float
    constant: float
    rank: float
    idem: float
    off: float
    rec: float
    area: float


def farthest(y: Tensor) -> Tensor:
    """The maximum drift of a point, M(y) = max D(a, y) over the box, (B,)."""
    return bounded(SIDE * torch.where(y < 0, 1.0, -1.0), y)


@torch.no_grad()
def area(network: nn.Module, dimensions: int) -> float:
    """The share of the box with a drift under :data:`STILL`."""
    y = centres(dimensions)
    return (bounded(network(y), y) < STILL).float().mean().item()


@torch.no_grad()
def judge(network: nn.Module, density: Density, tight: float, seed: int) -> Judgement:
    """Measure a network with new samples, which are different from the training samples."""
    g = torch.Generator().manual_seed(seed + 1_000_000)
    dimensions = density.centres.shape[1]
    x, y = density.sample(SAMPLES, g), network(torch.randn(SAMPLES, dimensions, generator=g))
    known, made = probabilities(density), tally(y)
    cells = centres(dimensions)
    drift = bounded(network(cells), cells) / farthest(cells)
    off = known < tight * made
    error = tight * (made.clamp(min=1 / SAMPLES) / SAMPLES).sqrt()
    decided = (known - tight * made).abs() > 3 * error
    fy = network(y)
    return Judgement(
        tv=_half(made, known),
        floor=_half(tally(x), known),
        **_agreement(drift, off, decided),
        idem=(bounded(fy, y) / farthest(y)).mean().item(),
        off=(made * off).sum().item(),
        rec=bounded(network(x), x).mean().item(),
        area=area(network, dimensions),
    )


@torch.no_grad()
def judge_drift(
    network: nn.Module, density: Density, made: Density, tight: float, seed: int
) -> dict[str, float]:
    """Test equations 21 and 23 for a network trained with L_rt alone; both densities are known.

    A cell is decided if the two sides differ by a fifth of the larger side, which is over 1e-4.
    """
    g = torch.Generator().manual_seed(seed + 1_000_000)
    known, other = probabilities(density), tight * probabilities(made)
    cells, y = centres(density.centres.shape[1]), made.sample(SAMPLES, g)
    larger = torch.maximum(known, other)
    decided = ((known - other).abs() > 0.2 * larger) & (larger > 1e-4)
    off = known < other
    return {
        **_agreement(bounded(network(cells), cells) / farthest(cells), off, decided),
        "idem": (bounded(network(y), y) / farthest(y)).mean().item(),
        "off": (other * off).sum().item() / tight,
    }


def _agreement(drift: Tensor, off: Tensor, decided: Tensor) -> dict[str, float]:
    """Measure how well the indicator predicts the drift of the decided cells."""
    truth, found = off[decided], drift[decided]
    share = truth.float().mean().item()
    return {
        "decided": decided.float().mean().item(),
        "indicator": ((found > 0.5) == truth).float().mean().item(),
        "constant": max(share, 1 - share),
        "rank": _rank(found[truth], found[~truth]),
    }


def _half(made: Tensor, known: Tensor) -> float:
    """Total variation; mass outside the box, where the data has none, counts in full."""
    outside = (1 - made.sum()).abs() + (1 - known.sum()).abs()
    return (0.5 * ((made - known).abs().sum() + outside)).item()


def _rank(high: Tensor, low: Tensor) -> float:
    """The probability that a first value is larger than a second one; ties count half."""
    over = (high[:, None] > low).float() + 0.5 * (high[:, None] == low).float()
    return over.mean().item()
