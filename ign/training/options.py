"""From a preset, YAML, the command line or Python to one :class:`Config`."""

__all__ = ["arguments", "configuration", "fields_of", "parser", "plain", "resumed", "unchanged"]

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import jsonargparse
import yaml

from ign.training.checkpoints import checkpoints
from ign.training.config import (
    BaselineConfig,
    Config,
    NetworkConfig,
    ObjectiveConfig,
    TrainerConfig,
    preset_file,
)
from ign.training.methods import METHODS

CHANGEABLE = ("steps", "every", "log_every", "trainer", "data")
"""What a resumed run may change: its length, its checks, where it computes and reads."""


def parser(defaults: dict[str, Any] | None = None) -> jsonargparse.ArgumentParser:
    """The parser of :class:`Config`, with other defaults where given."""
    jsonargparse.set_parsing_settings(docstring_parse_attribute_docstrings=False)
    made = jsonargparse.ArgumentParser(prog="ign train", exit_on_error=False, allow_abbrev=False)
    made.add_argument("--config", action="config", help="A YAML file of the fields below.")
    made.add_class_arguments(Config, None)
    if defaults:
        made.set_defaults(_given(made, defaults))
    return made


def fields_of(preset: str, method: str = "ign") -> dict[str, Any]:
    """The fields of a preset, a method's own in the place of the preset's, with dots.

    Raises:
        ValueError: There is no such preset.
    """
    made, values = parser(), yaml.safe_load(preset_file(preset).read_text(encoding="utf-8"))
    if method in METHODS:  # the parser says so where it is not
        values = _given(made, values) | _given(made, {"method": method, **METHODS[method].defaults})
    return values


def _given(made: jsonargparse.ArgumentParser, values: dict[str, Any]) -> dict[str, Any]:
    """The fields that are given, with dots."""
    return dict(made.parse_object(values, defaults=False).as_flat().__dict__)


def arguments(values: dict[str, Any], base: str | dict[str, Any] | None = None) -> Config:
    """The configuration of a preset, or of other values, with some fields given instead.

    Args:
        values: The fields, nested or with dots.
        base: The name of a preset, or fields that no method's own replace.

    Raises:
        ValueError: An unknown preset or field, or a value of the wrong type.
    """
    try:
        given = fields_of(base, values.get("method", "ign")) if isinstance(base, str) else base
        made = parser(given)
        return configuration(made.parse_object(values))
    except jsonargparse.ArgumentError as error:
        raise ValueError(" ".join(str(error).split())) from None


def configuration(parsed: jsonargparse.Namespace) -> Config:
    """What a parser of :func:`parser` parsed, as a :class:`Config`."""
    given = parsed.as_dict()
    values = {f.name: given[f.name] for f in fields(Config)}
    nested = {
        "network": NetworkConfig, "objective": ObjectiveConfig, "baseline": BaselineConfig,
        "trainer": TrainerConfig,
    }  # fmt: skip
    return Config(**values | {k: kind(**values[k]) for k, kind in nested.items()})


def plain(config: Config) -> dict[str, Any]:
    """The configuration as YAML knows it, its folder of data made absolute."""
    values = asdict(config)
    values["betas"] = list(config.betas)
    if Path(config.data).exists():
        values["data"] = str(Path(config.data).resolve())
    return values


def resumed(run: str | Path) -> dict[str, Any]:
    """The configuration of an earlier run.

    Raises:
        ValueError: There is no run, or it has no checkpoint yet.
    """
    run = Path(run)
    file = run / "config.yaml"
    if not file.is_file():
        raise ValueError(f"{run}: no config.yaml there; give the folder of a run")
    if not checkpoints(run):
        raise ValueError(f"{run}: no checkpoint there yet; start again with --out {run} --force")
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: not YAML ({' '.join(str(error).split())})") from None
    if not isinstance(values, dict):
        raise ValueError(f"{file}: not the configuration of a run")
    return values


def unchanged(config: Config, run: Path) -> None:
    """Refuse to go on with a run in another way than it began.

    Raises:
        ValueError: A field outside :data:`CHANGEABLE` differs from the run's own.
    """
    old, new = (_flat(asdict(c)) for c in (arguments(resumed(run)), config))
    for name, value in new.items():
        if value != old[name] and name.partition(".")[0] not in CHANGEABLE:
            raise ValueError(
                f"--resume {run}: {name} was {old[name]} and cannot become {value}, only"
                f" {', '.join(CHANGEABLE)} can change; for another run from its model:"
                f" --init {run}"
            )


def _flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{name}.")
        else:
            flat[before + name] = value
    return flat
