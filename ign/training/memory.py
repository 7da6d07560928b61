"""Check whether a run fits into memory before it begins."""

__all__ = ["require_memory"]

from collections.abc import Callable

import torch
from torch import nn

from ign.core import memory
from ign.training.config import Config
from ign.training.precision import device_of, precision_of
from ign.training.strategy import placement

COPIES = {"cpu": 5}
"""The number of copies of the weights in the memory of the computer: weights, average, gradient and
the two moments of Adam. With another device, only the first two are in this memory."""
PASSES = {"ign": 3}
"""The number of forward passes that keep their activations for the backward pass: of x, z and f(z).
Other methods have at least one."""


def require_memory(
    make: Callable[[], nn.Module], config: Config, shape: tuple[int, int, int]
) -> None:
    """Refuse a network or a batch that is larger than the memory.

    The memory is the computer's, or the GPU's for the activations of a batch on a GPU.

    Args:
        make: A function that makes the network. It is called on the meta device.
        config: The run.
        shape: The shape of an image.

    Raises:
        ValueError: The network, its average and the optimizer state do not fit, or the activations
            of a micro-batch do not fit.
    """
    try:
        with torch.device("meta"):
            network = make()
    except (NotImplementedError, RuntimeError):
        return  # the size is not known without making the network
    parameters = sum(p.numel() for p in network.parameters())
    kind, there = device_of(config.trainer.accelerator), memory.total()
    needed = 4 * parameters * COPIES.get(kind, 2)
    if there is not None and needed > there:
        raise ValueError(
            f"the network has {parameters:,} parameters, for which training needs"
            f" {needed / 1e9:,.0f} GB of memory; this computer has"
            f" {there / 1e9:,.0f} GB; lower network.width"
        )
    if kind == "cuda" and torch.cuda.is_available():
        there = torch.cuda.get_device_properties(0).total_memory
    each = memory.activations(network, shape)
    if there is not None and each is not None:
        _require_batch(each, config, kind, there, shape)


def _require_batch(
    each: int, config: Config, kind: str, there: int, shape: tuple[int, int, int]
) -> None:
    """Refuse a batch whose activations, given for one image and pass, exceed the memory."""
    placed = placement(config)
    parts = config.trainer.accumulate_grad_batches * placed["num_nodes"]
    parts *= placed["devices"] if kind == "cuda" else 1
    size = 2 if precision_of(config.trainer) == "bf16-mixed" else 4
    needed = size * each * PASSES.get(config.method, 1) * config.batch_size // parts
    if needed > there:
        what = "the GPU" if kind == "cuda" else "this computer"
        raise ValueError(
            f"batch_size {config.batch_size:,} needs about {needed / 1e9:,.0f} GB of memory for"
            f" images of {shape[2]}x{shape[1]} pixels; {what} has {there / 1e9:,.0f} GB; lower"
            " batch_size, or raise trainer.accumulate_grad_batches"
        )
