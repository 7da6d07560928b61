"""Idempotent Generative Networks for PyTorch.

One network f with f(x) = x on data and f(f(z)) = f(z) on noise (Shocher et al., ICLR 2024,
arXiv 2311.01462): it generates in one step, projects any image onto the data's manifold, and
scores how far an image is from it.
"""

from importlib import import_module
from typing import Any

from ign import anomaly, degrade, edit, nn, noise, objective, project
from ign.core import deprecated
from ign.model import IGN, ModelError
from ign.objective import IGNObjective, Losses

__version__ = "0.2.0.dev0"

__all__ = [
    "IGN",
    "IGNObjective",
    "Losses",
    "ModelError",
    "anomaly",
    "data",
    "degrade",
    "edit",
    "evaluate",
    "export",
    "nn",
    "noise",
    "objective",
    "project",
    "train",
    "view",
]

_LAZY = ("data", "evaluate", "export", "figures", "training", "view")
"""Packages that are imported on first use, so that ``import ign`` stays as light as torch."""

deprecated.install()


def __getattr__(name: str) -> Any:
    if name == "train":
        return import_module("ign.training").train
    if name in _LAZY or f"ign.{name}" in deprecated.MOVED:
        return import_module(f"ign.{name}")
    raise AttributeError(f"module 'ign' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_LAZY})
