r"""Applying the network: projection, trajectories, and their stability.

The network maps any input towards the set of images that it leaves unchanged. These functions
run it in evaluation mode. Role norms use the statistics of data, or the statistics of noise for
the first application if the caller passes ``noise=True``.
"""

__all__ = [
    "RESOLUTION",
    "Stability",
    "applied",
    "evaluating",
    "iterates",
    "project",
    "stability",
    "trajectory",
]

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import chain
from threading import RLock
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ign.core.deprecated import renamed
from ign.core.inputs import whole_numbers
from ign.nn.norm import role
from ign.objective.distance import Distance, find_distance, l1

RESOLUTION = 1e-6
"""Differences up to this size are rounding: the last bits of a score depend on the batch size."""

_LOCK = RLock()


def __getattr__(name: str) -> Any:
    return renamed(__name__, name, {"walk": "iterates"})


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Run the network in evaluation mode, without autocast and TF32, and restore its mode.

    Only one thread at a time can be inside, since mode and role are attributes of the network.
    """
    cudnn = torch.backends.cudnn
    with _LOCK:
        training = network.training
        network.eval()
        try:
            with (
                cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
                torch.autocast(device_of(network).type, enabled=False),
            ):
                yield
        finally:
            network.train(training)


def device_of(network: nn.Module) -> torch.device:
    """The device of the network's first parameter or buffer; the CPU if it has neither."""
    first = next(chain(network.parameters(), network.buffers()), None)
    return torch.device("cpu") if first is None else first.device


def project(network: nn.Module, y: Tensor, applications: int = 1, tolerance: float = 0.0) -> Tensor:
    r"""Project images onto the data's manifold: :math:`f^k(y)`.

    With a tolerance :math:`\epsilon` an image comes to rest at the first
    :math:`f^j(y), 1 \le j \le k`, that is less than :math:`\epsilon` away from
    :math:`f^{j-1}(y)` in mean absolute difference. The bound is raised by
    :data:`RESOLUTION`, since the last bits of a difference depend on the batch size.

    Args:
        network: The network f.
        y: Images, (B, C, H, W) in [-1, 1].
        applications: k, at least 0.
        tolerance: :math:`\epsilon`, at least 0; with 0 all k applications are made.

    Returns:
        (B, C, H, W); differentiable.

    Raises:
        ValueError: k or the tolerance is below 0.

    References:
        Shocher et al., 2024, Section 4 (arXiv 2311.01462).
    """
    if not tolerance >= 0:
        raise ValueError(f"tolerance {tolerance} must be at least 0")
    if tolerance == 0:
        return trajectory(network, y, [applications])[0]
    _applications([applications], 0)
    moving = torch.arange(len(y), device=y.device)
    with evaluating(network):
        for _ in range(applications):
            before = y[moving]
            after = network(before)
            y = y.index_copy(0, moving, after)
            moving = moving[l1(after, before) >= tolerance + RESOLUTION]
            if not len(moving):
                break
    return y


def trajectory(
    network: nn.Module, y: Tensor, applications: Sequence[int], noise: bool = False
) -> list[Tensor]:
    r"""The images after each of the given numbers of applications: :math:`f^k(y), k \in K`.

    Only the images that are asked for are in memory, however large k is.

    Args:
        network: The network f.
        y: Images or noise, (B, C, H, W).
        applications: K, each at least 0 (1 for noise).
        noise: Whether y is noise.

    Returns:
        One (B, C, H, W) for each k, in the order given.

    Raises:
        ValueError: No k is given, or one is below the minimum.

    References:
        Shocher et al., 2024, Figures 7, 8 and 16 (arXiv 2311.01462).
    """
    least = 1 if noise else 0
    wanted = _applications(applications, least)
    with evaluating(network):
        found = {k: y for k, y in iterates(network, y, max(wanted), noise) if k in wanted}
    return [found[k] for k in applications]


class Stability(NamedTuple):
    """What happens to each image under repeated application, at each of K numbers k.

    Attributes:
        applications: The numbers k.
        drift: How far the next application moves it, D(f^{k+1}(y), f^k(y)), (K, B).
        moved: How far it is from where it started, D(f^k(y), y), (K, B).
        psnr: Likeness to the first application in dB, peak 2, (K, B); infinite at k = 1.
        diverged: The first k at which the likeness is under the floor, (B,); 0 for none.
    """

    applications: tuple[int, ...]
    drift: Tensor
    moved: Tensor
    psnr: Tensor
    diverged: Tensor


@torch.no_grad()
def stability(
    network: nn.Module,
    y: Tensor,
    applications: Sequence[int],
    distance: str | Distance = "l1",
    noise: bool = False,
    floor: float = 15.0,
) -> Stability:
    r"""Follow images under repeated application, and find when they become other images.

    .. math::

        \mathrm{PSNR}_k = 10 \log_{10} \frac{4}{\mathrm{MSE}(f^k(y), f(y))}, \qquad
        k_\mathrm{diverged} = \min \{k : \mathrm{PSNR}_k < \mathrm{floor}\}

    Every k up to the largest counts for the divergence, not only the ones in ``applications``. An
    image that is no longer finite has diverged. A few batches are in memory, however large k is.

    Args:
        network: The network f.
        y: Images or noise, (B, C, H, W).
        applications: The numbers k to report, each at least 1.
        distance: D, as in :class:`ign.objective.IGNObjective`.
        noise: Whether y is noise.
        floor: Likeness in dB under which an image counts as another one.

    Raises:
        ValueError: No k is given, or one is below 1.

    References:
        Shocher et al., 2024, Figures 7, 8 and 16 (arXiv 2311.01462).
    """
    wanted, d = _applications(applications, 1), find_distance(distance)
    diverged = torch.zeros(len(y), dtype=torch.int64, device=y.device)
    found: dict[int, list[Tensor]] = {}
    first = last = y
    with evaluating(network):
        for k, now in iterates(network, y, max(wanted) + 1, noise):
            if k == 1:
                first = now
            if k - 1 in wanted:
                found[k - 1].append(d(now, last))
            if 1 <= k <= max(wanted):
                likeness = _psnr(now, first)
                lost = ~(likeness >= floor) & (diverged == 0)
                diverged = torch.where(lost, k, diverged)
                if k in wanted:
                    found[k] = [d(now, y), likeness]
            last = now
    moved, psnr, drift = (
        torch.stack(column) for column in zip(*(found[k] for k in applications), strict=True)
    )
    return Stability(tuple(applications), drift, moved, psnr, diverged)


def _psnr(a: Tensor, b: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each image in dB, of values in [-1, 1], (B,)."""
    return 10 * (4 / (a - b).square().flatten(1).mean(1)).log10()


def applied(k: int, to: str) -> str:
    """What k applications are called: f(z), f(f(z)), f(f(f(z))), f^4(z), ..."""
    return f"f^{k}({to})" if k > 3 else "f(" * k + to + ")" * k


def _applications(applications: Sequence[int], least: int) -> set[int]:
    """The numbers of applications, checked."""
    return set(whole_numbers(applications, "applications", least))


def iterates(network: nn.Module, y: Tensor, last: int, noise: bool) -> Iterator[tuple[int, Tensor]]:
    """(k, f^k(y)) for k from 0 to ``last``, one at a time."""
    yield 0, y
    for k in range(1, last + 1):
        with role(network, "noise") if noise and k == 1 else nullcontext():
            y = network(y)
        yield k, y
