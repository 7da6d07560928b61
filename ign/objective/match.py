"""A term that spreads the samples over the data, an addition to the paper's objective.

The plain IGN covers the data poorly and produces blurred images between modes. The match term
compares kernel density estimates of samples and data.
"""

__all__ = ["MatchObjective", "kernel_divergence"]

from typing import Any

import torch
from torch import Tensor, nn

from ign.core import processes
from ign.objective.losses import Losses
from ign.objective.one_pass import check_weights
from ign.objective.paper import Network


class MatchObjective(nn.Module):
    """An objective with the kernel divergence of f(z) from the data added to it.

    Args:
        objective: The objective to extend, such as :class:`IGNObjective`.
        weight: The weight of :func:`kernel_divergence`.
        bandwidth: The bandwidth of :func:`kernel_divergence`.

    Shape:
        As the wrapped objective. ``anchors``, (M, C, H, W), are the data that f(z) is compared
        with; without them it is x, of all processes.

    Raises:
        ValueError: The weight is negative or not finite, the bandwidth is not above 0, or fewer
            than two samples are given.

    Note:
        With several processes the term is computed on the joined batch. With gradient accumulation
        each micro-batch has a term of its own.
    """

    def __init__(self, objective: nn.Module, weight: float, bandwidth: float = 0.05):
        super().__init__()
        check_weights(match_weight=weight)
        if not bandwidth > 0:
            raise ValueError(f"the bandwidth {bandwidth} must be above 0")
        self.objective, self.weight, self.bandwidth = objective, weight, bandwidth

    @property
    def one_pass(self) -> bool:
        """Whether the wrapped objective uses the one-pass form."""
        return bool(self.objective.one_pass)

    def forward(
        self, network: Network, x: Tensor, z: Tensor, anchors: Tensor | None = None, **rest: Any
    ) -> Losses:
        losses: Losses = self.objective(network, x, z, **rest)
        y, data = losses.samples, processes.gather(x) if anchors is None else anchors
        first = processes.rank() * len(y)
        term = kernel_divergence(y, data, self.bandwidth, processes.gather(y), first)
        return losses.add("match", self.weight, term)


def kernel_divergence(
    y: Tensor, x: Tensor, bandwidth: float = 0.05, outputs: Tensor | None = None, first: int = 0
) -> Tensor:
    r"""The divergence of outputs from data, both seen as kernel density estimates.

    .. math::
        h \, \mathbb{E}_i \left[ \log \tfrac{1}{n-1} \sum_{j \ne i} k(y_i, \bar y_j)
        - \log \tfrac{1}{m} \sum_j k(y_i, x_j) \right], \qquad
        k(a, b) = e^{-|a - b| / h \sqrt{d}}

    It estimates h times the Kullback-Leibler divergence of the outputs' density from the data's.
    Its gradient pulls each output towards the data near it and pushes it away from the other
    outputs near it, which are held constant (the bar). This counters blur and collapse.

    Args:
        y: Outputs, (n, ...), at least 2.
        x: Data, (m, ...).
        bandwidth: The bandwidth h of the kernel, as a root mean square difference of pixels.
        outputs: All outputs of the batch that y is a part of, (N, ...), which are held constant;
            the mean over the parts is then the divergence of the whole batch. None if y is the
            whole batch.
        first: The index of the first output of y among them.

    Returns:
        A scalar in at least single precision. Only y gets a gradient.

    Raises:
        ValueError: There are fewer than two outputs, or the bandwidth is not above 0.
    """
    outputs = y.detach() if outputs is None else outputs.detach()
    n, m = len(outputs), len(x)
    if n < 2 or not bandwidth > 0:
        raise ValueError(
            f"at least 2 outputs and a bandwidth above 0 are needed, not {n} and {bandwidth}"
        )
    y, x, outputs = (
        t.flatten(1).to(torch.promote_types(t.dtype, torch.float32)) for t in (y, x, outputs)
    )
    unit = bandwidth * y.shape[1] ** 0.5
    own = torch.arange(n, device=y.device) == torch.arange(len(y), device=y.device)[:, None] + first
    to_outputs = (-_distances(y, outputs) / unit).masked_fill(own, -torch.inf).logsumexp(1)
    to_data = (-_distances(y, x.detach()) / unit).logsumexp(1)
    bias = torch.tensor(m / (n - 1)).log().item()
    return bandwidth * ((to_outputs - to_data).mean() + bias)


def _distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances of all pairs by one matrix product, smooth at zero."""
    with torch.autocast(a.device.type, enabled=False):
        square = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T
    return (square.clamp(min=0) + 1e-8).sqrt()
