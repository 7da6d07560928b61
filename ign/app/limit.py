"""A limit on the time for which a job may use the model."""

__all__ = ["SECONDS", "limited", "time_limit"]

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from torch import nn

SECONDS = 90.0
"""The number of seconds after which a job stops before the next layer of the network."""
P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def time_limit(network: nn.Module, seconds: float) -> Iterator[None]:
    """Limit the time of a computation; it stops before the next layer of the network.

    Args:
        network: The network.
        seconds: The time limit, from the beginning of the block.

    Raises:
        ValueError: The network or one of its layers is called after the time limit.
    """
    end = time.monotonic() + seconds

    def check(*_: Any) -> None:
        if time.monotonic() > end:
            raise ValueError(
                f"this takes over {seconds:g} seconds and was stopped; ask for fewer images,"
                " variations or applications"
            )

    handles = [layer.register_forward_pre_hook(check) for layer in network.modules()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def limited(task: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Limit a method that runs ``self.model`` to :data:`SECONDS`."""

    @wraps(task)
    def run(self: Any, *args: P.args, **options: P.kwargs) -> R:
        with time_limit(self.model.network, SECONDS):
            return task(self, *args, **options)

    return run
