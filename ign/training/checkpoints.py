"""Checkpoints: written completely or not at all, and verified before they are used."""

__all__ = [
    "AtomicCheckpoints",
    "matches",
    "newest",
    "prune",
    "read",
]

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor, nn

from ign.core.files import atomic
from ign.training.paths import checkpoints, step_of

KEPT = 2
PARTS = {
    "callbacks", "epoch", "global_step", "images", "loops", "lr_schedulers", "optimizer_states",
    "pytorch-lightning_version", "state_dict",
}  # fmt: skip
"""The parts of a checkpoint that Lightning and :class:`ign.training.module.Training` need."""


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint under a temporary name and renames it when it is complete."""

    def save_checkpoint(self, checkpoint: Any, path: Any, storage_options: Any = None) -> None:
        with atomic(path) as file:
            try:
                with open(file, "wb") as stream:
                    torch.save(checkpoint, stream)
            except RuntimeError as error:  # torch raises it while it handles an OSError
                if isinstance(error.__context__, OSError):
                    raise error.__context__ from None
                raise


def read(checkpoint: Path) -> dict[str, Any] | None:
    """Read a checkpoint; the result is None if the file is damaged or incomplete.

    The file is a zip archive: its end, its checksums, the tensors and :data:`PARTS` are verified.
    """
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            if archive.testzip() is not None:
                return None
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
        complete = content.keys() >= PARTS and content["global_step"] == step_of(checkpoint)
    except Exception:  # a damaged file can make zipfile and torch raise nearly anything
        return None
    return content if complete else None


def matches(content: dict[str, Any], module: nn.Module) -> bool:
    """Whether a checkpoint has the tensors of the module, all finite, and an optimizer state."""
    wanted, found = module.state_dict(), content["state_dict"]
    try:
        adam, schedule = content["optimizer_states"][0], content["lr_schedulers"][0]
        moments = [t for state in adam["state"].values() for t in state.values()]
        tensors = [t for t in (*found.values(), *moments) if isinstance(t, Tensor)]
        return (
            wanted.keys() == found.keys()
            and all(found[k].shape == t.shape and found[k].dtype == t.dtype
                    for k, t in wanted.items())
            and all(t.isfinite().all() for t in tensors)
            and all({"step", "exp_avg", "exp_avg_sq"} <= s.keys() for s in adam["state"].values())
            and bool(adam["param_groups"])
            and "last_epoch" in schedule
            and isinstance(content["callbacks"], dict)
            and "epoch_loop.state_dict" in content["loops"]["fit_loop"]
        )  # fmt: skip
    except (AttributeError, IndexError, KeyError, TypeError):
        return False


def newest(
    run: Path, accept: Callable[[dict[str, Any]], bool] = lambda content: True
) -> tuple[Path | None, list[Path]]:
    """Find a run's last usable checkpoint, and list the unusable ones that are newer.

    Args:
        run: The run's folder.
        accept: A function that returns whether the content of a checkpoint can be used.
    """
    damaged: list[Path] = []
    for checkpoint in reversed(checkpoints(run)):
        content = read(checkpoint)
        if content is not None and accept(content):
            return checkpoint, damaged
        damaged.append(checkpoint)
    return None, damaged


def prune(run: Path, step: int) -> None:
    """Remove all checkpoints except the last :data:`KEPT` up to this step."""
    found = checkpoints(run)
    last = [p for p in found if step_of(p) <= step][-KEPT:]
    for checkpoint in found:
        if checkpoint not in last:
            checkpoint.unlink()
