"""Drawings of numbers."""

__all__ = ["drawing"]

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ign.core.files import atomic


@contextmanager
def drawing(
    path: Path, columns: int = 1, size: tuple[float, float] = (9, 3.6), shared: bool = False
) -> Iterator[Any]:
    """Draw into the axes of a figure, which is written when the context ends well.

    Args:
        path: The PNG file.
        columns: How many axes side by side.
        size: Width and height in inches.
        shared: Whether one legend beside the axes, those of the first, serves all.

    Yields:
        The axes, of matplotlib; an array of them for several columns.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(1, columns)
    yield axes
    for one in figure.axes:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(alpha=0.25)
        one.set_axisbelow(True)
        if one.get_legend_handles_labels()[0] and not shared:
            one.legend(frameon=False)
    if shared:
        entries = figure.axes[0].get_legend_handles_labels()
        figure.legend(*entries, loc="outside right upper", frameon=False)
    with atomic(path) as file:
        figure.savefig(file, dpi=140)
