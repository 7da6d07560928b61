"""The Lightning Trainer of a run, and the rank of this process."""

__all__ = ["Batches", "find_rank", "is_first_process", "make_trainer", "quiet"]

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from lightning import Trainer
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.utilities import rank_zero_only

from ign.training.checkpoints import AtomicCheckpoints
from ign.training.config import Config
from ign.training.precision import precision_of
from ign.training.strategy import placement

HARMLESS = (
    (r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning),
    (r"Found \d+ module\(s\) in eval mode", UserWarning),
    (r"(GPU|MPS) available but not used", UserWarning),
    (r"FSDP2-wrapped module \(\w+\) returned a view tensor", UserWarning),
)
"""Warnings that do not concern the user: of Lightning about itself, the averaged network and the
chosen device, and of FSDP2 about in-place operations, which the networks do not use."""


class Batches:
    """An endless loader of empty batches, since each step draws its batch from (seed, step)."""

    def __iter__(self) -> Any:
        while True:
            yield 0


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress Lightning's start messages and the :data:`HARMLESS` warnings."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for text, kind in HARMLESS:
            warnings.filterwarnings("ignore", text, kind)
        yield


def make_trainer(config: Config, folder: Path | None = None, callbacks: Any = ()) -> Trainer:
    """Make the Trainer of a run.

    Args:
        config: The run.
        folder: The run's folder.
        callbacks: The Trainer's callbacks.

    Raises:
        ValueError: This machine does not have the devices, nodes or strategy.
    """
    _require_device(config.trainer.accelerator)
    options = asdict(config.trainer)
    if options["accelerator"] == "cuda":
        options["accelerator"] = "gpu"
    del options["accumulate_grad_batches"]  # a step accumulates by itself
    options["precision"] = precision_of(config.trainer)
    placed = placement(config)
    placed["plugins"] = [AtomicCheckpoints(), *placed["plugins"]]
    try:
        return Trainer(
            **options | placed,
            max_steps=config.steps,
            max_epochs=-1,
            callbacks=list(callbacks),
            default_root_dir=folder,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            num_sanity_val_steps=0,
        )
    except KeyError as error:
        raise ValueError(
            f"trainer: the environment variable {error.args[0]} is missing; start the processes"
            " with srun or torchrun"
        ) from None
    except (MisconfigurationException, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"trainer: {' '.join(str(error).split())}") from None


def find_rank(config: Config) -> int:
    """Set the rank of this process to the rank in the Trainer, which is 0 in a run of one process.

    Lightning reads a rank from variables such as ``SLURM_PROCID`` when it is imported, whether
    the run has several processes or not. This replaces that rank, on which
    :func:`is_first_process` and Lightning's own functions rely.

    Raises:
        ValueError: This machine does not have the devices, nodes or strategy.
    """
    with quiet():
        rank = make_trainer(config).global_rank
    vars(rank_zero_only)["rank"] = rank
    return rank


def is_first_process() -> bool:
    """Whether this process has rank 0, which writes the run's files and prints."""
    return not vars(rank_zero_only).get("rank")


def _require_device(name: str) -> None:
    """Refuse a kind of device that this machine does not have.

    Raises:
        ValueError: The machine does not have it.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(name, True):
        raise ValueError(f"device {name}: this machine has no such device; use auto")
