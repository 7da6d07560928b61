"""ign train: a model from a named data set or any folder of images."""

__all__ = ["run"]

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def run(words: Sequence[str]) -> int:
    """Parse, train, and say where the model is: exit status 1 for a run that failed."""
    from jsonargparse import ArgumentError

    from ign import training
    from ign.training import Failure, Interrupted, Lost, leads

    preset, rest = _preset(words)
    resume = _value(rest, "--resume")
    method = _value(rest, "--method") or "ign"
    try:
        fields = training.resumed(resume) if resume else training.fields_of(preset, method)
        options = _parser(fields, preset).parse_args(rest)
        if options.method != method and not resume:  # a YAML file names it
            options = _parser(training.fields_of(preset, options.method), preset).parse_args(rest)
    except ArgumentError as error:
        raise ValueError(f"{' '.join(str(error).split())} (see ign train --help)") from None
    config = training.configuration(options)
    for name in ("out", "init", "force"):
        if resume and getattr(options, name):
            raise ValueError(f"--resume {resume} goes on where the run is; leave out --{name}")
    if options.device:
        config.trainer.accelerator = options.device
    place = training.place
    out = Path(resume) if resume else place(options.out, preset, options.force, config.method)
    try:
        training.run(config, out, bool(resume), options.init)
    except Failure as failure:
        if leads() and not isinstance(failure, Lost):
            print(f"ign train: {failure}", file=sys.stderr)
        return 128 + failure.signal if isinstance(failure, Interrupted) else 1
    if leads():
        print(f"model: {out}/model   samples: {out}/samples   next: ign sample {out}")
    return 0


def _preset(words: Sequence[str]) -> tuple[str, list[str]]:
    """The preset, which comes first or is ``folder``, and the other words."""
    if words and not words[0].startswith("-"):
        return words[0], list(words[1:])
    return "folder", list(words)


def _value(words: Sequence[str], name: str) -> str | None:
    for i, word in enumerate(words):
        if word == name and i + 1 < len(words):
            return words[i + 1]
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def _parser(defaults: dict[str, Any], preset: str) -> Any:
    from ign.training import PRESETS, parser

    made = parser(defaults)
    made.usage = "ign train [PRESET] [--data FOLDER|ZIP] [--out RUN] [options]"
    made.description = (
        f"Train a model. Presets: {', '.join(PRESETS)}; without one, folder."
        f" The defaults below are those of {preset}."
    )
    made.add_argument(
        "--out", type=str, default=None, help="The run's folder (runs/PRESET[-METHOD])."
    )
    made.add_argument("--resume", type=str, default=None, help="A run to continue.")
    made.add_argument("--init", type=str, default=None, help="A model to start from.")
    made.add_argument("--force", action="store_true", help="Replace the run at --out.")
    made.add_argument(
        "--device", choices=["auto", "cpu", "cuda", "mps"], default=None,
        help="The same as --trainer.accelerator.",
    )  # fmt: skip
    return made
