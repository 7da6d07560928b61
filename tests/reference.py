"""The paper's training step, written out with an explicit frozen copy."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": lambda a, b: (a - b).abs().mean(),
    "l2": lambda a, b: (a - b).square().mean(),
}


@dataclass
class Step:
    """What a step leaves behind."""

    total: Tensor
    rec: Tensor
    idem: Tensor
    tight: Tensor
    gradient: Tensor
    statistics: dict[str, Tensor]


def gradient(network: nn.Module) -> Tensor:
    """All gradients of a network in one vector."""
    return torch.cat([p.grad.flatten() for p in network.parameters()])


def statistics(network: nn.Module) -> dict[str, Tensor]:
    """The buffers of a network."""
    return {k: v.clone() for k, v in network.named_buffers()}


def listing(
    network: nn.Module,
    x: Tensor,
    z: Tensor,
    distance: str = "l1",
    weights: tuple[float, float, float] = (20.0, 20.0, 2.5),
    ratio: float | None = 1.5,
) -> Step:
    """The listing of the paper's appendix, with equation 14 on L_rec of x."""
    f = copy.deepcopy(network)
    f_copy = copy.deepcopy(network)
    f.zero_grad()
    d = DISTANCES[distance]

    fx = f(x)
    fz = f(z)
    f_z = fz.detach()
    ff_z = f(f_z)
    f_fz = f_copy(fz)

    loss_rec = d(fx, x)
    loss_idem = d(f_fz, fz)
    loss_tight = -d(ff_z, f_z)
    if ratio is not None:
        bound = ratio * loss_rec.detach()
        loss_tight = torch.tanh(loss_tight / bound) * bound
    loss = weights[0] * loss_rec + weights[1] * loss_idem + weights[2] * loss_tight
    loss.backward()
    terms = (t.detach() for t in (loss, loss_rec, loss_idem, loss_tight))
    return Step(*terms, gradient(f), statistics(f))


def step(objective: nn.Module, network: nn.Module, x: Tensor, z: Tensor) -> Step:
    """One step of an objective on a copy of the network."""
    f = copy.deepcopy(network)
    f.zero_grad()
    losses = objective(f, x, z)
    losses.total.backward()
    total = losses.total.detach()
    return Step(total, losses.rec, losses.idem, losses.tight, gradient(f), statistics(f))


def error(found: Tensor, wanted: Tensor) -> float:
    """The relative error of a vector."""
    return ((found - wanted).norm() / wanted.norm()).item()


def agrees(found: Step, wanted: Step, tolerance: float = 1e-12) -> bool:
    """Whether values, gradients and running statistics are those of the listing."""
    values = all(
        abs(getattr(found, k) - getattr(wanted, k)) <= tolerance * (1 + abs(getattr(wanted, k)))
        for k in ("total", "rec", "idem", "tight")
    )
    same = all(torch.equal(v, found.statistics[k]) for k, v in wanted.statistics.items())
    return values and same and error(found.gradient, wanted.gradient) < tolerance
