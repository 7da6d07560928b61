r"""An adversarial loss in the network's own code, an addition to the paper's objective.

The drift is a mean over pixels, and therefore a poor judge of whether an image looks like data.
The adversarial loss adds a second judge without a second network: the first component
:math:`c_\theta` of the code, between encoder and decoder, is also the output of a discriminator,
a logit of "y is data". The outer f is the discriminator and the inner f is the generator. Both use
the forward passes of the tightness and idempotence losses.
"""

__all__ = ["AdversarialObjective"]

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ign.objective.losses import Losses
from ign.objective.one_pass import IGNObjective, Pass, check_weights, single
from ign.objective.paper import Network
from ign.objective.terms import Term, weigh

PERIOD, OFFSETS = 8, (0, 3)
"""The indices, modulo 8, of the reconstructions that the discriminator sees."""
OTHERS = tuple(sorted({*range(PERIOD)} - {*OFFSETS}))
SHARE = len(OFFSETS) / PERIOD


class AdversarialObjective(nn.Module):
    r"""An objective with an adversarial loss on samples, and optionally on reconstructions.

    .. math::
        L_{discriminator} &= \mathbb{E} \log(1 + e^{-c_\theta(x)})
            + \mathbb{E} \log(1 + e^{c_\theta(\bar y)}) \\
        L_{generator} &= \mathbb{E} \log(1 + e^{-c_{\bar\theta}(f_\theta(z))})

    :math:`w_a (L_{discriminator} + L_{generator})` is added to the loss of the paper. This is the
    non-saturating loss of a generative adversarial network.

    With a weight :math:`w_p` reconstructions are judged as well. A quarter of f(x) then joins f(z)
    among the outputs :math:`\bar y` of the discriminator and among the outputs of the idempotence
    loss, and a generator loss on them is added with that weight:

    .. math::
        L_{generator\_rec} = \mathbb{E} \log(1 + e^{-c_{\bar\theta}(f_\theta(x))})

    Args:
        objective: The objective of the paper.
        weight: :math:`w_a`, above 0.
        reconstruction_weight: :math:`w_p`, 0 for no adversarial loss on reconstructions.

    Shape:
        As :class:`IGNObjective`. ``first`` is the global index of the first sample of x within the
        step's batch. Reconstructions are chosen by their global index, so that parts of a batch
        (micro-batches, processes) have the gradient of the joined batch.

    Raises:
        ValueError: A weight is negative or not finite, ``weight`` is 0, or the network has no
            method ``with_code`` that returns its code, (B, K), and f(x).

    References:
        Goodfellow et al., 2014 (arXiv 1406.2661). A network that judges by its own encoder:
        Huang et al., IntroVAE, 2018 (arXiv 1807.06358); Daniel and Tamar, Soft-IntroVAE, 2021
        (arXiv 2012.13253).
    """

    one_pass = False

    def __init__(
        self, objective: IGNObjective, weight: float = 0.3, reconstruction_weight: float = 0.0
    ):
        super().__init__()
        check_weights(weight=weight, reconstruction_weight=reconstruction_weight)
        if weight == 0:
            raise ValueError("the adversarial weight must be above 0; leave the wrapper out for 0")
        if objective.one_pass:
            objective.one_pass = False
        self.objective = objective
        self.weight, self.reconstruction_weight = weight, reconstruction_weight

    def forward(
        self, network: Network, x: Tensor, z: Tensor, noise: Tensor | None = None, first: int = 0
    ) -> Losses:
        paper, n = self.objective, len(x)
        data = paper.apply_to(network, x, noise, "data", code=True)
        y = paper.generate(network, z)
        outputs, count = y, float(n)
        if self.reconstruction_weight > 0:
            outputs, noise = self._with_reconstructions(y, data.output, noise, first)
            count = n * (1 + SHARE)
        outer = paper.outer(network, outputs, noise, code=True)
        inner = paper.inner(network, outputs, noise, outer, code=True)

        terms = paper.terms(z, data, outer, inner, count)
        terms += self.terms(data, outer, inner, count)
        if self.reconstruction_weight > 0:
            on_reconstructions = F.softplus(-logit(inner)[n:]).sum() / (n * SHARE)
            weight = self.reconstruction_weight
            terms.append(Term("generator_rec", weight, on_reconstructions, inner=True))
        return weigh(terms, outputs, inner.input, y)

    def terms(self, data: Pass, outer: Pass, inner: Pass, count: float) -> list[Term]:
        """The losses of the discriminator and the generator from the passes of a step.

        Args:
            data: The pass of x.
            outer: The pass that moves the outer f; its first inputs are f(z).
            inner: The pass that moves the inner f.
            count: The divisor of the sum over all outputs in the loss of the discriminator.
        """
        n = len(data.input)
        generated = F.softplus(logit(outer)).sum() / count
        discriminator = F.softplus(-logit(data)).mean() + generated
        generator = F.softplus(-logit(inner)[:n]).mean()
        return [
            Term("discriminator", self.weight, discriminator),
            Term("generator", self.weight, generator, inner=True),
        ]

    def _with_reconstructions(
        self, y: Tensor, fx: Tensor, noise: Tensor | None, first: int
    ) -> tuple[Tensor, Tensor | None]:
        """f(z) with a quarter of f(x), and the noise that is added to them, zero for f(x)."""
        chosen = choose(fx, first)
        if noise is not None:
            noise = torch.cat([noise, torch.zeros_like(chosen)])
        return torch.cat([y, chosen]), noise


def choose(rows: Tensor, first: int, offsets: Iterable[int] = OFFSETS) -> Tensor:
    """Choose rows by their global index modulo 8, given the global index of the first row."""
    return torch.cat([rows[(offset - first) % PERIOD :: PERIOD] for offset in offsets])


def logit(of: Pass) -> Tensor:
    """The output of the discriminator, (B,): the first component of the code."""
    assert of.code is not None
    return single(of.code)[:, 0]
