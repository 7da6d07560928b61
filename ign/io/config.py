"""``config.json``: how a model file describes itself, checked before any of it is used."""

__all__ = [
    "CONFIG",
    "FORMAT",
    "WEIGHTS",
    "describe_shape",
    "one_line",
    "read_config",
    "read_json",
    "read_shape",
    "update_config",
    "write_config",
]

import json
import math
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from ign.core.errors import ModelError
from ign.core.files import atomic
from ign.core.inputs import whole_numbers

CONFIG, WEIGHTS = "config.json", "model.safetensors"
FORMAT = 1
DEPTH = 16
"""How deeply lists and objects may be nested in a configuration."""


def read_json(path: Path, limit: int = 2**20) -> Any:
    """The content of a JSON file of plain values.

    Args:
        path: The file.
        limit: The largest size in bytes.

    Raises:
        ModelError: The file cannot be read, is too large, is not JSON, nests more than
            :data:`DEPTH` levels, or holds a number that is not finite or needs more than 64 bits.
    """
    try:
        if not path.is_file():
            raise ModelError(f"{path}: no such file")
        if path.stat().st_size > limit:
            raise ModelError(
                f"{path}: is larger than {limit:,} bytes, too large for a configuration"
            )
        values = json.loads(path.read_text(encoding="utf-8"))
        _check_plain(values)
    except ModelError:
        raise
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise ModelError(
            f"{path}: cannot be read as JSON ({one_line(error)}); download or save it again"
        ) from None
    return values


def _check_plain(values: Any, place: str = "the file", depth: int = 0) -> None:
    """Refuse deep nesting and numbers of more than 64 bits, which no configuration needs."""
    if depth > DEPTH:
        raise ValueError(f"{place[:60]} is nested more than {DEPTH} levels deep")
    if isinstance(values, dict | list):
        for key, value in values.items() if isinstance(values, dict) else enumerate(values):
            _check_plain(value, f"{place}.{key}" if depth else str(key), depth + 1)
    elif isinstance(values, int) and not -(2**63) <= values < 2**63:
        raise ValueError(f"{place} needs more than 64 bits")
    elif isinstance(values, float) and not math.isfinite(values):
        raise ValueError(f"{place} is not finite")


def read_config(path: Path) -> dict[str, Any]:
    """The configuration of a model.

    Raises:
        ModelError: The file is not the configuration of a model; see :func:`read_json`.
    """
    config = read_json(path)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ModelError(f"{path}: is not a model configuration of format {FORMAT}")
    return config


def write_config(path: Path, text: str) -> None:
    """Write a configuration, or leave the file as it was."""
    with atomic(path) as file:
        file.write_text(text + "\n", encoding="utf-8")


def update_config(folder: Path, **values: Any) -> None:
    """Set entries of a saved model's configuration; dataclasses are written as objects.

    Raises:
        ModelError: The folder holds no configuration.
    """
    config = read_config(folder / CONFIG)
    config |= {k: asdict(v) if is_dataclass(v) else v for k, v in values.items()}  # type: ignore[arg-type]
    write_config(folder / CONFIG, json.dumps(config, indent=2))


def describe_shape(shape: tuple[int, ...]) -> dict[str, Any]:
    """The entries of a configuration with the shape of a sample, for images and for vectors."""
    if len(shape) == 3:
        sides = dict(zip(("channels", "height", "width"), shape, strict=True))
        return {"image": sides, "value_range": [-1, 1]}
    return {"shape": list(shape)}


def read_shape(config: dict[str, Any]) -> tuple[int, ...]:
    """The shape of a sample that a configuration states.

    Raises:
        KeyError: The configuration states no shape.
        TypeError: A side is not a whole number.
        ValueError: A side is below 1, or the shape is empty.
    """
    if "shape" in config:
        return tuple(whole_numbers(config["shape"], "shape", 1))
    sides = [config["image"][side] for side in ("channels", "height", "width")]
    return tuple(whole_numbers(sides, "image", 1))


def one_line(error: BaseException, length: int = 160) -> str:
    """The message of an error in one line of at most ``length`` characters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= length else f"{text[: length - 3]}..."
