"""Training with Lightning: configuration, steps, checks and runs."""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ign.training.config import PRESETS, Config, preset_file
    from ign.training.failures import Failure, Interrupted, ProcessLostError
    from ign.training.folder import choose_folder
    from ign.training.launch import is_first_process
    from ign.training.options import arguments, configuration, fields_of, parser, resumed
    from ign.training.runner import run, train

__all__ = [
    "PRESETS",
    "Config",
    "Failure",
    "Interrupted",
    "ProcessLostError",
    "arguments",
    "choose_folder",
    "configuration",
    "fields_of",
    "is_first_process",
    "parser",
    "preset_file",
    "resumed",
    "run",
    "train",
]

_MODULES = {
    "config": ("PRESETS", "Config", "preset_file"),
    "failures": ("Failure", "Interrupted", "ProcessLostError"),
    "folder": ("choose_folder",),
    "launch": ("is_first_process",),
    "options": ("arguments", "configuration", "fields_of", "parser", "resumed"),
    "runner": ("run", "train"),
}
"""The modules that define the public names; Lightning is imported when one needs it."""
_FORMER = {"Lost": "ProcessLostError", "leads": "is_first_process", "place": "choose_folder"}
"""Names of version 0.1 and the current names."""


def __getattr__(name: str) -> Any:
    if name in _FORMER:
        now = _FORMER[name]
        text = f"ign.training.{name} is now ign.training.{now}; it will be removed in version 0.3"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return getattr(import_module(__name__), now)
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"ign.training.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
