"""Training on Lightning: configuration, step, checks, runs."""

from ign.training.callbacks import Failure
from ign.training.config import PRESETS, Config, preset_file
from ign.training.run import (
    Interrupted,
    arguments,
    configuration,
    parser,
    place,
    resumed,
    run,
    train,
)

__all__ = [
    "PRESETS",
    "Config",
    "Failure",
    "Interrupted",
    "arguments",
    "configuration",
    "parser",
    "place",
    "preset_file",
    "resumed",
    "run",
    "train",
]
