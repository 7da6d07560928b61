"""Start, resume and finish a run."""

__all__ = ["run", "train"]

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning import Trainer

from ign.core.terminal import console
from ign.data import ImageSet
from ign.model import IGN
from ign.training.callbacks import ProgressBar, ReportLostProcess, StopOnSignal, print_line
from ign.training.check import Check, averaged_model
from ign.training.config import Config
from ign.training.estimate import Estimate
from ign.training.failures import (
    Failure,
    Interrupted,
    ProcessLostError,
    describe_kept,
    disk_advice,
    is_out_of_memory,
    is_process_lost,
    memory_advice,
    resume_command,
)
from ign.training.fingerprint import Provenance, verify_images
from ign.training.folder import choose_folder, claimed, prepare_folder
from ign.training.journal import Journal
from ign.training.launch import Batches, find_rank, is_first_process, make_trainer, quiet
from ign.training.module import Training
from ign.training.options import arguments, named_options, resumed, to_dict
from ign.training.paths import step_of
from ign.training.precision import describe_computation
from ign.training.resume import first_checkpoint, matching_checkpoint, model_of, require_trust
from ign.training.setup import evenly, load_images, make_module


def train(
    preset: str = "digits",
    *,
    data: str | Path | None = None,
    method: str | None = None,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    init: str | Path | None = None,
    force: bool = False,
    trust_code: bool = False,
    size: int | None = None,
    gray: bool | None = None,
    limit: int | None = None,
    flip: bool | None = None,
    batch_size: int | None = None,
    steps: int | None = None,
    learning_rate: float | None = None,
    seed: int | None = None,
    device: str | None = None,
    network: Mapping[str, Any] | None = None,
    objective: Mapping[str, Any] | None = None,
    trainer: Mapping[str, Any] | None = None,
    **options: Any,
) -> IGN:
    """Train a model, as ``ign train`` does.

    An argument that is None has the value of the preset.

    Args:
        preset: The name of a preset: ``digits``, ``mnist``, ``celeba``, ``folder``, ...
        data: A named data set, or a folder or zip of images.
        method: ``ign``, or a baseline such as ``dcgan``.
        out: The run's folder; None for a new one under ``runs``.
        resume: A run to continue with its own configuration instead of a preset's.
        init: A model whose weights to start from: a path, a packaged name or a Hub id.
        force: Whether an earlier run at ``out`` may be replaced.
        trust_code: Whether to import the code that the configuration of the run to continue names.
        size: The side of the square images in pixels.
        gray: Whether to convert the images to gray.
        limit: The number of images to use, counted from the first one.
        flip: Whether to mirror images at random, left to right.
        batch_size: The number of images for each step.
        steps: The number of optimizer steps.
        learning_rate: The learning rate of Adam.
        seed: The seed of initialization, order, flips and noise.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        network: Options of the network, such as ``{"width": 32}``.
        objective: Options of the objective, such as ``{"rec_weight": 30}``.
        trainer: Devices and precision, such as ``{"precision": "32"}``.
        **options: Other options of ``ign train``, nested or with dots, such as ``ema=0.99`` or
            ``**{"adversarial.weight": 0.3}``.

    Returns:
        The trained model, which is saved in the run's folder ``model``.

    Raises:
        ValueError: An option, source or run cannot be used.
        Failure: The run stopped before its end; the message says what is kept.
    """
    options = named_options(
        options, data=data, method=method, size=size, gray=gray, limit=limit, flip=flip,
        batch_size=batch_size, steps=steps, learning_rate=learning_rate, seed=seed,
        network=network, objective=objective, trainer=trainer,
    )  # fmt: skip
    if device is not None:
        options["trainer.accelerator"] = device
    if resume is not None:
        if out is not None or init is not None or force:
            raise ValueError(
                f"{resume} continues in its own folder; leave out the arguments out, init and force"
            )
        config = arguments(options, resumed(resume))
        return run(config, Path(resume), resume=True, trust_code=trust_code)
    config = arguments(options, preset)
    folder = choose_folder(out, preset, force, config)
    return run(config, folder, init=init, replace=force)


def run(
    config: Config,
    folder: Path,
    resume: bool = False,
    init: str | Path | None = None,
    trust_code: bool = False,
    replace: bool = True,
) -> IGN:
    """Run the configuration in a folder: load, fit, save.

    Args:
        config: The run.
        folder: The folder of the run.
        resume: Whether to continue from the folder's last checkpoint.
        init: A model whose weights to start from.
        trust_code: Whether a resumed run may import code that its config.yaml names.
        replace: Whether an earlier run in the folder may be replaced, unless it is resumed.

    Raises:
        ValueError: A source, model or setting cannot be used, or another process trains in the
            folder.
        Failure: The run stopped before its end.
    """
    if not config.data:
        raise ValueError("data is empty; give --data FOLDER or ZIP, or a preset")
    if resume:
        require_trust(config, folder, trust_code)
    find_rank(config)
    with claimed(folder, new=not resume, replace=replace):
        return _run(config, folder, resume, init)


def _run(config: Config, folder: Path, resume: bool, init: str | Path | None) -> IGN:
    checkpoint, content = first_checkpoint(config, folder) if resume else (None, {})
    ended = checkpoint is not None and step_of(checkpoint) == config.steps
    if ended and (model := model_of(folder, config.steps)):
        _note(f"{folder} is at step {config.steps}, its end; give more --steps to continue")
        return model
    images, held_out = load_images(config)
    if checkpoint:
        verify_images(content, images, config.data)
    module = make_module(config, images, init)
    if checkpoint:
        checkpoint = matching_checkpoint(folder, checkpoint, content, module)
    del content
    with quiet():
        trainer, check = _prepare(config, folder, module, held_out)
        if trainer.is_global_zero:
            prepare_folder(folder, config, resume)
        _fit(trainer, module, checkpoint, folder, init)
        if ended:
            check.save_model(trainer, averaged_model(module))
            _note(
                f"{folder} is at step {config.steps}, its end; its model was missing or damaged"
                " and is restored from the checkpoint"
            )
    return averaged_model(module)


def _prepare(
    config: Config, folder: Path, module: Training, held_out: ImageSet
) -> tuple[Trainer, Check]:
    """Make the Trainer with its callbacks, including the check."""
    images = module.images
    journal = Journal(folder, config.log_every, module.method.terms)
    estimate = Estimate(folder, config)
    bar = ProgressBar(console, config.log_every, describe_computation(config), estimate)
    check = Check(folder, evenly(held_out), evenly(images), journal, config.every, bar.report)
    provenance = Provenance(to_dict(config), images)
    watching = [ReportLostProcess(folder), StopOnSignal(), provenance, journal, bar, check]
    trainer = make_trainer(config, folder, watching)
    module.micro_batch(trainer.world_size)
    return trainer, check


def _note(text: str) -> None:
    """Print a line, once for all processes."""
    if is_first_process():
        print_line(console, text)


def _fit(
    trainer: Trainer,
    module: Training,
    checkpoint: Path | None,
    folder: Path,
    init: str | Path | None,
) -> None:
    """Fit the model.

    Raises:
        Failure: The run ended before its last step; the message is one line.
    """
    try:
        trainer.fit(module, Batches(), ckpt_path=checkpoint, weights_only=True)
        if trainer.global_step == module.config.steps:
            return
        cause = "stopped"
    except OSError as error:
        cause = f"cannot write to {error.filename or folder} ({error.strerror or error})"
        advice = f"{disk_advice(error)}continue with: {resume_command(folder, init)}"
    except SystemExit:  # Lightning's answer to KeyboardInterrupt
        cause = "stopped"
    except (MemoryError, RuntimeError) as error:
        if is_process_lost(error):
            text = f"lost another process at step {trainer.global_step}"
            raise ProcessLostError(text) from None
        if not is_out_of_memory(error):
            raise
        cause = "out of memory"
        advice = memory_advice(module.config, trainer.world_size, resume_command(folder, init))
    text = f"{cause} at step {trainer.global_step}; {describe_kept(folder)}"
    if cause == "stopped":
        text += f"; continue with: {resume_command(folder, init)}"
        (stop,) = (c for c in trainer.callbacks if isinstance(c, StopOnSignal))  # type: ignore[attr-defined]
        raise Interrupted(text, stop.signal or signal.SIGINT)
    raise Failure(f"{text}; {advice}")
