"""Training on Lightning: configuration, step, checks, runs."""

from ign.training.checkpoints import Failure
from ign.training.config import PRESETS, Config, preset_file
from ign.training.folder import leads, place
from ign.training.options import arguments, configuration, fields_of, parser, resumed
from ign.training.run import Interrupted, Lost, run, train

__all__ = [
    "PRESETS",
    "Config",
    "Failure",
    "Interrupted",
    "Lost",
    "arguments",
    "configuration",
    "fields_of",
    "leads",
    "parser",
    "place",
    "preset_file",
    "resumed",
    "run",
    "train",
]
