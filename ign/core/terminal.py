"""What a person sees in a terminal."""

__all__ = ["console", "echo", "plain_streams", "progress"]

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from ign.core.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    console: Console


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


def progress(on: "Console | None" = None) -> "Progress":
    """A progress bar with counts and the time left; silent where there is no terminal."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    on = on or __getattr__("console")
    return Progress(*columns, console=on, disable=not on.is_terminal)


def echo(text: object = "", error: bool = False) -> None:
    """Print text on standard output, or on standard error, with control characters escaped.

    Line breaks in ``text`` are kept; escape the parts of a line with
    :func:`ign.core.text.printable` first where a name may hold one.
    """
    lines = "\n".join(map(printable, str(text).split("\n")))
    print(lines, file=sys.stderr if error else sys.stdout, flush=error)


@contextmanager
def plain_streams() -> Iterator[None]:
    """Within the context, any character can be printed, and a warning is one line.

    A character that the encoding of the terminal does not have is shown as an escape.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):  # replaced by a program, or closed
            _any_character(stream)
    before = warnings.formatwarning
    warnings.formatwarning = _one_line
    try:
        yield
    finally:
        warnings.formatwarning = before


def _any_character(stream: TextIO) -> None:
    stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]


def _one_line(message: Warning | str, *_: Any, **__: Any) -> str:
    return f"warning: {printable(' '.join(str(message).split()))}\n"
