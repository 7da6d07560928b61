"""Checkpoints: written whole or not at all, and checked before they are trusted."""

__all__ = [
    "AtomicCheckpoints",
    "Failure",
    "again",
    "checkpoints",
    "keep",
    "kept",
    "newest",
    "path_of",
    "step_of",
]

import re
import shlex
import zipfile
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from ign.core.files import atomic

KEPT = 2


class Failure(RuntimeError):
    """A run that cannot go on, in one line: what happened, what is kept, what to try."""


class AtomicCheckpoints(TorchCheckpointIO):
    """Checkpoints written under a temporary name and renamed when complete."""

    def save_checkpoint(self, checkpoint: Any, path: Any, storage_options: Any = None) -> None:
        with atomic(path) as file:
            try:
                with open(file, "wb") as stream:
                    torch.save(checkpoint, stream)
            except RuntimeError as error:  # torch's own, raised while it handles the disk's
                if isinstance(error.__context__, OSError):
                    raise error.__context__ from None
                raise


def path_of(run: Path, step: int) -> Path:
    """Where a run's checkpoint of this step stands."""
    return run / "checkpoints" / f"step-{step:08d}.ckpt"


def step_of(checkpoint: Path) -> int:
    """The step at which a checkpoint was written."""
    return int(checkpoint.stem.removeprefix("step-"))


def checkpoints(run: Path) -> list[Path]:
    """A run's checkpoints, oldest first, damaged ones included."""
    found = (run / "checkpoints").glob("step-*.ckpt")
    return sorted((p for p in found if re.fullmatch(r"step-\d+", p.stem)), key=step_of)


def newest(run: Path) -> tuple[Path | None, list[Path]]:
    """A run's last whole checkpoint, and the damaged ones that come after it."""
    damaged: list[Path] = []
    for checkpoint in reversed(checkpoints(run)):
        if _whole(checkpoint):
            return checkpoint, damaged
        damaged.append(checkpoint)
    return None, damaged


def keep(run: Path, step: int) -> None:
    """Remove all checkpoints but the last :data:`KEPT` up to this step."""
    found = checkpoints(run)
    last = [p for p in found if step_of(p) <= step][-KEPT:]
    for checkpoint in found:
        if checkpoint not in last:
            checkpoint.unlink()


def kept(run: Path) -> str:
    """What a run that fails leaves behind, in words."""
    checkpoint, _ = newest(run)
    return f"kept: {checkpoint.name} and its model" if checkpoint else "nothing was saved before"


def again(run: Path) -> str:
    """The command with which a run that stopped goes on, or begins anew without a checkpoint."""
    name = shlex.quote(str(run))
    return f"ign train {f'--resume {name}' if newest(run)[0] else f'--out {name} --force'}"


def _whole(checkpoint: Path) -> bool:
    """Whether the file, a zip archive, has its end and the checksums that it states."""
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            return archive.testzip() is None
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError):
        return False
