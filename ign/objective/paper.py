r"""The objective of the paper: reconstruction, idempotence and tightness.

With a distance :math:`D` and the drift :math:`\delta_\theta(y) = D(y, f_\theta(y))`,

.. math::
    L_{rec}   &= \delta_\theta(x) \\
    L_{idem}  &= \delta_{\bar\theta}(f_\theta(z)) \\
    L_{tight} &= -\delta_\theta(\bar y), \quad \bar y = f_{\bar\theta}(z)

A bar marks a constant: the gradient of the idempotence loss reaches only the inner f, and the
gradient of the tightness loss only the outer one (Shocher et al., 2024, Section 2.2,
arXiv 2311.01462). This module is the paper and nothing else. :mod:`ign.objective.one_pass` computes
the same gradient with fewer passes, and the other modules of the package add terms of their own.
"""

__all__ = [
    "SCALE_FLOOR",
    "Losses",
    "Network",
    "clamp",
    "drift",
    "frozen",
    "idempotence",
    "paper_losses",
    "reconstruction",
    "tightness",
]

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ign.nn.norm import still
from ign.objective.distance import Distance, find_distance
from ign.objective.losses import Losses

Network = Callable[[Tensor], Tensor]
"""f, (B, ...) to the same shape."""

SCALE_FLOOR = 1e-6
"""The smallest scale of the clamp, so that a perfect reconstruction does not divide by zero."""


@contextmanager
def frozen(network: Network) -> Iterator[None]:
    r"""Treat the network as the constant :math:`f_{\bar\theta}`: only its input gets a gradient.

    The parameters get no gradient and the running statistics do not move. No copy is made.
    """
    if not isinstance(network, nn.Module):
        yield
        return
    trainable = {name for name, p in network.named_parameters() if p.requires_grad}
    network.requires_grad_(False)
    try:
        with still(network):
            yield
    finally:
        for name, p in network.named_parameters():  # by name: FSDP2 exchanges the tensors
            p.requires_grad_(name in trainable)


def drift(network: Network, y: Tensor, distance: str | Distance = "l1") -> Tensor:
    r"""How far the network moves each input, :math:`\delta_\theta(y) = D(f_\theta(y), y)`, (B,)."""
    return find_distance(distance)(network(y), y)


def reconstruction(network: Network, x: Tensor, distance: str | Distance = "l1") -> Tensor:
    r"""The reconstruction loss :math:`L_{rec} = \delta_\theta(x)`, a scalar."""
    return drift(network, x, distance).mean()


def idempotence(network: Network, z: Tensor, distance: str | Distance = "l1") -> Tensor:
    r"""The idempotence loss :math:`L_{idem} = \delta_{\bar\theta}(f_\theta(z))`, a scalar.

    It moves f(z) to where the fixed f changes nothing.
    """
    y = network(z)
    with frozen(network):
        return drift(network, y, distance).mean()


def tightness(network: Network, z: Tensor, distance: str | Distance = "l1") -> Tensor:
    r"""The tightness loss :math:`L_{tight} = -\delta_\theta(\bar y)`, a scalar.

    It lets f move what it has generated, so that the set of fixed points stays tight around the
    data. Here :math:`\bar y = f_{\bar\theta}(z)` is a constant.
    """
    with torch.no_grad():
        y = network(z)
    return -drift(network, y, distance).mean()


def clamp(value: Tensor, scale: Tensor, ratio: float | None) -> tuple[Tensor, Tensor]:
    r"""Bound the drift that tightness can gain, and return the slope of the bound.

    .. math::
        T(d) = a s \tanh \frac{d}{a s}, \qquad T'(d) = \frac{1}{\cosh^2 (d / a s)}

    The slope has a floor of 1e-14 in double and 1e-8 in single precision. The floor preserves the
    idempotence gradient of the one-pass form where the clamp saturates.

    Args:
        value: The drift d, any shape.
        scale: The scale s, usually the current reconstruction loss; the same shape.
        ratio: The ratio a, or None for no clamp.

    Returns:
        T(d) and T'(d), both without gradient, of the shape of ``value``.

    References:
        Shocher et al., 2024, equation 14 (arXiv 2311.01462).
    """
    value = value.detach()
    if ratio is None:
        return value, torch.ones_like(value)
    bound = ratio * scale.detach().clamp(min=SCALE_FLOOR)
    floor = 1e-14 if value.dtype == torch.float64 else 1e-8
    slope = (value / bound).cosh().square().reciprocal().clamp(min=floor)
    return bound * (value / bound).tanh(), slope


def paper_losses(
    network: Network,
    x: Tensor,
    z: Tensor,
    distance: str | Distance = "l1",
    weights: tuple[float, float, float] = (20.0, 20.0, 2.5),
    clamp_ratio: float | None = 1.5,
) -> Losses:
    r"""The whole objective of the paper, one pass for each term.

    .. math::
        L = w_r L_{rec} + w_i L_{idem} - w_t \, T(\delta_\theta(\bar y))

    Args:
        network: The network f.
        x: Data, (B, C, H, W) in [-1, 1].
        z: Noise, (B, C, H, W).
        distance: D.
        weights: :math:`w_r, w_i, w_t`.
        clamp_ratio: The ratio a of the clamp T, whose scale is :math:`L_{rec}`; None for no clamp.

    References:
        Shocher et al., 2024, Section 2.2, equations 11 and 14, and the listing of the appendix.
    """
    d = find_distance(distance)
    rec = d(network(x), x).mean()
    y = network(z)
    with frozen(network):
        idem = d(network(y), y).mean()
    constant = y.detach()
    outer = d(network(constant), constant).mean()
    value, slope = clamp(outer, rec, clamp_ratio)
    tight = -(value + slope * (outer - outer.detach()))
    total = weights[0] * rec + weights[1] * idem + weights[2] * tight
    terms = {"rec": rec.detach(), "idem": idem.detach(), "tight": tight.detach()}
    return Losses(total, terms, y)
