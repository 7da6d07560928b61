"""ign train: a model from a named data set or any folder of images."""

__all__ = ["run"]

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from ign.cli.parser import ASKED, Parser, hyphens
from ign.cli.suggest import train_error, train_words

if TYPE_CHECKING:
    from ign.training import Config

METAVARS = {
    "data": "DATA", "out": "RUN", "resume": "RUN", "init": "MODEL", "config": "FILE",
    "betas": "B1,B2",
}  # fmt: skip


def run(words: Sequence[str]) -> int:
    """Parse, train, and print the path of the model; the exit status is 1 for a failed run."""
    if words is not ASKED and words[:1] == ["inspect"]:
        from ign.cli import train_inspect

        train_inspect.run(words[1:])
        return 0
    from jsonargparse import ArgumentError

    from ign import training
    from ign.training.options import same_method

    preset, rest = ("folder", words) if words is ASKED else _preset(train_words(words))
    rest = rest if words is ASKED else [_renamed(word) for word in rest]
    resume = _value(rest, "--resume")
    method = _value(rest, "--method") or _method_of(_value(rest, "--config")) or "ign"
    made: Any = None
    try:
        fields = training.resumed(resume) if resume else training.fields_of(preset, method)
        if resume:
            same_method(fields.get("method"), _value(rest, "--method"))
        method = fields.get("method", method)
        made = _parser(fields, method)
        if words is ASKED or {"-h", "--help"} & set(rest):
            _explained(made, preset, method).parse_args(ASKED if words is ASKED else ["--help"])
        options = made.parse_args(rest)
    except ArgumentError as error:
        known = [x for action in made._actions for x in action.option_strings] if made else []
        raise ValueError(f"{train_error(str(error), known)} (see ign train --help)") from None
    config = training.configuration(options, method)
    for name in ("out", "init", "force"):
        if resume and getattr(options, name):
            raise ValueError(
                f"--resume {resume} continues in the folder of the run; leave out --{name}"
            )
    if options.device:
        config.trainer.accelerator = options.device
    return _train(config, preset, options)


def _train(config: "Config", preset: str, options: Any) -> int:
    """Run the training, and print the path of the model."""
    from ign import training
    from ign.training import Failure, Interrupted, ProcessLostError, is_first_process

    new = (options.out, preset, options.force, config)
    out = Path(options.resume) if options.resume else training.choose_folder(*new)
    try:
        trust, force = options.trust_code, options.force
        training.run(config, out, bool(options.resume), options.init, trust, force)
    except Failure as failure:
        if is_first_process() and not isinstance(failure, ProcessLostError):
            print(f"ign train: {failure}", file=sys.stderr)
        return 128 + failure.signal if isinstance(failure, Interrupted) else 1
    if is_first_process():
        print(f"model: {out}/model   samples: {out}/samples   next: ign sample {out}")
    return 0


def _preset(words: Sequence[str]) -> tuple[str, list[str]]:
    """The preset, which comes first or is ``folder``, and the other words, with underscores."""
    rest = [hyphens(word, "_") for word in words]
    if words and not words[0].startswith("-"):
        return words[0], rest[1:]
    return "folder", rest


def _value(words: Sequence[str], name: str) -> str | None:
    for i, word in enumerate(words):
        if word == name and i + 1 < len(words):
            return words[i + 1]
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def _method_of(file: str | None) -> str | None:
    """The method that a YAML file names, if it can be read; the parser reports if it cannot."""
    import yaml

    if file and Path(file).exists() and not Path(file).is_file():
        raise ValueError(f"--config {file}: is not a regular file")
    try:
        values = yaml.safe_load(Path(file).read_text(encoding="utf-8")) if file else None
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None
    method = values.get("method") if isinstance(values, dict) else None
    return method if isinstance(method, str) else None


def _renamed(word: str) -> str:
    """Replace an option name of version 0.1 by the current name."""
    from ign.training.options import FORMER

    name, sign, value = word.partition("=")
    if name[:2] != "--" or name[2:] not in FORMER:
        return word
    now = f"--{FORMER[name[2:]]}"
    print(f"ign train: {name} is now {now}", file=sys.stderr)
    return f"{now}{sign}{value}"


def _parser(defaults: dict[str, Any], method: str = "ign") -> Any:
    """The parser of a method's configuration and of the other options of a run."""
    from ign.training import parser

    made = parser(method, defaults)
    made.add_argument("--out", type=str, help="The run's folder (default: runs/PRESET[-METHOD]).")
    made.add_argument("--resume", type=str, help="A run to continue.")
    made.add_argument("--init", type=str, help="A model to start from.")
    made.add_argument("--force", action="store_true", help="Replace the run at --out.")
    made.add_argument(
        "--trust_code", action="store_true",
        help="Let --resume import the code that the run's config.yaml names.",
    )  # fmt: skip
    made.add_argument(
        "--device", choices=["auto", "cpu", "cuda", "mps"],
        help="Same as --trainer.accelerator.",
    )  # fmt: skip
    return made


def _explained(made: Any, preset: str, method: str = "ign") -> Parser:
    """The same options as an argparse parser, for help and completion."""
    from ign.training import PRESETS

    shown = Parser(
        prog="ign train",
        usage="ign train [PRESET] [--data DATA] [--out RUN] [options]",
        description="Train a model on a named data set or any folder or zip of images."
        f" The presets are {', '.join(PRESETS)}; the default is folder. The options and defaults"
        f" below belong to preset {preset} and method {method}; --method NAME --help shows"
        " another method's.",
        epilog="Underscores may stand for hyphens. --print-config shows all of this as YAML, which"
        " --config reads back.\n\nexamples:\n"
        "  ign train --data photos/ --out runs/photos\n"
        "  ign train mnist --steps 3000 --network.width 16\n"
        "  ign train --resume runs/mnist",
    )
    shown.add_argument(
        "preset", nargs="?", choices=PRESETS, metavar="PRESET",
        help="the recipe with the default values; it comes first",
    )  # fmt: skip
    for group in sorted(
        made._action_groups, key=lambda group: group.title == "Devices and precision"
    ):
        target = shown if group.title == "options" else shown.add_argument_group(group.title)
        for action in group._group_actions:
            if "--help" not in action.option_strings and action.metavar != "CONFIG":
                _add(target, action)
    return shown


def _add(target: Any, action: Any) -> None:
    """Add an option of jsonargparse to a parser of argparse."""
    name = action.option_strings[0]
    text = (action.help or "").rstrip(".")
    text = text if text.startswith("Lightning") else text[:1].lower() + text[1:]
    given: dict[str, Any] = {"help": text.replace("%", "%%"), "default": action.default}
    if action.nargs == 0 or action.dest == "print_config":
        target.add_argument(
            hyphens(name), action="store_true", help=given["help"] if action.nargs == 0 else
            "print the configuration that would be used, and stop",
        )  # fmt: skip
        return
    kinds = getattr(action, "_typehint", str)
    literal = [x for x in get_args(kinds) if isinstance(x, str)]
    if action.dest == "method":
        from ign.training.configs import CONFIGS

        literal = [*CONFIGS]
    choices = action.choices or literal
    if kinds is bool or bool in get_args(kinds):
        choices = ["true", "false", *(["null"] if type(None) in get_args(kinds) else [])]
        given["default"] = None if action.default is None else str(action.default).lower()
    if choices:
        given["choices"] = choices
    else:
        number = {int: "N", float: "X"}.get(next(iter(get_args(kinds)), kinds), "VALUE")
        given["metavar"] = METAVARS.get(action.dest, number)
    target.add_argument(hyphens(name), **given)
