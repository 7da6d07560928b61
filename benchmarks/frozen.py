"""Frozen configurations, so that a benchmark measures the same after a preset has changed.

The YAML files in `benchmarks/configurations` contain every field of a run that existed when they
were written. They are never edited; a new recipe gets a new file.
"""

from pathlib import Path
from typing import Any

from ign import IGN
from ign.training import Config, arguments, run
from ign.training.options import fields_from

FOLDER = Path(__file__).parent / "configurations"


def configuration(name: str, options: dict[str, Any]) -> Config:
    """Read a frozen configuration, with some fields given instead."""
    method = str(options.get("method", "ign"))
    return arguments(options, fields_from(FOLDER / f"{name}.yaml", method))


def train(name: str, out: str | Path, **options: Any) -> IGN:
    """Train a model with a frozen configuration; an earlier run in the folder is replaced."""
    return run(configuration(name, options), Path(out))
