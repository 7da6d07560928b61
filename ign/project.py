r"""Applying the network: projection, trajectories, drift.

The network maps any input towards the set of images that it leaves alone. Everything here uses
the network as one function in evaluation mode, whatever the origin of its input; only
:func:`generate`, whose input is known to be noise, lets role norms know it.
"""

__all__ = ["displacement", "evaluating", "generate", "project", "trajectory"]

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock

import torch
from torch import Tensor, nn

from ign.distance import Distance, find_distance
from ign.nn.norm import role

_LOCK = RLock()


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Run the network in evaluation mode and in full float32 precision, and restore its mode.

    One thread at a time, since mode and role are the network's own state.
    """
    cudnn = torch.backends.cudnn
    with _LOCK:
        training = network.training
        network.eval()
        try:
            with (
                cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
                torch.autocast(next(network.parameters()).device.type, enabled=False),
            ):
                yield
        finally:
            network.train(training)


def project(network: nn.Module, y: Tensor, applications: int = 1) -> Tensor:
    r"""Project images onto the data's manifold: :math:`f^k(y)`.

    Args:
        network: The network f.
        y: Images, (B, C, H, W) in [-1, 1].
        applications: k, at least 0.

    Returns:
        (B, C, H, W); differentiable.

    Raises:
        ValueError: k below 0.

    References:
        Shocher et al., 2024, Section 4 (arXiv 2311.01462).
    """
    return trajectory(network, y, [applications])[0]


def generate(network: nn.Module, z: Tensor, applications: int = 1) -> Tensor:
    r"""Turn noise into images: :math:`f^k(z)`, the first application in the role of noise.

    Args:
        network: The network f.
        z: Noise, (B, C, H, W).
        applications: k, at least 1.

    Returns:
        (B, C, H, W); differentiable.

    Raises:
        ValueError: k below 1.
    """
    return trajectory(network, z, [applications], noise=True)[0]


def trajectory(
    network: nn.Module, y: Tensor, applications: Sequence[int], noise: bool = False
) -> list[Tensor]:
    r"""The images after each of the given numbers of applications: :math:`f^k(y), k \in K`.

    Memory is that of the images asked for, however large k is.

    Args:
        network: The network f.
        y: Images or noise, (B, C, H, W).
        applications: K, each at least 0 (1 for noise).
        noise: Whether y is noise.

    Returns:
        One (B, C, H, W) for each k, in the order given.

    Raises:
        ValueError: No k, or one below the least.

    References:
        Shocher et al., 2024, Figures 7, 8 and 16 (arXiv 2311.01462).
    """
    wanted, least = set(applications), 1 if noise else 0
    if not wanted or min(wanted) < least:
        raise ValueError(f"applications must be {least} or more, not {list(applications)}")
    found = {0: y} if 0 in wanted else {}
    with evaluating(network):
        for k in range(1, max(wanted) + 1):
            if noise and k == 1:
                with role(network, "noise"):
                    y = network(y)
            else:
                y = network(y)
            if k in wanted:
                found[k] = y
    return [found[k] for k in applications]


def displacement(network: nn.Module, y: Tensor, distance: str | Distance = "l1") -> Tensor:
    r"""The drift in evaluation mode, :math:`\delta(y) = D(f(y), y)`: how far y is from the data.

    Args:
        network: The network f.
        y: Images, (B, C, H, W) in [-1, 1].
        distance: As in :class:`ign.objective.IGNObjective`.

    Returns:
        (B,), 0 on the estimated manifold.

    References:
        Shocher et al., 2024, Section 2.1 (arXiv 2311.01462).
    """
    return find_distance(distance)(project(network, y), y)
