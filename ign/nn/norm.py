"""Normalization layers, among them a batch norm that knows which population it is looking at."""

__all__ = [
    "NORMS",
    "ROLES",
    "BatchNorm2d",
    "RoleBatchNorm2d",
    "batch_statistics",
    "make_norm",
    "role",
    "still",
    "synchronize",
]

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ign.core import processes
from ign.nn.joint import joint_batch_norm

ROLES = ("data", "noise", "output")
"""What a network can be told of its input."""

NORMS = ("batch", "role", "group", "none")
"""The names of :func:`make_norm`."""

UNKNOWN = "data"
"""The role of an input whose origin nobody states (measured: ``docs/roles.md``)."""


class BatchNorm2d(nn.BatchNorm2d):
    """PyTorch's batch norm, of the joined batch of all processes where ``joint`` is set.

    See :func:`synchronize`.
    """

    joint = False

    def forward(self, input: Tensor) -> Tensor:
        if not (self.joint and self.training and processes.number() > 1):
            return super().forward(input)
        moving = self.track_running_stats
        if moving and self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
        mean, var = (self.running_mean, self.running_var) if moving else (None, None)
        return joint_batch_norm(
            input, mean, var, self.weight, self.bias, self.momentum or 0.0, self.eps
        )


class RoleBatchNorm2d(nn.Module):
    r"""Batch norm with one set of running statistics for each role, one affine map for all.

    .. math:: y = \gamma \frac{x - \mu_r}{\sqrt{\sigma_r^2 + \epsilon}} + \beta

    In training :math:`\mu, \sigma` are those of the batch, exactly as in
    :class:`torch.nn.BatchNorm2d`. In evaluation they are the running statistics of role
    :math:`r \in` (data, noise, output). An IGN step passes three populations, :math:`x`,
    :math:`z` and :math:`f(z)`, through one network; pooled statistics fit none of them.

    The role is the attribute ``role``, set by the context :func:`ign.nn.role`; outside of it, it is
    the role of an input of unknown kind. Where ``joint`` is set (:func:`synchronize`) the batch
    is the joined one of all processes.

    Args:
        channels: The number of maps C.
        eps: Added to the variance.
        momentum: The weight of a new batch in the running statistics.

    Shape:
        (B, C, H, W) to (B, C, H, W).
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    joint = False

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.role = UNKNOWN
        self.track_running_stats = True
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(len(ROLES), channels))
        self.register_buffer("running_var", torch.ones(len(ROLES), channels))
        self.register_buffer("num_batches_tracked", torch.zeros(len(ROLES), dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        r = ROLES.index(self.role)
        moving = self.training and self.track_running_stats
        if moving:
            self.num_batches_tracked[r] += 1
        known = moving or not self.training
        mean = self.running_mean[r] if known else None
        var = self.running_var[r] if known else None
        if self.joint and self.training and processes.number() > 1:
            return joint_batch_norm(x, mean, var, self.weight, self.bias, self.momentum, self.eps)
        return F.batch_norm(
            x, mean, var, self.weight, self.bias, self.training, self.momentum, self.eps
        )

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}, momentum={self.momentum}"


@contextmanager
def role(network: nn.Module, name: str) -> Iterator[None]:
    """Let every module that has a ``role`` see its input as data, noise or output.

    Such modules are :class:`RoleBatchNorm2d` and the networks of ``ign.nn.latent``; a network
    without any is left as it is.

    Args:
        network: The network f.
        name: One of :data:`ROLES`.

    Raises:
        ValueError: The role is unknown.
    """
    if name not in ROLES:
        raise ValueError(f"role {name!r} is unknown; choose one of {', '.join(ROLES)}")
    told: list[Any] = [m for m in network.modules() if hasattr(m, "role")]
    before = [m.role for m in told]
    for m in told:
        m.role = name
    try:
        yield
    finally:
        for m, r in zip(told, before, strict=True):
            m.role = r


@contextmanager
def still(network: nn.Module) -> Iterator[None]:
    """Let every batch norm in training normalize as before, but leave its running statistics."""
    moving = [m for m in _batch_norms(network) if m.track_running_stats]
    for m in moving:
        m.track_running_stats = False
    try:
        yield
    finally:
        for m in moving:
            m.track_running_stats = True


def synchronize(network: nn.Module) -> None:
    """Let every batch norm of a network train on the joined batch of all processes from now on.

    All processes must then pass their parts through the network together. Layers of other kinds
    than :class:`BatchNorm2d` and :class:`RoleBatchNorm2d` stay as they are.

    Args:
        network: The network f, or any module.
    """
    for layer in network.modules():
        if isinstance(layer, BatchNorm2d | RoleBatchNorm2d):
            layer.joint = True


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Let every batch norm normalize by its batch, in evaluation mode too, and keep no record.

    Public IGN code evaluates so. An image then depends on the others of its batch, and a batch
    should be as large as those of training::

        with ign.nn.batch_statistics(model.network):
            images = model.sample(1000, batch_size=64)

    Args:
        network: The network f, or any module.
    """

    def train(layer: nn.Module, _: Any) -> None:
        layer.train()  # whatever the mode of the network

    layers = _batch_norms(network)
    before = [m.training for m in layers]
    hooks = [m.register_forward_pre_hook(train) for m in layers]
    try:
        with still(network):
            yield
    finally:
        for m, training, hook in zip(layers, before, hooks, strict=True):
            hook.remove()
            m.train(training)


def _batch_norms(network: nn.Module) -> list[Any]:
    kinds = (nn.modules.batchnorm._BatchNorm, RoleBatchNorm2d)
    return [m for m in network.modules() if isinstance(m, kinds)]


def make_norm(norm: str, channels: int) -> nn.Module:
    """The normalization layer of that name: ``batch``, ``role``, ``group`` or ``none``.

    Raises:
        ValueError: The name is unknown.
    """
    if norm == "batch":
        return BatchNorm2d(channels)
    if norm == "role":
        return RoleBatchNorm2d(channels)
    if norm == "group":
        return nn.GroupNorm(max(1, channels // 16), channels)
    if norm == "none":
        return nn.Identity()
    raise ValueError(f"norm {norm!r} is unknown; choose one of {', '.join(NORMS)}")
