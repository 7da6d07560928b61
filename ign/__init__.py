"""Idempotent Generative Networks for PyTorch.

One network f with f(x) = x on data and f(f(z)) = f(z) on noise (Shocher et al., ICLR 2024,
arXiv 2311.01462): it generates in one step, projects any image onto the data's manifold, and
scores how far an image is from it.
"""

from typing import Any

from ign import anomaly, degrade, edit, nn, noise, objective, project
from ign.model import IGN, ModelError
from ign.objective import IGNObjective, Losses

__version__ = "0.1.0"

__all__ = [
    "IGN",
    "IGNObjective",
    "Losses",
    "ModelError",
    "anomaly",
    "degrade",
    "edit",
    "nn",
    "noise",
    "objective",
    "project",
    "train",
]


def train(*args: Any, **kwargs: Any) -> IGN:
    """Train a model: :func:`ign.training.train`, which needs ``pip install 'ign[train]'``."""
    from ign.training import train

    return train(*args, **kwargs)
