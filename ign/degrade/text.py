"""Parse degradations from text such as ``noise:0.15,sketch``."""

__all__ = ["DEGRADATIONS", "parse"]

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from ign.core.text import printable
from ign.degrade.base import Compose, Degradation
from ign.degrade.masks import BrushMask, HalfMask, RectangleMask
from ign.degrade.pixels import (
    JPEG,
    AdditiveNoise,
    Blur,
    Downsample,
    Grayscale,
    SaltAndPepper,
    Sketch,
)

KINDS: Sequence[type[Degradation]] = (
    AdditiveNoise, Grayscale, Sketch, Blur, Downsample, JPEG, SaltAndPepper,
    HalfMask, RectangleMask, BrushMask,
)  # fmt: skip
DEGRADATIONS: dict[str, type[Degradation]] = {kind.name: kind for kind in KINDS}
"""The degradations that :func:`parse` accepts, by name."""


def parse(text: str) -> Degradation:
    """Parse a degradation from text: ``name[:value][:field=value]...[,name...]``.

    Values without a name are assigned to the fields in order. Examples are ``noise:0.15``,
    ``noise:variance=0.15``, ``sketch:clamp=true``, ``half:left:fill=0`` and
    ``noise:0.3,blur:1.5``.

    Args:
        text: The degradations in the order in which they are applied.

    Raises:
        ValueError: A name, field or value is unknown or invalid.
    """
    steps = [_step(part.strip()) for part in text.split(",")]
    return steps[0] if len(steps) == 1 else Compose(steps)


def _step(text: str) -> Degradation:
    name, *settings = text.split(":")
    if name not in DEGRADATIONS:
        raise ValueError(
            f"degradation '{printable(name, 80)}' is unknown; choose {', '.join(DEGRADATIONS)}"
        )
    kind = DEGRADATIONS[name]
    known = {f.name: f for f in fields(kind)}
    positional = iter([f.name for f in known.values() if not f.kw_only])
    chosen: dict[str, Any] = {}
    for setting in settings:
        before, equals, after = setting.partition("=")
        key, value = (before, after) if equals else (next(positional, ""), setting)
        if key not in known or key in chosen:
            raise ValueError(
                f"degradation '{printable(text, 80)}': {name} takes {', '.join(known) or 'nothing'}"
            )
        chosen[key] = _value(text, known[key].type, value)
    return kind(**chosen)


def _value(text: str, kind: Any, word: str) -> Any:
    """Convert a value to the type of its field."""
    what = f"degradation '{printable(text, 80)}': '{printable(word, 80)}' must be"
    if kind is bool:
        if word not in ("true", "false"):
            raise ValueError(f"{what} true or false")
        return word == "true"
    try:
        return kind(word) if kind in (int, str) else float(word)
    except ValueError:
        raise ValueError(f"{what} {'a whole number' if kind is int else 'a number'}") from None
