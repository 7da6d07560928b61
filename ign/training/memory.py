"""Check whether a network fits into memory before it is created."""

__all__ = ["require_memory"]

import os
from collections.abc import Callable

import torch
from torch import nn

from ign.training.precision import device_of

COPIES = {"cpu": 5}
"""Of the weights, while training: weights, average, gradient and Adam's two moments. Elsewhere
only the first two begin in the computer's memory."""


def require_memory(make: Callable[[], nn.Module], accelerator: str) -> None:
    """Refuse a network that is larger than the computer's memory.

    Args:
        make: Makes the network; called where tensors take no memory.
        accelerator: Where the run computes.

    Raises:
        ValueError: The network with its average and the optimizer's state is larger.
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
