"""Normalization layers, among them a batch norm with statistics for data and for noise."""

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
"""The roles that the input of a network can have, for :func:`role`."""

STORED = ("data", "noise")
"""The roles that have running statistics; inference reads no others (``docs/roles.md``)."""

NORMS = ("batch", "role", "group", "none")
"""The names of :func:`make_norm`."""

UNKNOWN = "data"
"""The role of an input if no other is set (``docs/roles.md``)."""


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
    r"""Batch norm with separate running statistics for data and noise, and one affine map.

    .. math:: y = \gamma \frac{x - \mu_r}{\sqrt{\sigma_r^2 + \epsilon}} + \beta

    In training, :math:`\mu` and :math:`\sigma` are computed from the batch, as in
    :class:`torch.nn.BatchNorm2d`. In evaluation they are the running statistics of noise for an
    input of role ``noise``, and the running statistics of data for any other. An IGN step passes
    three populations through one network, :math:`x`, :math:`z` and :math:`f(z)`; statistics of the
    mixture fit none of them. Outputs need no statistics of their own: in evaluation an output is an
    input like any other image.

    The role is the attribute ``role``, which the context :func:`ign.nn.role` sets; outside of it,
    the role is ``data``. If ``joint`` is set (:func:`synchronize`), the batch is the joined batch
    of all processes.

    State dicts of versions up to 0.1, with statistics of outputs as a third row, load without it.

    Args:
        channels: The number of maps C.
        eps: Added to the variance.
        momentum: The weight of a new batch in the running statistics.
        affine: Whether :math:`\gamma` and :math:`\beta` are trained; otherwise they are 1 and 0.

    Shape:
        (B, C, H, W) to (B, C, H, W).
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    joint = False

    def __init__(
        self, channels: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = True
    ):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.role = UNKNOWN
        self.track_running_stats = True
        weight, bias = torch.ones(channels), torch.zeros(channels)
        if affine:
            self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)
        else:
            self.register_buffer("weight", weight)
            self.register_buffer("bias", bias)
        self.register_buffer("running_mean", torch.zeros(len(STORED), channels))
        self.register_buffer("running_var", torch.ones(len(STORED), channels))
        self.register_buffer("num_batches_tracked", torch.zeros(len(STORED), dtype=torch.long))
        rows = len(ROLES)
        self.former_shapes: dict[str, list[tuple[int, ...]]] = {
            "running_mean": [(rows, channels)],
            "running_var": [(rows, channels)],
            "num_batches_tracked": [(rows,)],
        }
        """The shapes of buffers in state dicts of former versions."""

    def forward(self, x: Tensor) -> Tensor:
        mean: Tensor | None = None
        var: Tensor | None = None
        moving = self.training and self.track_running_stats and self.role in STORED
        if moving or not self.training:
            r = STORED.index(self.role if self.role in STORED else UNKNOWN)
            mean, var = self.running_mean[r], self.running_var[r]
        if moving:
            self.num_batches_tracked[r] += 1
        if self.joint and self.training and processes.number() > 1:
            return joint_batch_norm(x, mean, var, self.weight, self.bias, self.momentum, self.eps)
        return F.batch_norm(
            x, mean, var, self.weight, self.bias, self.training, self.momentum, self.eps
        )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        for name, shapes in self.former_shapes.items():
            value = state_dict.get(prefix + name)
            if value is not None and tuple(value.shape) in shapes:
                state_dict[prefix + name] = value[: len(STORED)].clone()
        super()._load_from_state_dict(state_dict, prefix, *args)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}, momentum={self.momentum}"


@contextmanager
def role(network: nn.Module, name: str) -> Iterator[None]:
    """Set the role of the input for every module of a network that has a ``role``.

    Such modules are :class:`RoleBatchNorm2d` and the networks of ``ign.nn.latent``. A network
    without such modules does not change.

    Args:
        network: The network f.
        name: One of :data:`ROLES`.

    Raises:
        ValueError: The role is unknown.
    """
    if name not in ROLES:
        raise ValueError(f"role {name!r} is unknown; choose one of {', '.join(ROLES)}")
    modules: list[Any] = [m for m in network.modules() if hasattr(m, "role")]
    before = [m.role for m in modules]
    for m in modules:
        m.role = name
    try:
        yield
    finally:
        for m, r in zip(modules, before, strict=True):
            m.role = r


@contextmanager
def still(network: nn.Module) -> Iterator[None]:
    """Keep the running statistics of every batch norm fixed; training normalizes as before."""
    moving = [m for m in _batch_norms(network) if m.track_running_stats]
    for m in moving:
        m.track_running_stats = False
    try:
        yield
    finally:
        for m in moving:
            m.track_running_stats = True


def synchronize(network: nn.Module) -> None:
    """Make every batch norm of a network train on the joined batch of all processes.

    All processes must then pass their parts through the network together. Only the layers
    :class:`BatchNorm2d` and :class:`RoleBatchNorm2d` change.

    Args:
        network: The network f, or any module.
    """
    for layer in network.modules():
        if isinstance(layer, BatchNorm2d | RoleBatchNorm2d):
            layer.joint = True


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Normalize by the batch in evaluation mode too, and keep the running statistics fixed.

    Other public IGN code evaluates in this way. An image then depends on the others of its batch,
    and a batch should be as large as in training::

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
