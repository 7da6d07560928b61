r"""Idempotence of the code, with data and samples in one batch, an addition to the paper.

The paper asks for :math:`f(f(z)) = f(z)` in pixels. With an encoder E and a decoder, f(f(z)) equals
f(z) exactly if the encoder finds the code again from which f(z) was decoded.
"""

__all__ = ["CodeObjective"]

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ign.nn.norm import role
from ign.objective.adversarial import OTHERS, SHARE, AdversarialObjective, choose
from ign.objective.losses import Losses
from ign.objective.one_pass import IGNObjective, Pass, call, check_weights, single
from ign.objective.paper import Network, frozen
from ign.objective.terms import Term, constant, is_compiled, weigh


class CodeObjective(nn.Module):
    r"""An adversarial objective with terms that make f(z) a fixed point of f.

    .. math::
        L_{code} &= \mathbb{E} \, |E(f(z)) - \overline{E(z)}|^2 / K \\
        L_{own} &= \mathbb{E} \, D(f_\theta(\bar y), \bar y), \qquad \bar y = f_{\bar\theta}(z)

    :math:`L_{code}` is the mean square error of the code that the encoder finds for a sample. It
    moves the encoder of the outer f and the decoder of the inner f. :math:`L_{own}` trains the
    outer f to reconstruct its own samples, as it reconstructs data. It is the opposite of
    tightness. The adversarial loss takes the place of tightness, whose weight has to be 0.

    Data and samples pass through the outer f in one batch. A batch norm then normalizes both by the
    same statistics, as it does in inference. The codes should have a fixed scale
    (``DCGANAutoencoder(code_norm=True)``), since small codes would make the term small.

    If the adversarial objective has a weight for reconstructions, the outer f judges a quarter of
    f(x), together with samples, and finds its code as well:

    .. math:: L_{code\_rec} = \mathbb{E} \, |E_{\bar\theta}(f(x)) - \overline{E(x)}|^2 / K

    This distance in the network's own code complements the distance in pixels. Its weight is a
    quarter of the weight of :math:`L_{code}`.

    Args:
        objective: The adversarial objective.
        weight: The weight of :math:`L_{code}`.
        own_weight: The weight of :math:`L_{own}`.

    Shape:
        As :class:`IGNObjective`; the code of the network is (B, K + 1), with the output of the
        discriminator as its first component.

    Raises:
        ValueError: A weight is negative or not finite, or tightness has a weight.

    References:
        A loss on codes found again: Donahue et al., BiGAN, 2017 (arXiv 1605.09782), "latent
        regressor"; Chen et al., InfoGAN, 2016 (arXiv 1606.03657).
    """

    one_pass = False

    def __init__(self, objective: AdversarialObjective, weight: float, own_weight: float = 0.0):
        super().__init__()
        check_weights(code_weight=weight, own_weight=own_weight)
        if objective.objective.tight_weight > 0:
            raise ValueError("idempotence of the code needs a tight_weight of 0")
        self.objective, self.weight, self.own_weight = objective, weight, own_weight

    def forward(
        self, network: Network, x: Tensor, z: Tensor, noise: Tensor | None = None, first: int = 0
    ) -> Losses:
        adversarial = self.objective
        paper: IGNObjective = adversarial.objective
        code, y = call(network, z, "noise", code=True)
        target = _rest(code).detach()
        y_bar = constant(y)
        outer, data = self._both(network, y_bar, x, noise)
        inner = outer
        if is_compiled(network):
            with frozen(network):
                inner, _ = self._both(network, y, x, noise)

        terms = paper.terms(z, data, outer, inner)
        terms += [
            Term("idem", self.own_weight, outer.drift.mean()),
            Term("code", self.weight, (_rest(outer.code) - target).square().mean()),
            Term("code", self.weight, (_rest(inner.code) - target).square().mean(), inner=True),
        ]
        terms += adversarial.terms(data, outer, inner, len(y))
        if adversarial.reconstruction_weight > 0:
            terms += self._on_reconstructions(network, data, y, first)
        return weigh(terms, y, inner.input, y)

    def _on_reconstructions(self, network: Any, data: Pass, y: Tensor, first: int) -> list[Term]:
        """The losses on a quarter of f(x), which take the place of samples in a batch of them."""
        chosen, codes = choose(data.output, first), choose(_rest(data.code), first)
        n = len(chosen)
        judged = torch.cat([chosen, choose(y.detach(), first, OTHERS)])
        with frozen(network), role(network, "output"):
            code = single(network.encode(judged).flatten(1))[:n]
        error = (code[:, 1:] - codes.detach()).square().mean()
        fooled = F.softplus(-code[:, 0]).mean()
        return [
            Term("generator_rec", self.objective.reconstruction_weight, fooled),
            Term("code_rec", SHARE * self.weight, error),
        ]

    def _both(self, network: Any, y: Tensor, x: Tensor, noise: Tensor | None) -> tuple[Pass, Pass]:
        """The passes of y and of x, from one pass of the joined batch."""
        joined = torch.cat([y, x])
        noise = None if noise is None else torch.cat([noise, noise])
        both = self.objective.objective.apply_to(network, joined, noise, "data", code=True)
        assert both.code is not None
        n = len(y)
        return (
            Pass(y, both.output[:n], both.drift[:n], both.code[:n]),
            Pass(x, both.output[n:], both.drift[n:], both.code[n:]),
        )


def _rest(code: Tensor | None) -> Tensor:
    """The code without the output of the discriminator, (B, K)."""
    assert code is not None
    return single(code)[:, 1:]
