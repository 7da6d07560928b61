r"""The objective of an Idempotent Generative Network.

:mod:`ign.objective.paper` is the paper: drift, the three terms, the clamp.
:mod:`ign.objective.one_pass` computes them with fewer passes, and :mod:`ign.objective.terms` takes
two gradients of one pass. :mod:`ign.objective.adversarial`, :mod:`ign.objective.code` and
:mod:`ign.objective.match` wrap an objective and add terms that the paper does not have;
:mod:`ign.objective.denoise` draws the noise that a network learns to remove.
"""

__all__ = [
    "AdversarialObjective",
    "CodeObjective",
    "IGNObjective",
    "Losses",
    "MatchObjective",
    "clamp",
    "drift",
    "frozen",
    "idempotence",
    "kernel_divergence",
    "paper_losses",
    "reconstruction",
    "restoration_noise",
    "tightness",
]

from ign.objective.adversarial import AdversarialObjective
from ign.objective.code import CodeObjective
from ign.objective.denoise import restoration_noise
from ign.objective.losses import Losses
from ign.objective.match import MatchObjective, kernel_divergence
from ign.objective.one_pass import IGNObjective
from ign.objective.paper import (
    clamp,
    drift,
    frozen,
    idempotence,
    paper_losses,
    reconstruction,
    tightness,
)
