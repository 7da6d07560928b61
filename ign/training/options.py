"""The configuration of a run from a preset, YAML, the command line or Python."""

__all__ = [
    "FORMER",
    "arguments",
    "configuration",
    "fields_from",
    "fields_of",
    "flatten",
    "named_options",
    "parser",
    "renamed",
    "resumed",
    "same_method",
    "to_dict",
    "to_yaml",
    "unchanged",
]

import warnings
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import jsonargparse
import yaml

from ign.training.config import Config, preset_file
from ign.training.configs import config_class
from ign.training.paths import checkpoints

CHANGEABLE = ("steps", "every", "log_every", "horizon", "trainer", "compile", "data")
"""The fields that a resumed run may change."""

FORMER = {
    "anchors": "match.anchors",
    "baseline.beta": "beta",
    "baseline.margin": "margin",
    "baseline.pull_weight": "pull_weight",
    "objective.adversarial_weight": "adversarial.weight",
    "objective.match_bandwidth": "match.bandwidth",
    "objective.match_weight": "match.weight",
    "objective.sharp_weight": "adversarial.reconstruction_weight",
    "trainer.compile": "compile",
}
"""Fields of version 0.1 and their names now."""


def parser(method: str = "ign", defaults: dict[str, Any] | None = None) -> Any:
    """The parser of a method's configuration, with other defaults if given.

    Raises:
        ValueError: There is no such method.
    """
    jsonargparse.set_parsing_settings(docstring_parse_attribute_docstrings=False)
    made = jsonargparse.ArgumentParser(prog="ign train", exit_on_error=False, allow_abbrev=False)
    made.add_argument("--config", action="config", help="A YAML file of the fields below.")
    made.add_class_arguments(config_class(method), None)
    if defaults:
        made.set_defaults(_parsed(made, defaults))
    return made


def fields_of(preset: str, method: str = "ign") -> dict[str, Any]:
    """The fields that a preset sets for a method, with dots.

    Presets are written for the method ign. A baseline uses the fields that both methods have, and
    keeps its own recipe (:attr:`ign.training.config.Config.recipe`).

    Raises:
        ValueError: There is no such preset or method.
    """
    return fields_from(preset_file(preset), method)


def fields_from(file: Path, method: str = "ign") -> dict[str, Any]:
    """The fields that a YAML file for method ign sets for a method, with dots.

    Raises:
        ValueError: There is no such method.
    """
    made, kind = parser(method), config_class(method)
    values = flatten(yaml.safe_load(file.read_text(encoding="utf-8")))
    known = _names(kind)
    taken = {
        name: value
        for name, value in values.items()
        if name in known and not {name, name.partition(".")[0]} & {*kind.recipe}
    }
    return _parsed(made, taken | {"method": method})


def _parsed(made: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Values with dots, checked and converted to the types of their fields."""
    return dict(made.parse_object(values, defaults=False).as_flat().__dict__)


def _names(kind: type[Any]) -> set[str]:
    """The names of the fields of a configuration, with dots."""
    return {*flatten(asdict(kind()))}


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values with dots: ``{"a": {"b": 1}}`` to ``{"a.b": 1}``."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def renamed(values: dict[str, Any]) -> dict[str, Any]:
    """Replace the names of version 0.1 in values with dots, with a warning."""
    found = {}
    for name, value in values.items():
        if name in FORMER:
            text = f"{name} is now {FORMER[name]}; the former name will be removed in version 0.3"
            warnings.warn(text, DeprecationWarning, stacklevel=3)
        found[FORMER.get(name, name)] = value
    return found


def named_options(others: dict[str, Any], **named: Any) -> dict[str, Any]:
    """Join the options that have an argument of their own and the other options, with dots.

    Raises:
        ValueError: An option is given twice.
    """
    given = {name: str(v) if isinstance(v, Path) else v for name, v in named.items()}
    first = flatten({name: value for name, value in given.items() if value is not None})
    second = renamed(flatten(others))
    if twice := first.keys() & second.keys():
        raise ValueError(f"{min(twice)} is given twice")
    return first | second


def arguments(values: dict[str, Any], base: str | dict[str, Any] | None = None) -> Config:
    """The configuration of a preset or of an earlier run, with some fields changed.

    Args:
        values: The fields, nested or with dots.
        base: The name of a preset, or the fields of an earlier run.

    Raises:
        ValueError: A preset, a method or a field is unknown, or a value has the wrong type.
    """
    values = renamed(flatten(values))
    if isinstance(base, dict):
        same_method(base.get("method"), values.get("method"))
    method = str(values.get("method") or (isinstance(base, dict) and base.get("method")) or "ign")
    given = fields_of(base, method) if isinstance(base, str) else base
    try:
        return configuration(parser(method, given).parse_object(values), method)
    except jsonargparse.ArgumentError as error:
        raise ValueError(" ".join(str(error).split())) from None


def same_method(before: str | None, now: str | None) -> None:
    """Check that a resumed run keeps its method.

    Raises:
        ValueError: The method differs.
    """
    if before and now and before != now:
        raise ValueError(
            f"the run's method was {before} and cannot become {now}; start another run for it"
        )


def configuration(parsed: jsonargparse.Namespace, method: str = "ign") -> Config:
    """The configuration that a parser of :func:`parser` has parsed.

    Raises:
        ValueError: A field has no value and needs one, or a value is out of its range.
    """
    made: Config = _build(config_class(method), parsed.as_dict())
    return made


def _build(kind: type[Any], values: dict[str, Any], prefix: str = "") -> Any:
    """A dataclass from nested values."""
    made, types = {}, get_type_hints(kind)
    for field in fields(kind):
        name, value, type_ = f"{prefix}{field.name}", values[field.name], types[field.name]
        if value is None and type(None) not in get_args(type_):
            raise ValueError(f"{name} is null; give a value or leave it out")
        nested = isinstance(type_, type) and is_dataclass(type_)
        made[field.name] = _build(type_, value, f"{name}.") if nested else value
    return kind(**made)


def to_dict(config: Config) -> dict[str, Any]:
    """The configuration as plain values, with absolute paths and with the horizon as a number."""
    values = asdict(config)
    values["betas"] = list(config.betas)
    values["horizon"] = config.horizon or config.steps
    if config.data and Path(config.data).exists():
        values["data"] = str(Path(config.data).resolve())
    return values


def to_yaml(config: Config) -> str:
    """The configuration as the text of a YAML file."""
    return yaml.safe_dump(to_dict(config), sort_keys=False, allow_unicode=True)


def resumed(run: str | Path) -> dict[str, Any]:
    """The fields of an earlier run, with dots.

    Raises:
        ValueError: There is no run, or it has no checkpoint yet.
    """
    run = Path(run)
    file = run / "config.yaml"
    if not file.is_file():
        raise ValueError(f"{run}: has no config.yaml; give the folder of a run")
    if not checkpoints(run):
        raise ValueError(f"{run}: has no checkpoint yet; start again with --out {run} --force")
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: not YAML ({' '.join(str(error).split())})") from None
    if not isinstance(values, dict):
        raise ValueError(f"{file}: not the configuration of a run")
    return _from_before(flatten(values))


def _from_before(values: dict[str, Any]) -> dict[str, Any]:
    """The current fields of a run of any version; fields of other methods are left out."""
    known = _names(config_class(str(values.get("method", "ign"))))
    former = {FORMER.get(name, name): value for name, value in values.items() if name in FORMER}
    others = {*FORMER} | ({"noise", "network.rounding"} - known)
    found = {name: value for name, value in values.items() if name not in others}
    found |= {name: value for name, value in former.items() if name in known}
    return {"horizon": found.get("steps"), **found}


def unchanged(config: Config, run: Path) -> None:
    """Check that a resumed run has the configuration with which it began.

    Raises:
        ValueError: A field outside :data:`CHANGEABLE` differs.
    """
    old, new = (flatten(asdict(c)) for c in (arguments(resumed(run)), config))
    for name, value in new.items():
        if value != old.get(name) and name.partition(".")[0] not in CHANGEABLE:
            raise ValueError(
                f"--resume {run}: {name} was {old.get(name)} and cannot become {value}; only"
                f" {', '.join(CHANGEABLE)} can change; for another run from its model:"
                f" --init {run}"
            )
