"""Inspection of parts: an IGN on the patch features of a frozen backbone, trained on good parts."""

__all__ = [
    "BACKBONES",
    "Findings",
    "InspectConfig",
    "Inspector",
    "fit_inspector",
    "is_inspector",
    "load_inspector",
    "save_inspector",
]

from ign.inspection.backbone import BACKBONES
from ign.inspection.files import is_inspector, load_inspector, save_inspector
from ign.inspection.fit import InspectConfig, fit_inspector
from ign.inspection.inspector import Findings, Inspector
