"""The format of ``results.json``: its values and their types."""

__all__ = ["FORMAT", "check_results"]

import math
from collections.abc import Callable, Mapping
from typing import Any

from ign.core.text import printable
from ign.evaluate.tables import METRICS, SPREAD

FORMAT = 1
MAIN = ("frechet", "precision", "recall", "coverage")
"""The measures that every row of samples has."""
LARGEST = 2**63
"""Larger integers are refused, since they cannot be converted to a float."""


def check_results(found: Any) -> dict[str, Any]:
    """Return the results of an evaluation unchanged, if they have the expected format.

    Args:
        found: The contents of a JSON file.

    Raises:
        ValueError: A value is missing or has the wrong type.
    """
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"not the results of an evaluation of format {FORMAT}")
    results: dict[str, Any] = found
    protocol = _get(results, "protocol", _mapping)
    _check_protocol(protocol)
    rows = _get(results, "rows", _list)
    for i, row in enumerate(rows):
        _check_row(row, f"rows[{i}]")
    if not any("applications" in row for row in rows):
        raise ValueError("not the results of an evaluation (no row of samples)")
    for key in ("alarms", "warnings"):
        for text in results.get(key, []) if _get(results, key, _list, optional=True) else ():
            _require(_text(text), key, text)
    _get(results, "model", _mapping, optional=True)
    for name, value in (_get(results, "about", _mapping, optional=True) or {}).items():
        _require(value is None or _text(value) or _number(value), f"about.{printable(name)}", value)
    return results


def _check_protocol(protocol: dict[str, Any]) -> None:
    where = "protocol"
    for key in ("samples", "seed", "neighbours"):
        _get(protocol, key, _integer, where)
    _get(protocol, "tolerance", _number, where)
    net = _get(protocol, "features", _mapping, where)
    for key in ("name", "sha256"):
        _get(net, key, _text, f"{where}.features")
    for name in net.get("classes", []) if _get(net, "classes", _list, where, True) else ():
        _require(_text(name), f"{where}.features.classes", name)
    real = _get(protocol, "real", _mapping, where)
    _get(real, "images", _integer, f"{where}.real")
    _get(real, "sha256", _text, f"{where}.real")
    for key in ("source", "split"):
        _get(real, key, _text, f"{where}.real", optional=True)
    kernel = _get(protocol, "kernel", _mapping, where)
    for key in ("subsets", "size"):
        _get(kernel, key, _integer, f"{where}.kernel")


def _check_row(row: Any, where: str) -> None:
    _require(_mapping(row), where, row)
    _get(row, "name", _text, where)
    if "applications" in row:
        _get(row, "applications", _integer, where)
        for key in MAIN:
            _get(row, key, _number, where)
    for key in (*(metric.key for metric in METRICS), *SPREAD.values()):
        if row.get(key) is not None:
            _get(row, key, _number, where)


def _get(
    found: Mapping[str, Any], key: str, check: Callable[[Any], bool], where: str = "",
    optional: bool = False,
) -> Any:  # fmt: skip
    """Return a value of the right type, or None for a missing optional value."""
    path = f"{where}.{key}".lstrip(".")
    if found.get(key) is None and optional:
        return None
    if key not in found:
        raise ValueError(f"not the results of an evaluation (no {path!r})")
    _require(check(found[key]), path, found[key])
    return found[key]


def _require(sound: bool, path: str, value: Any) -> None:
    if not sound:
        kind = "number" if isinstance(value, int | float) else type(value).__name__
        raise ValueError(f"not the results of an evaluation ({path} cannot be such a {kind})")


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _list(value: Any) -> bool:
    return isinstance(value, list)


def _mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return _integer(value)


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST
