"""Resuming a run: the checkpoint to continue from, and its validation."""

__all__ = ["first_checkpoint", "matching_checkpoint", "model_of", "require_trust"]

from pathlib import Path
from typing import Any

from torch import nn

from ign.core.terminal import console
from ign.model import IGN
from ign.objective.distance import DISTANCES
from ign.training.callbacks import print_line
from ign.training.checkpoints import matches, newest, read
from ign.training.config import Config
from ign.training.failures import restart_command
from ign.training.fingerprint import verify_config
from ign.training.launch import is_first_process
from ign.training.options import to_dict, unchanged
from ign.training.paths import step_of


def require_trust(config: Config, run: Path, trust_code: bool) -> None:
    """Refuse to import code that a run's config.yaml names, unless the user trusts it.

    Raises:
        ValueError: ``objective.distance`` is a function outside of ign.
    """
    name = config.distance
    if trust_code or name in DISTANCES or name.partition(":")[0].split(".")[0] == "ign":
        return
    raise ValueError(
        f"{run / 'config.yaml'}: objective.distance is {name}, code that would be imported and"
        " run; add --trust-code (in Python trust_code=True) if you trust whoever wrote this run"
    )


def first_checkpoint(config: Config, run: Path) -> tuple[Path, dict[str, Any]]:
    """Find the checkpoint from which to continue, and read it.

    Raises:
        ValueError: No checkpoint is usable, or the configuration does not belong to it.
    """
    unchanged(config, run)
    checkpoint = _announce(run, *newest(run))
    content = read(checkpoint)
    assert content is not None
    verify_config(content, to_dict(config), checkpoint)
    if (step := step_of(checkpoint)) > config.steps:
        raise ValueError(f"--resume {run}: the run is at step {step}, beyond steps {config.steps}")
    return checkpoint, content


def matching_checkpoint(run: Path, first: Path, content: dict[str, Any], module: nn.Module) -> Path:
    """The first checkpoint that has the tensors of the module.

    Raises:
        ValueError: No checkpoint has these tensors.
    """
    if matches(content, module):
        return first
    return _announce(run, *newest(run, lambda content: matches(content, module)))


def _announce(run: Path, checkpoint: Path | None, damaged: list[Path]) -> Path:
    """Name damaged checkpoints on the console.

    Raises:
        ValueError: There is no other checkpoint.
    """
    names = " and ".join(p.name for p in damaged)
    if checkpoint is None:
        raise ValueError(
            f"{run}: {names} damaged, and there is no other checkpoint;"
            f" start again with: {restart_command(run)}"
        )
    if damaged and is_first_process():
        print_line(console, f"{run}: {names} damaged; continuing from {checkpoint.name}")
    return checkpoint


def model_of(run: Path, step: int) -> IGN | None:
    """The model that a run saved at this step, or None if it is missing or damaged."""
    try:
        model = IGN.from_pretrained(run)
    except Exception:  # a damaged file can make safetensors and torch raise nearly anything
        return None
    return model if model.about.get("steps") == step else None
