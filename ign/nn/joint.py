"""Batch norm with the statistics of the joined batch of all processes."""

__all__ = ["joint_batch_norm"]

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from ign.core import processes

OVER = (0, 2, 3)


def joint_batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor,
    bias: Tensor,
    momentum: float,
    eps: float,
) -> Tensor:
    r"""Normalize by the mean and variance over the batches of all processes.

    With :math:`n_p` values a map, mean :math:`\mu_p` and variance :math:`v_p` on process p,

    .. math:: \mu = \tfrac{1}{N} \sum_p n_p \mu_p, \qquad
        \sigma^2 = \tfrac{1}{N} \sum_p n_p (v_p + (\mu_p - \mu)^2)

    Values, gradients and running statistics equal :func:`torch.nn.functional.batch_norm` in
    training on the joined batch, as with :class:`torch.nn.SyncBatchNorm`, on any device. Each
    call costs one collective of 2C + 1 numbers forward and one of 2C backward.

    Args:
        x: This process's part of the batch.
        running_mean: Moved towards the mean, or None.
        running_var: Moved towards the unbiased variance, or None.
        weight: :math:`\gamma`, (C,).
        bias: :math:`\beta`, (C,).
        momentum: The weight of this batch in the running statistics.
        eps: Added to the variance.

    Shape:
        (B, C, H, W) to the same.
    """
    with torch.no_grad():
        mean, var, count = _statistics(x)
        if running_mean is not None and running_var is not None:
            running_mean.lerp_(mean.to(running_mean.dtype), momentum)
            unbiased = var * (count / (count - 1))
            running_var.lerp_(unbiased.to(running_var.dtype), momentum)
    y: Tensor = _Normalize.apply(x, weight, bias, mean, var, count, eps)
    return y


def _statistics(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, variance and number of values a map of the joined batch: (C,), (C,), ()."""
    exact = x.to(torch.promote_types(x.dtype, torch.float32))
    var, mean = torch.var_mean(exact, OVER, correction=0)
    count = mean.new_tensor([x.numel() // x.shape[1]])
    parts = processes.gather(torch.cat([mean, var, count])[None])
    counts = parts[:, -1:]
    means, variances = parts[:, :-1].chunk(2, 1)
    total = counts.sum()
    mean = (counts * means).sum(0) / total
    var = (counts * (variances + (means - mean).square())).sum(0) / total
    return mean, var, total


class _Normalize(Function):
    """y = weight (x - mean) / sqrt(var + eps) + bias, where mean and var depend on all x."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor,
        mean: Tensor, var: Tensor, count: Tensor, eps: float,
    ) -> Tensor:  # fmt: skip
        ctx.save_for_backward(x, weight, mean, (var + eps).rsqrt(), count)
        kind = weight.dtype
        return F.batch_norm(x, mean.to(kind), var.to(kind), weight, bias, False, 0.0, eps)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, scale, count = ctx.saved_tensors
        normal = (x - _maps(mean)) * _maps(scale)
        own = torch.stack([dy.to(normal.dtype).sum(OVER), (dy * normal).sum(OVER)])
        dbias, dweight = own.to(weight.dtype)
        dx = None
        if ctx.needs_input_grad[0]:
            whole = own.clone()
            dist.all_reduce(whole)
            dmean, dvar = whole / count
            dx = (dy - _maps(dmean) - normal * _maps(dvar)) * _maps(scale * weight)
            dx = dx.to(x.dtype)
        return dx, dweight, dbias, None, None, None, None


def _maps(x: Tensor) -> Tensor:
    return x[:, None, None]
