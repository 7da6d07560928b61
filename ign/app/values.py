"""Validation of the inputs of a job, which can be any JSON values."""

__all__ = ["choice", "flag", "number", "whole"]

import math
from collections.abc import Sequence
from typing import Any


def number(name: str, value: Any, least: float, most: float) -> float:
    """Return a value if it is a finite number within bounds.

    Raises:
        ValueError: It is not; the message names the input.
    """
    if value is None or value == "":
        raise ValueError(f"{name} is empty; give a number from {least:g} to {most:g}")
    real = isinstance(value, int | float) and not isinstance(value, bool)
    if not real or not math.isfinite(value) or not least <= value <= most:
        raise ValueError(f"{name} is {_shown(value)}; give a number from {least:g} to {most:g}")
    return float(value)


def whole(name: str, value: Any, least: int = 0, most: int = 2**32) -> int:
    """Return a value if it is a whole number within bounds.

    Raises:
        ValueError: It is not; the message names the input.
    """
    wanted = f"give a whole number from {least} to {most}"
    if value is None or value == "":
        raise ValueError(f"{name} is empty; {wanted}")
    real = isinstance(value, int | float) and not isinstance(value, bool)
    if not real or not least <= value <= most or value != int(value):
        raise ValueError(f"{name} is {_shown(value)}; {wanted}")
    return int(value)


def flag(name: str, value: Any) -> bool:
    """Return a value if it is true or false.

    Raises:
        ValueError: It is not; the message names the input.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {_shown(value)}; give true or false")
    return value


def choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """Return a value if it is one of the choices.

    Raises:
        ValueError: It is not; the message names the input.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} is {_shown(value)}; choose {', '.join(choices)}")
    return value


def _shown(value: Any) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = repr(value) if not isinstance(value, int) or abs(value) < 1e30 else "a huge number"
    return text if len(text) <= 40 else f"{text[:40]}..."
