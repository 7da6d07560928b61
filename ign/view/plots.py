"""Plots drawn with matplotlib."""

__all__ = ["drawing"]

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ign.core.files import atomic
from ign.core.text import printable

AUTOMATIC = re.compile(r"_(child\d+|container\d+|nolegend_|line\d+)")
"""The labels that matplotlib assigns to artists without a label."""
TICK = r"$\mathdefault{"


@contextmanager
def drawing(
    path: Path, columns: int = 1, size: tuple[float, float] = (9, 3.6), shared: bool = False
) -> Iterator[Any]:
    """Draw into the axes of a figure, which is written when the context ends without an error.

    All texts are plain text: dollar signs do not start a formula, and the label of a curve may
    start with an underscore.

    Args:
        path: The PNG file.
        columns: The number of axes side by side.
        size: Width and height in inches.
        shared: Whether the legend of the first axes is drawn beside all of them, for all.

    Yields:
        The axes, of matplotlib; an array of them for several columns.
    """
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(1, columns)
    yield axes
    for one in figure.axes:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(alpha=0.25)
        one.set_axisbelow(True)
        if not shared:
            _legend(one, *_labelled(one))
    if shared:
        _legend(figure, *_labelled(figure.axes[0]), loc="outside right upper")
    for text in figure.findobj(Text):
        plain = text.get_text()
        if plain and not plain.startswith(TICK):  # ticks that matplotlib labels have no text yet
            text.set_parse_math(False)
            text.set_text(
                "\n".join(printable(line, 10 * len(line) + 3) for line in plain.split("\n"))
            )
    with atomic(path) as file:
        figure.savefig(file, dpi=140)


def _labelled(axes: Any) -> tuple[list[Any], list[str]]:
    """The curves, bars and areas of axes that were given a label, and their labels."""
    found = [*axes.containers, *axes.lines, *axes.patches, *axes.collections]
    parts = {id(part) for container in axes.containers for part in container.get_children()}
    named = [(x, str(x.get_label())) for x in found if id(x) not in parts]
    named = [(x, label) for x, label in named if label and not AUTOMATIC.fullmatch(label)]
    return [x for x, _ in named], [label for _, label in named]


def _legend(where: Any, handles: list[Any], labels: list[str], **options: Any) -> None:
    """A legend, whose labels may start with an underscore, which matplotlib leaves out."""
    if handles:
        legend = where.legend(handles, [" "] * len(handles), frameon=False, **options)
        for text, label in zip(legend.get_texts(), labels, strict=True):
            text.set_text(label)
