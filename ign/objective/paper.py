r"""The objective: reconstruction, idempotence, tightness.

With a distance :math:`D` and the drift :math:`\delta_\theta(y) = D(f_\theta(y), y)`,

.. math::
    L_{rec}   &= \delta_\theta(x) \\
    L_{idem}  &= D(f_{\bar\theta}(f_\theta(z)), f_\theta(z)) \\
    L_{tight} &= -\delta_\theta(\bar y), \quad \bar y = f_{\bar\theta}(z)

where a bar marks what is held constant: idempotence moves only the inner f, tightness only the
outer one (Shocher et al., 2024, Section 2.2, arXiv 2311.01462).
"""

__all__ = [
    "IGNObjective",
    "Losses",
    "clamp",
    "drift",
    "frozen",
    "idempotence",
    "reconstruction",
    "tightness",
]

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ign.core import processes
from ign.nn.norm import role, still
from ign.objective.distance import Distance, find_distance
from ign.objective.match import kernel_divergence

Network = Callable[[Tensor], Tensor]

SCALE_FLOOR = 1e-6
"""The least scale of the clamp, so that a perfect reconstruction does not divide by zero."""


@contextmanager
def frozen(network: Network) -> Iterator[None]:
    r"""See the network as the constant :math:`f_{\bar\theta}`: gradients pass through to its input.

    Its parameters get no gradient and its running statistics do not move. The values are those
    of the network itself; no copy is made.
    """
    if not isinstance(network, nn.Module):
        yield
        return
    free = {name for name, p in network.named_parameters() if p.requires_grad}
    network.requires_grad_(False)
    try:
        with still(network):
            yield
    finally:
        for name, p in network.named_parameters():  # by name: FSDP2 exchanges the tensors
            p.requires_grad_(name in free)


def drift(network: Network, y: Tensor, distance: str | Distance = "l1") -> Tensor:
    r"""How far the network moves each input, :math:`\delta_\theta(y) = D(f_\theta(y), y)`, (B,)."""
    return find_distance(distance)(network(y), y)


def reconstruction(network: Network, x: Tensor, distance: str | Distance = "l1") -> Tensor:
    r""":math:`L_{rec} = \delta_\theta(x)`, a scalar: the data is left alone."""
    return drift(network, x, distance).mean()


def idempotence(network: Network, z: Tensor, distance: str | Distance = "l1") -> Tensor:
    r""":math:`L_{idem} = D(f_{\bar\theta}(f_\theta(z)), f_\theta(z))`, a scalar: f(z) is drawn
    to where f, held constant, moves nothing."""
    y = network(z)
    with frozen(network):
        return drift(network, y, distance).mean()


def tightness(network: Network, z: Tensor, distance: str | Distance = "l1") -> Tensor:
    r""":math:`L_{tight} = -\delta_\theta(\bar y)`, :math:`\bar y = f_{\bar\theta}(z)`, a scalar:
    f moves what it made before, so that the set it leaves alone stays tight around the data."""
    with torch.no_grad():
        y = network(z)
    return -drift(network, y, distance).mean()


def clamp(value: Tensor, scale: Tensor, ratio: float | None) -> tuple[Tensor, Tensor]:
    r"""Bound the drift that tightness may gain, and give the slope of the bound.

    .. math::
        T(d) = a s \tanh \frac{d}{a s}, \qquad T'(d) = \frac{1}{\cosh^2 (d / a s)}

    The slope has a floor, 1e-14 in double and 1e-8 in single precision, which keeps the
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


@dataclass
class Losses:
    """What one step of the objective returns.

    Only ``total`` carries a gradient. The others are detached, unweighted scalars:
    total = sum of weight times term.
    """

    total: Tensor
    rec: Tensor
    idem: Tensor
    tight: Tensor
    match: Tensor
    tell: Tensor
    fool: Tensor
    sharp: Tensor


class _Pass(NamedTuple):
    """What a pass gives: outputs, (B, C, H, W), drifts and logits, (B,); the latter 0 if unused."""

    output: Tensor
    drift: Tensor
    logit: Tensor


class IGNObjective(nn.Module):
    r"""The loss of an Idempotent Generative Network.

    .. math::
        L = w_r L_{rec} + w_i L_{idem} - w_t \, T(\delta_\theta(\bar y))

    with T the clamp of equation 14 (:func:`clamp`). Both terms of :math:`f(f(z))` have equal
    values and differ in what the gradient reaches. The default therefore runs the outer network
    once and multiplies the gradient that flows from it into :math:`f(z)` by
    :math:`-w_i / (w_t T')`: exactly the gradient of the three terms with a frozen copy, with
    three forward passes instead of four and no copy. Where that form does not apply (per-sample
    clamp, float16, a zero weight, an adversarial weight) each term has its own pass.

    With an adversarial weight :math:`w_a` the network also tells data from what it makes, as
    tightness and idempotence do with the drift: by the first component :math:`c_\theta` of its
    code, a logit. Its method ``with_code`` gives the code (B, K) and f(x).

    .. math::
        L_{tell} &= \mathbb{E} \log(1 + e^{-c_\theta(x)})
            + \mathbb{E} \log(1 + e^{c_\theta(\bar y)}) \\
        L_{fool} &= \mathbb{E} \log(1 + e^{-c_{\bar\theta}(f_\theta(z))})

    :math:`w_a (L_{tell} + L_{fool})` is added to the loss; it is not the paper's.

    With a weight :math:`w_p` reconstructions have to pass for data as well: those of two places in
    eight are among the :math:`\bar y` of :math:`L_{tell}` and the outputs of :math:`L_{idem}`, and

    .. math::
        L_{sharp} = \mathbb{E} \log(1 + e^{-c_{\bar\theta}(f_\theta(x))})

    is added :math:`w_p` times.

    Args:
        distance: ``l1``, ``l2``, an import path ``package.module:function``, or a callable
            (B, ...), (B, ...) to (B,).
        rec_weight: :math:`w_r`.
        idem_weight: :math:`w_i`.
        tight_weight: :math:`w_t`.
        clamp_ratio: The ratio a of the clamp, above 0, or None for no clamp.
        clamp_scale: The scale of the clamp, always held constant: ``x``, the batch's
            :math:`L_{rec}`; ``z``, the batch's drift of the noise; ``sample``, a clamp for each
            sample on the drift of the data sample at the same place in the batch.
        one_pass: Whether to use the one-pass form; None for wherever it applies.
        match_weight: Weight of one more term, not the paper's: the
            :func:`~ign.objective.match.kernel_divergence` of f(z) from the data, 0 for none.
        match_bandwidth: The bandwidth of that term.
        adversarial_weight: :math:`w_a`, 0 for none.
        sharp_weight: :math:`w_p`, 0 for none.

    Shape:
        x and z (B, C, H, W), anchors (M, C, H, W): the data that f(z) is matched with, x when
        they are not given; noise (B, C, H, W): what is added to what f is shown of x and of f(z),
        which it then has to restore, so that :math:`D(f(x + n), x)` stands in the place of
        :math:`D(f(x), x)`; scalars (:class:`Losses`).

    Raises:
        ValueError: A weight below 0, a ratio not above 0, an unknown distance or scale, or
            ``one_pass=True`` where it does not apply; an adversarial weight, and a network
            without ``with_code``; a sharp weight without an adversarial one.

    Note:
        With several processes the mean of their losses is the loss of the joined batch: the clamp
        is that of the mean drift and mean reconstruction loss over all of them, and the match
        term sees the outputs of all of them. With a sharp weight each process has to hold a
        multiple of 8. Under gradient accumulation clamp and match term are those of each
        micro-batch: the gradient equals the joined batch's only without them.

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
        match_weight: float = 0.0,
        match_bandwidth: float = 0.05,
        adversarial_weight: float = 0.0,
        sharp_weight: float = 0.0,
    ):
        super().__init__()
        weights = [rec_weight, idem_weight, tight_weight]
        weights += [match_weight, adversarial_weight, sharp_weight]
        if not all(w >= 0 and math.isfinite(w) for w in weights):
            raise ValueError("the weights of the objective must be finite and not below 0")
        if sharp_weight and not adversarial_weight:
            raise ValueError(
                "sharp_weight needs an adversarial_weight; set both, or sharp_weight to 0"
            )
        if clamp_ratio is not None and not clamp_ratio > 0:
            raise ValueError(f"clamp_ratio {clamp_ratio} must be above 0, or None for no clamp")
        if clamp_scale not in ("x", "z", "sample"):
            raise ValueError(f"clamp_scale {clamp_scale!r} is unknown; choose x, z or sample")
        self.distance = distance
        self._distance = find_distance(distance)
        self.rec_weight, self.idem_weight, self.tight_weight = rec_weight, idem_weight, tight_weight
        self.clamp_ratio, self.clamp_scale = clamp_ratio, clamp_scale
        self.match_weight, self.match_bandwidth = match_weight, match_bandwidth
        self.adversarial_weight, self.sharp_weight = adversarial_weight, sharp_weight
        per_sample = clamp_ratio is not None and clamp_scale == "sample"
        exact = idem_weight > 0 and tight_weight > 0 and not per_sample and not adversarial_weight
        if one_pass and not exact:
            raise ValueError(
                "one_pass needs idem_weight and tight_weight above 0, no per-sample clamp and no"
                " adversarial_weight"
            )
        self.one_pass = exact if one_pass is None else one_pass

    def forward(
        self,
        network: Network,
        x: Tensor,
        z: Tensor,
        anchors: Tensor | None = None,
        noise: Tensor | None = None,
    ) -> Losses:
        n = len(x)
        with _role(network, "data"):
            seen = self._pass(network, x, noise)
        with _role(network, "noise"):
            y = network(z)
        if self.one_pass and y.dtype != torch.float16:
            gate, inner = y.view_as(y), None
            outer = self._outer(network, gate, noise)
        else:
            made, noise = self._with_sharp(y, seen.output, noise)
            gate, inner = None, self._inner(network, made, noise)
            outer = self._outer(network, made.detach(), noise)

        d_x, d_y = seen.drift, outer.drift[:n]
        scale = self._distance(_single(y.detach()), _single(z)) if self.clamp_scale == "z" else d_x
        if self.clamp_scale != "sample":
            scale, d_y = scale.mean(), d_y.mean()
        d, s = self._over_processes(d_y, scale)
        value, slope = clamp(d, s, self.clamp_ratio)
        if gate is not None and gate.requires_grad:
            factor = -self.idem_weight / (self.tight_weight * slope)
            gate.register_hook(lambda grad: grad * factor.to(grad.dtype))

        rec, tight = d_x.mean(), -(value + slope * (d_y - d_y.detach())).mean()
        idem = d_y.detach().mean() if inner is None else inner.drift.mean()
        total = self.rec_weight * rec + self.idem_weight * idem + self.tight_weight * tight
        match = tell = fool = sharp = torch.zeros_like(rec)
        if self.match_weight > 0:
            data = processes.gather(x) if anchors is None else anchors
            match = self._divergence(y, data)
            total = total + self.match_weight * match
        if inner is not None and self.adversarial_weight > 0:
            tell = F.softplus(-seen.logit).mean() + F.softplus(outer.logit).mean()
            fool = F.softplus(-inner.logit[:n]).mean()
            total = total + self.adversarial_weight * (tell + fool)
        if inner is not None and self.sharp_weight > 0:
            sharp = F.softplus(-inner.logit[n:]).mean()
            total = total + self.sharp_weight * sharp
        terms = rec, idem, tight, match, tell, fool, sharp
        return Losses(total, *(t.detach() for t in terms))

    def _with_sharp(
        self, y: Tensor, fx: Tensor, noise: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """The outputs, and the noise that they get: f(z), and two in eight of f(x) without any."""
        if self.sharp_weight == 0:
            return y, noise
        some = torch.cat([fx[::8], fx[3::8]])
        quiet = None if noise is None else torch.cat([noise, torch.zeros_like(some)])
        return torch.cat([y, some]), quiet

    def _pass(self, network: Network, y: Tensor, noise: Tensor | None) -> _Pass:
        """f of y, with the noise that it is to take off again, and how far that is from y."""
        shown = y if noise is None else y + noise
        if self.adversarial_weight == 0:
            fy, logit = network(shown), shown.new_zeros(len(shown))
        elif hasattr(network, "with_code"):
            code, fy = network.with_code(shown)
            logit = _single(code)[:, 0]
        else:
            raise ValueError("adversarial_weight needs a network with a method with_code")
        return _Pass(fy, self._distance(_single(fy), _single(y)), logit)

    def _outer(self, network: Network, y: Tensor, noise: Tensor | None) -> _Pass:
        """The pass that moves the outer f, where a term does."""
        wanted = self.tight_weight > 0 or self.adversarial_weight > 0
        moving = torch.set_grad_enabled(wanted and torch.is_grad_enabled())
        with _role(network, "output"), moving:
            return self._pass(network, y, noise)

    def _inner(self, network: Network, y: Tensor, noise: Tensor | None) -> _Pass | None:
        """The pass that moves the inner f alone; None where the outer pass's values will do."""
        if self.idem_weight == 0 and self.adversarial_weight == 0:
            return None
        with _role(network, "output"), frozen(network):
            return self._pass(network, y, noise)

    def _divergence(self, y: Tensor, x: Tensor) -> Tensor:
        """That of this process's outputs, among those of all, from the data."""
        first = processes.rank() * len(y)
        return kernel_divergence(y, x, self.match_bandwidth, processes.gather(y), first)

    def _over_processes(self, *values: Tensor) -> Tensor:
        """The means over all processes, where the clamp is the batch's."""
        joined = torch.stack([v.detach() for v in values])
        apart = self.clamp_ratio is None or self.clamp_scale == "sample"
        return joined if apart else processes.mean(joined)


def _single(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _role(network: Network, name: str) -> AbstractContextManager[None]:
    return role(network, name) if isinstance(network, nn.Module) else nullcontext()
