"""Runs: start, resume, finish."""

__all__ = ["arguments", "parser", "run", "train"]

import logging
import shutil
import warnings
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import jsonargparse
import torch
import yaml
from lightning import Trainer
from torch import Tensor

from ign import data
from ign.files import atomic
from ign.model import IGN
from ign.nn import DCGANAutoencoder
from ign.noise import make_noise
from ign.objective import IGNObjective
from ign.terminal import console
from ign.training.callbacks import (
    AtomicCheckpoints,
    Bar,
    Check,
    Failure,
    Follow,
    Journal,
    Stop,
    averaged,
    newest,
)
from ign.training.config import Config, preset_file
from ign.training.module import Training

HELD_OUT = 256
CHANGEABLE = ("steps", "every", "log_every", "trainer", "data")


class Interrupted(Failure):
    """A run that was stopped by a signal, with a checkpoint.

    Args:
        message: Where it stopped and how to go on.
        signal: The number of the signal.
    """

    def __init__(self, message: str, signal: int):
        super().__init__(message)
        self.signal = signal


def parser(defaults: dict[str, Any] | None = None) -> jsonargparse.ArgumentParser:
    """The parser of :class:`Config`, with other defaults where given."""
    jsonargparse.set_parsing_settings(docstring_parse_attribute_docstrings=False)
    made = jsonargparse.ArgumentParser(prog="ign train", exit_on_error=False)
    made.add_argument("--config", action="config", help="A YAML file of the fields below.")
    made.add_class_arguments(Config, None)
    if defaults:
        flat = made.parse_object(defaults, defaults=False)
        made.set_defaults(flat.as_flat().__dict__)
    return made


def arguments(values: dict[str, Any], preset: str | None = None) -> Config:
    """The configuration of a preset with some fields given, nested or with dots.

    Raises:
        ValueError: An unknown preset or field, or a value of the wrong type.
    """
    defaults = yaml.safe_load(preset_file(preset).read_text()) if preset else None
    made = parser(defaults)
    try:
        return configuration(made, made.parse_object(values))
    except jsonargparse.ArgumentError as error:
        raise ValueError(" ".join(str(error).split())) from None


def configuration(made: jsonargparse.ArgumentParser, parsed: jsonargparse.Namespace) -> Config:
    """What a parser of :func:`parser` parsed, as a :class:`Config`."""
    values = vars(made.instantiate_classes(parsed))
    return Config(**{f.name: values[f.name] for f in fields(Config)})


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
        return run(arguments({**resumed(resume), **options}), Path(resume), resume=True)
    config = arguments(options, preset)
    return run(config, place(out, preset, force), init=init)


def resumed(run: str | Path) -> dict[str, Any]:
    """The configuration of an earlier run.

    Raises:
        ValueError: There is no run, or it has no checkpoint yet.
    """
    run = Path(run)
    file = run / "config.yaml"
    if not file.is_file():
        raise ValueError(f"{run}: no config.yaml there; give the folder of a run")
    if newest(run) is None:
        raise ValueError(f"{run}: no checkpoint there yet; start it again with --force")
    return yaml.safe_load(file.read_text())


def place(out: str | Path | None, preset: str, force: bool) -> Path:
    """The folder of a new run; an earlier run there goes when ``force`` says so.

    Raises:
        ValueError: Something is there already.
    """
    if out is None:
        taken = (Path("runs") / (preset if i == 1 else f"{preset}-{i}") for i in range(1, 10**6))
        return next(p for p in taken if not p.exists())
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        if not out.is_dir() or not (out / "config.yaml").is_file():
            raise ValueError(f"{out}: exists and is not a run; give another --out")
        if not force:
            raise ValueError(
                f"{out}: holds a run; continue it with --resume {out}, replace it with --force,"
                " or give another --out"
            )
        for name in ("checkpoints", "model", "samples", "tensorboard"):
            shutil.rmtree(out / name, ignore_errors=True)
        (out / "metrics.csv").unlink(missing_ok=True)
    return out


def run(config: Config, folder: Path, resume: bool = False, init: str | Path | None = None) -> IGN:
    """Run the configuration in a folder: load, fit, save.

    Args:
        config: The run.
        folder: Where everything about it is written.
        resume: Whether to continue from the folder's last checkpoint.
        init: A model whose weights to start from.

    Raises:
        ValueError: A source, model or setting that cannot be used.
        Failure: The run stopped before its end.
    """
    images = _load(config, "train")
    model = _model(config, images, init)
    objective = IGNObjective(**asdict(config.objective))
    module = Training(model, objective, images, config)
    held_out = _load(config, "test")
    journal, stop = Journal(folder, config.log_every), Stop()
    watched = _pick(held_out), _pick(images)
    callbacks = [
        stop,
        Follow(),
        journal,
        Bar(console, config.log_every),
        Check(folder, *watched, journal, config.every),
    ]
    trainer = _trainer(config, callbacks)
    if trainer.is_global_zero:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic(folder / "config.yaml") as file:
            file.write_text(yaml.safe_dump(_plain(config), sort_keys=False))
    checkpoint = newest(folder) if resume else None
    _fit(trainer, module, checkpoint, folder)
    if stop.signal is not None and trainer.global_step < config.steps:
        raise Interrupted(
            f"stopped at step {trainer.global_step}; go on with: ign train --resume {folder}",
            stop.signal,
        )
    return averaged(module)


def _fit(trainer: Trainer, module: Training, checkpoint: Path | None, folder: Path) -> None:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module="lightning")
            trainer.fit(module, _Forever(), ckpt_path=checkpoint, weights_only=True)
    except OSError as error:
        kept = newest(folder)
        raise Failure(
            f"step {trainer.global_step}: cannot write to {folder} ({error.strerror or error});"
            f" {'kept: ' + kept.name if kept else 'nothing is kept yet'}; make room and go on with:"
            f" ign train --resume {folder}"
        ) from error


class _Forever:
    """A loader whose batches say nothing: a step draws its own from (seed, step)."""

    def __iter__(self) -> Any:
        while True:
            yield 0


def _trainer(config: Config, callbacks: list[Any]) -> Trainer:
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    options = asdict(config.trainer)
    if options["accelerator"] == "cuda":
        options["accelerator"] = "gpu"
    return Trainer(
        **options,
        max_steps=config.steps,
        max_epochs=-1,
        callbacks=callbacks,
        plugins=[AtomicCheckpoints()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
    )


def _load(config: Config, split: str) -> data.ImageSet:
    return data.load(
        config.data,
        split=split,
        size=config.size,
        gray=config.gray,
        limit=config.limit if split == "train" else HELD_OUT,
        progress=split == "train",
    )


def _pick(images: data.ImageSet) -> Tensor:
    """At most as many images as a check measures, spread over the set."""
    count = min(HELD_OUT, len(images))
    return images.batch(torch.arange(count) * len(images) // count)


def _model(config: Config, images: data.ImageSet, init: str | Path | None) -> IGN:
    """A new model for these images, or one that starts from another's weights."""
    channels, size, _ = images.shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = DCGANAutoencoder(channels, size, config.network.width, config.network.norm)
    noise = make_noise(config.noise, images.shape, images.images)
    about = {"data": config.data, "training_images": len(images), "seed": config.seed}
    model = IGN(network, noise, config.objective.distance, about)
    if init is not None:
        start = IGN.from_pretrained(init)
        try:
            network.load_state_dict(start.network.state_dict())
        except RuntimeError:
            theirs = vars(start.network).get("config")
            raise ValueError(
                f"--init {init}: its network is {theirs}, this run's {network.config};"
                " make size, gray, network.width and network.norm the same"
            ) from None
    return model


def _plain(config: Config) -> dict[str, Any]:
    """The configuration as YAML knows it, its folder of data made absolute."""
    values = asdict(config)
    values["betas"] = list(config.betas)
    if Path(config.data).exists():
        values["data"] = str(Path(config.data).resolve())
    return values
