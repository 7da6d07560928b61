"""Communication between the processes of one run; with a single process, nothing is sent.

A batch is split into equal parts over the processes, in the order of their ranks.
"""

__all__ = ["gather", "mean", "number", "rank"]

import torch.distributed as dist
from torch import Tensor


def number() -> int:
    """The number of processes."""
    return dist.get_world_size() if _there() else 1


def rank() -> int:
    """The rank of this process, from 0."""
    return dist.get_rank() if _there() else 0


def mean(x: Tensor) -> Tensor:
    """The mean of x over all processes, without gradient, of the shape of x."""
    x = x.detach()
    if number() > 1:
        x = x.clone()
        dist.all_reduce(x)
        x /= number()
    return x


def gather(x: Tensor) -> Tensor:
    """The parts of all processes, without gradient: (n, ...) to (n times processes, ...)."""
    x = x.detach().contiguous()
    if number() == 1:
        return x
    whole = x.new_empty((len(x) * number(), *x.shape[1:]))
    _all_gather(whole, x)
    return whole


def _all_gather(whole: Tensor, x: Tensor) -> None:
    name = "all_gather_single"  # its name from PyTorch 2.13 on
    getattr(dist, name, dist.all_gather_into_tensor)(whole, x)


def _there() -> bool:
    return dist.is_available() and dist.is_initialized()
