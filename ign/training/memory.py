"""Check whether a network fits into memory before it is created."""

__all__ = ["require_memory"]

import os
from collections.abc import Callable

import torch
from torch import nn

from ign.training.precision import device_of

COPIES = {"cpu": 5}
"""The number of copies of the weights in the memory of the computer: weights, average, gradient and
the two moments of Adam. With another device, only the first two are in this memory."""


def require_memory(make: Callable[[], nn.Module], accelerator: str) -> None:
    """Refuse a network that is larger than the computer's memory.

    Args:
        make: A function that makes the network. It is called on the meta device.
        accelerator: The device of the run.

    Raises:
        ValueError: The network, its average and the optimizer state do not fit.
    """
    try:
        with torch.device("meta"):
            parameters = sum(p.numel() for p in make().parameters())
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, NotImplementedError, OSError, RuntimeError):
        return  # the size is not known without making the network, or the system does not say
    needed = 4 * parameters * COPIES.get(device_of(accelerator), 2)
    if needed > there:
        raise ValueError(
            f"the network has {parameters:,} parameters, for which training needs"
            f" {needed / 1e9:,.0f} GB of memory; this computer has"
            f" {there / 1e9:,.0f} GB; lower network.width"
        )
