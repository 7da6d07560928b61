"""Idempotent Generative Networks for PyTorch.

One network f with f(x) = x on data and f(f(z)) = f(z) on noise (Shocher et al., ICLR 2024,
arXiv 2311.01462): it generates in one step, projects any image onto the data's manifold, and
scores how far an image is from it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ign.core import deprecated

if TYPE_CHECKING:
    from ign import anomaly, degrade, edit, nn, noise, objective, project
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

_LAZY = (
    "anomaly", "data", "degrade", "edit", "evaluate", "export", "figures", "nn", "noise",
    "objective", "project", "training", "view",
)  # fmt: skip
"""Modules that are imported on first use, so that the command line answers without PyTorch."""
_FROM = {
    "IGN": "ign.model",
    "IGNObjective": "ign.objective",
    "Losses": "ign.objective",
    "ModelError": "ign.model",
    "train": "ign.training",
}
"""Names that are imported on first use, and their modules."""

deprecated.install()


def __getattr__(name: str) -> Any:
    if name in _FROM:
        return getattr(import_module(_FROM[name]), name)
    if name in _LAZY or f"ign.{name}" in deprecated.MOVED:
        return import_module(f"ign.{name}")
    raise AttributeError(f"module 'ign' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_LAZY})
