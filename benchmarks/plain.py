"""A configuration from a preset with the standard library and PyYAML alone.

The command line reads presets with jsonargparse, which checks every value. A program for a machine
without that package uses this module.
"""

from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

import yaml

from ign.training.config import Config, preset_file
from ign.training.configs import config_class


def configuration(preset: str, options: dict[str, Any]) -> Config:
    """The configuration of a preset, with some fields, named with dots, changed.

    Raises:
        ValueError: A field is unknown.
    """
    kind = config_class(str(options.get("method", "ign")))
    made = kind()
    values = _flatten(yaml.safe_load(preset_file(preset).read_text(encoding="utf-8")))
    for name, value in values.items():
        if not {name, name.partition(".")[0]} & {*kind.recipe}:
            _set(made, name, value, known=False)
    for name, value in options.items():
        _set(made, name, value, known=True)
    return _again(made)


def _flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        nested = isinstance(value, dict)
        flat |= _flatten(value, f"{prefix}{name}.") if nested else {prefix + name: value}
    return flat


def _set(made: Any, name: str, value: Any, known: bool) -> None:
    """Set a field, named with dots; a field that the configuration does not have is left out."""
    *path, last = name.split(".")
    for part in path:
        made = getattr(made, part, None)
    if made is None or last not in {field.name for field in fields(made)}:
        if known:
            raise ValueError(f"field {name!r} is unknown")
        return
    setattr(made, last, tuple(value) if isinstance(value, list) else value)


def _again(made: Any) -> Any:
    """A new instance with the same values, which are checked again."""
    types = get_type_hints(type(made))
    values = {}
    for field in fields(made):
        value = getattr(made, field.name)
        nested = isinstance(types[field.name], type) and is_dataclass(value)
        values[field.name] = _again(value) if nested else value
    return type(made)(**values)
