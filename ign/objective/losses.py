"""The result of a step of an objective."""

__all__ = ["Losses"]

import warnings
from dataclasses import dataclass, field

import torch
from torch import Tensor

_FORMER = {"tell": "discriminator", "fool": "generator", "sharp": "generator_rec"}


@dataclass
class Losses:
    """What a step of the objective returns.

    Only ``total`` carries a gradient. The total is the sum of weight times term.

    Attributes:
        total: The loss to minimize, a scalar.
        terms: The detached, unweighted terms by name, scalars: ``rec``, ``idem``, ``tight``, and
            the names of the terms that were added.
        samples: f(z), (B, C, H, W), from which further terms can be computed.
    """

    total: Tensor
    terms: dict[str, Tensor]
    samples: Tensor = field(repr=False)

    def add(self, name: str, weight: float, term: Tensor) -> "Losses":
        """Return the losses with ``weight * term`` added to the total."""
        terms = {**self.terms, name: term.detach()}
        return Losses(self.total + weight * term, terms, self.samples)

    @property
    def rec(self) -> Tensor:
        """The reconstruction loss."""
        return self.terms["rec"]

    @property
    def idem(self) -> Tensor:
        """The idempotence loss."""
        return self.terms["idem"]

    @property
    def tight(self) -> Tensor:
        """The tightness loss, clamped where the objective clamps it."""
        return self.terms["tight"]

    def __getattr__(self, name: str) -> Tensor:
        if name != "match" and name not in _FORMER:
            raise AttributeError(f"Losses has no attribute {name!r}; its terms are in .terms")
        now = _FORMER.get(name, name)
        text = f'losses.{name} is now losses.terms["{now}"]; it will be removed in version 0.3'
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return self.terms.get(now, torch.zeros_like(self.total.detach()))
