"""Terminal output: the console, progress bars and messages."""

__all__ = ["console", "echo", "plain_streams", "progress"]

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ign.core.streams import replace_unencodable
from ign.core.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    console: Console

WIDEST = 10_000
"""The most characters of one line."""


def __getattr__(name: str) -> Any:
    """``console``, the one for standard error, is made when it is first used."""
    if name != "console":
        raise AttributeError(f"module 'ign.core.terminal' has no attribute {name!r}")
    globals()["console"] = made = console_on(stderr=True)
    return made


def console_on(**options: Any) -> "Console":
    """A console of rich that shows text as it is, without markup, emoji codes or colours."""
    from rich.console import Console

    return Console(markup=False, emoji=False, highlight=False, **options)


def progress(on: "Console | None" = None, shown: bool = True, unit: str = "items") -> "Progress":
    """Create a progress bar with counts and the remaining time; it is hidden without a terminal.

    Args:
        on: The console; None for the console on standard error.
        shown: Whether to show the progress bar.
        unit: The unit of the counts; ``bytes`` are shown as kB, MB and so on.
    """
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn() if unit == "bytes" else MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    on = on or __getattr__("console")
    return Progress(*columns, console=on, disable=not (shown and on.is_terminal))


def echo(text: object = "", error: bool = False) -> None:
    """Print text on standard output, or on standard error, with control characters escaped.

    Line breaks in ``text`` are kept; escape the parts of a line with
    :func:`ign.core.text.printable` first where a name may hold one.
    """
    lines = "\n".join(printable(line, WIDEST) for line in str(text).split("\n"))
    print(lines, file=sys.stderr if error else sys.stdout, flush=error)


@contextmanager
def plain_streams() -> Iterator[None]:
    """Within the context, any character can be printed, and a warning is one line."""
    with suppress(ValueError, OSError):  # a stream that is closed
        replace_unencodable()
    before = warnings.formatwarning
    warnings.formatwarning = _one_line
    try:
        yield
    finally:
        warnings.formatwarning = before


def _one_line(message: Warning | str, *_: Any, **__: Any) -> str:
    return f"warning: {printable(' '.join(str(message).split()), WIDEST)}\n"
