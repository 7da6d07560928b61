"""Distances between images, and the names under which they are saved."""

__all__ = ["DISTANCES", "Distance", "distance_name", "find_distance", "l1", "l2"]

import importlib
from collections.abc import Callable

from torch import Tensor

Distance = Callable[[Tensor, Tensor], Tensor]
"""D, (B, ...), (B, ...) to (B,)."""


def l1(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference over all but the first dimension: (B, ...), (B, ...) to (B,)."""
    return (a - b).abs().flatten(1).mean(1)


def l2(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference over all but the first dimension: (B, ...), (B, ...) to (B,)."""
    return (a - b).square().flatten(1).mean(1)


DISTANCES: dict[str, Distance] = {"l1": l1, "l2": l2}
"""The distances by name."""


def find_distance(distance: str | Distance) -> Distance:
    """Find a distance by name: ``l1``, ``l2``, or the import path ``package.module:function``.

    Raises:
        ValueError: There is no distance of this name.
    """
    if callable(distance):
        return distance
    if distance in DISTANCES:
        return DISTANCES[distance]
    module, _, name = distance.partition(":")
    try:
        found = getattr(importlib.import_module(module), name) if name else None
    except (ImportError, AttributeError) as error:
        raise ValueError(f"distance {distance!r} cannot be imported: {error}") from None
    if not callable(found):
        raise ValueError(f"distance {distance!r} is not l1, l2 or package.module:function")
    return found


def distance_name(distance: str | Distance) -> str:
    """Return the name with which :func:`find_distance` finds this distance.

    Raises:
        ValueError: The function cannot be imported, such as a lambda.
    """
    if isinstance(distance, str):
        return distance
    for name, known in DISTANCES.items():
        if distance is known:
            return name
    name = f"{getattr(distance, '__module__', '')}:{getattr(distance, '__qualname__', '')}"
    try:
        if find_distance(name) is distance:
            return name
    except ValueError:
        pass
    raise ValueError(f"distance {distance!r} cannot be imported as {name}; define it in a module")
