r"""The objective of the paper, exactly, with one pass through the outer network instead of two.

Idempotence and tightness both need :math:`f(f(z))`, with equal values. They differ in what the
gradient reaches: the inner f for idempotence, the outer f for tightness. One pass serves both when
the gradient that flows from it into :math:`f(z)` is multiplied by :math:`-w_i / (w_t T')`. Where
no single factor relates the two, two gradients of the pass are taken (:mod:`ign.objective.terms`).
"""

__all__ = ["IGNObjective", "Pass"]

import math
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ign.core import processes
from ign.nn.norm import role
from ign.objective.distance import Distance, find_distance
from ign.objective.losses import Losses
from ign.objective.paper import Network, clamp, frozen
from ign.objective.terms import Term, constant, is_compiled, weigh

MOVED = {
    "match_weight": "ign.objective.MatchObjective",
    "match_bandwidth": "ign.objective.MatchObjective",
    "adversarial_weight": "ign.objective.AdversarialObjective",
    "sharp_weight": "ign.objective.AdversarialObjective (reconstruction_weight)",
}
"""The arguments of version 0.1 that are now separate objectives."""


class Pass(NamedTuple):
    """A pass of a batch through the network.

    Attributes:
        input: y, (B, C, H, W).
        output: f(y), (B, C, H, W).
        drift: D(f(y), y) for each image, (B,).
        code: The code of y, (B, K); None if it was not requested.
    """

    input: Tensor
    output: Tensor
    drift: Tensor
    code: Tensor | None = None


class IGNObjective(nn.Module):
    r"""The loss of an Idempotent Generative Network.

    .. math::
        L = w_r L_{rec} + w_i L_{idem} - w_t \, T(\delta_\theta(\bar y))

    T is the clamp of equation 14 (:func:`clamp`). By default the outer network runs once, and the
    gradient that flows from it into :math:`f(z)` is multiplied by :math:`-w_i / (w_t T')`. The
    result is exactly the gradient of the three terms with a frozen copy of the network, with three
    forward passes instead of four and without the copy. Where no single factor exists (a
    per-sample clamp, float16, a zero weight) two gradients of the one outer pass are taken. A term
    without weight has no backward pass.

    Args:
        distance: ``l1``, ``l2``, an import path ``package.module:function``, or a callable
            (B, ...), (B, ...) to (B,).
        rec_weight: :math:`w_r`.
        idem_weight: :math:`w_i`.
        tight_weight: :math:`w_t`.
        clamp_ratio: The ratio a of the clamp, above 0, or None for no clamp.
        clamp_scale: The scale of the clamp, which is held constant: ``x`` for the batch's
            :math:`L_{rec}`, ``z`` for the batch's drift of the noise, ``sample`` for a clamp of
            each sample on the drift of the data sample at the same place in the batch.
        one_pass: Whether one gradient of the outer pass serves both terms, and not two; None to
            use one wherever that is possible.

    Shape:
        x and z (B, C, H, W). ``noise``, (B, C, H, W), is added to what the network sees of x and of
        f(z). The network then has to remove it: :math:`D(f(x + n), x)` replaces
        :math:`D(f(x), x)`. The paper has no such noise. Returns scalars (:class:`Losses`).

    Raises:
        ValueError: A weight is negative or not finite, the ratio is not above 0, the distance or
            the scale is unknown, or ``one_pass=True`` does not apply.

    Note:
        With several processes the mean of their losses is the loss of the joined batch. The clamp
        uses the mean drift and the mean reconstruction loss over all of them. With gradient
        accumulation each micro-batch has a clamp of its own, so that the gradient equals the
        joined batch's only without a clamp.

    References:
        Shocher et al., 2024, Sections 2.2 and 3.1, equations 11 and 14 (arXiv 2311.01462).
    """

    def __init__(
        self,
        distance: str | Distance = "l1",
        rec_weight: float = 20.0,
        idem_weight: float = 20.0,
        tight_weight: float = 2.5,
        clamp_ratio: float | None = 1.5,
        clamp_scale: str = "x",
        one_pass: bool | None = None,
        **moved: float,
    ):
        super().__init__()
        for name in moved:
            hint = f"; it is now {MOVED[name]}" if name in MOVED else ""
            raise TypeError(f"IGNObjective has no argument {name!r}{hint}")
        check_weights(rec_weight=rec_weight, idem_weight=idem_weight, tight_weight=tight_weight)
        if clamp_ratio is not None and not clamp_ratio > 0:
            raise ValueError(f"clamp_ratio {clamp_ratio} must be above 0, or None for no clamp")
        if clamp_scale not in ("x", "z", "sample"):
            raise ValueError(f"clamp_scale {clamp_scale!r} is unknown; choose x, z or sample")
        self.distance = distance
        self._distance = find_distance(distance)
        self.rec_weight, self.idem_weight, self.tight_weight = rec_weight, idem_weight, tight_weight
        self.clamp_ratio, self.clamp_scale = clamp_ratio, clamp_scale
        self.has_idem, self.has_tight = idem_weight > 0, tight_weight > 0  # constants in a graph
        per_sample = clamp_ratio is not None and clamp_scale == "sample"
        applies = self.has_idem and self.has_tight and not per_sample
        if one_pass and not applies:
            raise ValueError(
                "one_pass needs idem_weight and tight_weight above 0 and no per-sample clamp"
            )
        self.one_pass = applies if one_pass is None else one_pass

    def forward(
        self, network: Network, x: Tensor, z: Tensor, noise: Tensor | None = None
    ) -> Losses:
        data = self.apply_to(network, x, noise, "data")
        y = self.generate(network, z)
        outer = self.outer(network, y, noise)
        inner = self.inner(network, y, noise, outer)
        return weigh(self.terms(z, data, outer, inner), y, inner.input, y)

    def generate(self, network: Network, z: Tensor) -> Tensor:
        """f(z), (B, C, H, W)."""
        return call(network, z, "noise")[1]

    def apply_to(
        self,
        network: Network,
        y: Tensor,
        noise: Tensor | None,
        population: str,
        code: bool = False,
    ) -> Pass:
        """f of y plus the noise that f has to remove, and its distance from y."""
        shown = y if noise is None else y + noise
        found, fy = call(network, shown, population, code)
        return Pass(y, fy, self._distance(single(fy), single(y)), found)

    def outer(self, network: Network, y: Tensor, noise: Tensor | None, code: bool = False) -> Pass:
        """The pass of y = f(z) through the outer f, for all terms of it."""
        if self._gated(y):
            y_bar = y.view_as(y)
        else:
            y_bar = constant(y) if self.has_idem or code else y.detach()
        moves = self.has_idem or self.has_tight or code
        with torch.set_grad_enabled(torch.is_grad_enabled() and moves):
            return self.apply_to(network, y_bar, noise, "output", code)

    def inner(
        self, network: Network, y: Tensor, noise: Tensor | None, outer: Pass, code: bool = False
    ) -> Pass:
        """The pass that gives y its gradient: the outer pass, or a separate one if compiled.

        Compiled code computes all gradients of a pass at once.
        """
        needed = self.has_idem or code
        if self._gated(y) or not needed or not is_compiled(network):
            return outer
        with frozen(network):
            return self.apply_to(network, y, noise, "output", code)

    def terms(
        self, z: Tensor, data: Pass, outer: Pass, inner: Pass, count: float | None = None
    ) -> list[Term]:
        """The three terms of the paper from the passes of a step.

        Args:
            z: The noise.
            data: The pass of x.
            outer: The pass of y that moves the outer f; its first B inputs are f(z).
            inner: The pass of y that moves the inner f.
            count: The divisor of the sum of the drifts in the idempotence loss; None for their
                number.
        """
        d_x, d_y = data.drift, outer.drift[: len(z)]
        scale = d_x
        if self.clamp_scale == "z":
            scale = self._distance(single(outer.input.detach()[: len(z)]), single(z))
        if self.clamp_scale != "sample":
            scale, d_y = scale.mean(), d_y.mean()
        d, s = self._over_processes(d_y, scale)
        value, slope = clamp(d, s, self.clamp_ratio)
        tight = -(value + slope * (d_y - d_y.detach())).mean()
        idem = inner.drift.sum() / (len(inner.drift) if count is None else count)
        gate = outer.input
        if gated := self._gated(gate):
            idem = idem.detach()
            if gate.requires_grad:
                factor = -self.idem_weight / (self.tight_weight * slope)
                gate.register_hook(lambda grad: grad * factor.to(grad.dtype))
        return [
            Term("rec", self.rec_weight, d_x.mean()),
            Term("idem", self.idem_weight, idem, inner=not gated),
            Term("tight", self.tight_weight, tight),
        ]

    def _gated(self, y: Tensor) -> bool:
        """Whether one gradient of the outer pass serves both terms. float16 has too few bits."""
        return self.one_pass and y.dtype != torch.float16

    def _over_processes(self, *values: Tensor) -> Tensor:
        """The means over all processes, where the clamp is the batch's."""
        joined = torch.stack([v.detach() for v in values])
        separate = self.clamp_ratio is None or self.clamp_scale == "sample"
        return joined if separate else processes.mean(joined)


def call(
    network: Network, x: Tensor, population: str, code: bool = False
) -> tuple[Tensor | None, Tensor]:
    """The code of x, if it is wanted, and f(x), with x in the role of a population."""
    with _role(network, population):
        if not code:
            return None, network(x)
        if not hasattr(network, "with_code"):
            raise ValueError("the adversarial loss needs a network with a method with_code")
        found: tuple[Tensor, Tensor] = network.with_code(x)
        return found


def check_weights(**weights: float) -> None:
    """Check that weights are finite and not negative.

    Raises:
        ValueError: A weight is negative or not finite.
    """
    for name, weight in weights.items():
        if not (weight >= 0 and math.isfinite(weight)):
            raise ValueError(f"{name} {weight} must be finite and at least 0")


def single(x: Tensor) -> Tensor:
    """Convert half precision to single precision; other types are unchanged."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _role(network: Network, name: str) -> AbstractContextManager[None]:
    return role(network, name) if isinstance(network, nn.Module) else nullcontext()
