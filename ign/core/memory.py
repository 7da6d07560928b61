"""The memory of this computer, and an estimate of what a batch needs."""

__all__ = ["activations", "total"]

import os

import torch
from torch import Tensor, nn


def total() -> int | None:
    """The bytes of memory of this computer; None if the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def activations(network: nn.Module, shape: tuple[int, ...]) -> int | None:
    """The number of values that the modules of a network compute for one sample.

    Args:
        network: The network, with parameters on the device ``meta``; nothing is computed.
        shape: The shape of one sample.

    Returns:
        The sum over all modules without children, except those that work in place; None if it
        cannot be found out.
    """
    counts: list[int] = []

    def count(module: nn.Module, _: object, result: object) -> None:
        if isinstance(result, Tensor) and not getattr(module, "inplace", False):
            counts.append(result[0].numel())

    leaves = [module for module in network.modules() if not list(module.children())]
    handles = [leaf.register_forward_hook(count) for leaf in leaves]
    try:
        with torch.no_grad():
            network(torch.empty(2, *shape, device="meta"))
    except (NotImplementedError, RuntimeError, TypeError, ValueError):
        return None
    finally:
        for handle in handles:
            handle.remove()
    return sum(counts)
