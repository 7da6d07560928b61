"""Training on Lightning: configuration, step, checks, runs."""

import warnings
from typing import Any

from ign.training import failures, folder, launch
from ign.training.config import PRESETS, Config, preset_file
from ign.training.failures import Failure, Interrupted, ProcessLostError
from ign.training.folder import choose_folder
from ign.training.launch import is_first_process
from ign.training.options import arguments, configuration, fields_of, parser, resumed
from ign.training.run import run, train

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

RENAMED = {
    "Lost": (failures, "ProcessLostError"),
    "leads": (launch, "is_first_process"),
    "place": (folder, "choose_folder"),
}


def __getattr__(name: str) -> Any:
    """Find a name of version 0.1, with a warning that gives the new one."""
    if name not in RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, new = RENAMED[name]
    warnings.warn(
        f"ign.training.{name} is now ign.training.{new}; the former name will go with version 0.3",
        DeprecationWarning,
        stacklevel=2,
    )
    return getattr(module, new)
