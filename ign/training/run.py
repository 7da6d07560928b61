"""Runs: start, resume, finish."""

__all__ = ["Interrupted", "Lost", "run", "train"]

import logging
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from lightning import Trainer
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from torch import Tensor, nn

from ign import data
from ign.core.terminal import console
from ign.model import IGN
from ign.noise import make_noise
from ign.training.callbacks import Bar, Stop, Tell, lost, say
from ign.training.check import Check, averaged
from ign.training.checkpoints import AtomicCheckpoints, Failure, again, kept, newest, step_of
from ign.training.config import Config
from ign.training.folder import leads, place, prepare
from ign.training.journal import Journal
from ign.training.methods import METHODS, Method
from ign.training.module import Training
from ign.training.options import arguments, resumed, unchanged
from ign.training.precision import precision_of, said
from ign.training.strategy import spread

HELD_OUT = 256
IN_MEMORY = 2**26
"""Decoded images of more bytes are kept in the cache folder, for the next run, and mapped."""
HARMLESS = (
    (r"`isinstance\(treespec, LeafSpec\)` is deprecated", FutureWarning),
    (r"Found \d+ module\(s\) in eval mode", UserWarning),
    (r"(GPU|MPS) available but not used", UserWarning),
    (r"FSDP2-wrapped module \(\w+\) returned a view tensor", UserWarning),
)
"""Lightning's warnings about itself, about the average, and about a device that a user chose;
FSDP2's about operations in place, of which the networks have none."""


class Interrupted(Failure):
    """A run that was stopped by a signal, with a checkpoint.

    Args:
        message: Where it stopped and how to go on.
        signal: The number of the signal.
    """

    def __init__(self, message: str, signal: int):
        super().__init__(message)
        self.signal = signal


class Lost(Failure):
    """A run of which another process is gone; ``ign.training.callbacks.Tell`` has told it."""


def train(
    preset: str = "digits",
    *,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    init: str | Path | None = None,
    force: bool = False,
    **options: Any,
) -> IGN:
    """Train a model, as ``ign train`` does.

    Args:
        preset: The name of a preset.
        out: The run's folder; None for a new one under ``runs``.
        resume: A run to continue; its own configuration takes the preset's place.
        init: A model whose weights to start from: a path, a packaged name or a Hub id.
        force: Whether an earlier run at ``out`` may be replaced.
        **options: Fields of :class:`ign.training.Config`, such as ``data="photos"``,
            ``steps=1000`` or ``network={"width": 32}``.

    Returns:
        The trained model, the one saved in the run's folder ``model``.

    Raises:
        ValueError: A field, source or run that does not make sense.
        Failure: The run stopped before its end, with what it kept.
    """
    if resume is not None:
        if out is not None or init is not None or force:
            raise ValueError(f"{resume} goes on where it is; leave out out, init and force")
        return run(arguments(options, resumed(resume)), Path(resume), resume=True)
    config = arguments(options, preset)
    return run(config, place(out, preset, force, config.method), init=init)


def run(config: Config, folder: Path, resume: bool = False, init: str | Path | None = None) -> IGN:
    """Run the configuration in a folder: load, fit, save.

    Args:
        config: The run.
        folder: Where everything about it is written; what an earlier run left there goes,
            unless it is resumed.
        resume: Whether to continue from the folder's last checkpoint.
        init: A model whose weights to start from.

    Raises:
        ValueError: A source, model or setting that cannot be used.
        Failure: The run stopped before its end.
    """
    if not config.data:
        raise ValueError("which images? data is empty; give --data FOLDER or ZIP, or a preset")
    _device(config.trainer.accelerator)
    checkpoint = _checkpoint(config, folder) if resume else None
    if checkpoint and step_of(checkpoint) == config.steps:
        _note(f"{folder} is at step {config.steps}, its end; go on with more --steps")
        return IGN.from_pretrained(folder)
    images, held_out = _load(config, "train"), _load(config, "test")
    model, method = _begin(config, images, init)
    module = Training(model, method, images, config)
    journal, stop = Journal(folder, config.log_every, method.terms), Stop()
    check = Check(folder, _pick(held_out), _pick(images), journal, config.every)
    bar = Bar(console, config.log_every, said(config))
    with _quiet():
        trainer = _trainer(config, folder, [Tell(folder), stop, journal, bar, check])
        module.micro_batch(trainer.world_size)
        if trainer.is_global_zero:
            prepare(folder, config, resume)
        _fit(trainer, module, checkpoint, folder, stop)
    return averaged(module)


def _device(name: str) -> None:
    """Refuse a kind of device that this machine does not have."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(name, True):
        raise ValueError(f"device {name}: there is none here; use auto")


def _checkpoint(config: Config, folder: Path) -> Path:
    """The checkpoint from which to go on.

    Raises:
        ValueError: There is none, or the configuration is not one to go on with.
    """
    unchanged(config, folder)
    checkpoint, damaged = newest(folder)
    names = " and ".join(p.name for p in damaged)
    if checkpoint is None:
        raise ValueError(
            f"{folder}: {names} damaged, and there is no other checkpoint;"
            f" start again with --out {folder} --force"
        )
    if damaged:
        _note(f"{folder}: {names} damaged; going on from {checkpoint.name}")
    if (step := step_of(checkpoint)) > config.steps:
        raise ValueError(f"--resume {folder}: it is at step {step}, beyond steps {config.steps}")
    return checkpoint


def _note(text: str) -> None:
    """Print a line, once for all processes."""
    if leads():
        say(console, text)


def _fit(
    trainer: Trainer, module: Training, checkpoint: Path | None, folder: Path, stop: Stop
) -> None:
    """Fit, and say in one line what ended it before its end."""
    cause, advice = "stopped", ""
    try:
        trainer.fit(module, _Forever(), ckpt_path=checkpoint, weights_only=True)
        if trainer.global_step == module.config.steps:
            return
    except OSError as error:
        cause = f"cannot write to {folder} ({error.strerror or error})"
        advice = "make room, then "
    except torch.OutOfMemoryError:
        cause = "out of memory"
        advice = "raise trainer.accumulate_grad_batches, then "
    except SystemExit:  # Lightning's answer to KeyboardInterrupt
        pass
    except RuntimeError as error:
        if not lost(error):
            raise
        raise Lost(f"lost another process at step {trainer.global_step}") from None
    text = f"{cause} at step {trainer.global_step}; {kept(folder)}"
    text += f"; {advice}go on with: {again(folder)}"
    if cause == "stopped":
        raise Interrupted(text, stop.signal or signal.SIGINT)
    raise Failure(text)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's greetings and :data:`HARMLESS` warnings."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with warnings.catch_warnings():
        for text, kind in HARMLESS:
            warnings.filterwarnings("ignore", text, kind)
        yield


class _Forever:
    """A loader whose batches say nothing: a step draws its own from (seed, step)."""

    def __iter__(self) -> Any:
        while True:
            yield 0


def _trainer(config: Config, folder: Path, callbacks: list[Any]) -> Trainer:
    options = asdict(config.trainer)
    if options["accelerator"] == "cuda":
        options["accelerator"] = "gpu"
    del options["accumulate_grad_batches"]  # a step accumulates by itself
    options["precision"] = precision_of(config.trainer)
    try:
        return Trainer(
            **options | spread(config),
            max_steps=config.steps,
            max_epochs=-1,
            callbacks=callbacks,
            plugins=[AtomicCheckpoints()],
            default_root_dir=folder,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            num_sanity_val_steps=0,
        )
    except (MisconfigurationException, ValueError) as error:
        raise ValueError(f"trainer: {' '.join(str(error).split())}") from None


def _load(config: Config, split: str) -> data.ImageSet:
    return data.load(
        config.data,
        split=split,
        size=config.size,
        gray=config.gray,
        limit=config.limit if split == "train" else HELD_OUT,
        memory_limit=IN_MEMORY,
        progress=split == "train",
    )


def _pick(images: data.ImageSet) -> Tensor:
    """At most as many images as a check measures, spread over the set."""
    count = min(HELD_OUT, len(images))
    return images.batch(torch.arange(count) * len(images) // count)


def _begin(config: Config, images: data.ImageSet, init: str | Path | None) -> tuple[IGN, Method]:
    """A new model for these images, or one that starts from another's weights, and its method."""
    kind, (channels, size, _) = METHODS[config.method], images.shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = kind.network_class(channels, size, **asdict(config.network))
        method = kind(network, config)
    noise = make_noise(config.noise, images.shape, images.images)
    name = Path(config.data).name or config.data
    about = {"method": config.method, "data": name, "training_images": len(images)}
    about |= {"seed": config.seed, "precision": precision_of(config.trainer)}
    model = IGN(network, noise, config.distance, about)
    if init is not None:
        _start_from(IGN.from_pretrained(init).network, network, f"--init {init}")
    return model, method


def _start_from(theirs: nn.Module, ours: nn.Module, what: str) -> None:
    """Give a network another's weights.

    Raises:
        ValueError: The two are of different kinds or sizes.
    """
    try:
        ours.load_state_dict(theirs.state_dict())
    except RuntimeError:
        a, b = (f"{type(n).__name__} {vars(n).get('config')}" for n in (theirs, ours))
        raise ValueError(
            f"{what}: its network is {a}, this run's {b};"
            " make size, gray, network.width, network.norm, network.rounding and method the same"
        ) from None
