"""The files of a run's checkpoints."""

__all__ = ["checkpoints", "path_of", "step_of"]

import re
from pathlib import Path


def path_of(run: Path, step: int) -> Path:
    """Return the path of a run's checkpoint of this step."""
    return run / "checkpoints" / f"step-{step:08d}.ckpt"


def step_of(checkpoint: Path) -> int:
    """Return the step at which a checkpoint was written, from its name."""
    return int(checkpoint.stem.removeprefix("step-"))


def checkpoints(run: Path) -> list[Path]:
    """List a run's checkpoints, oldest first, damaged ones included."""
    found = (run / "checkpoints").glob("step-*.ckpt")
    return sorted((p for p in found if re.fullmatch(r"step-\d+", p.stem)), key=step_of)
