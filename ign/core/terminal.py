"""What a person sees in a terminal."""

__all__ = ["console", "progress"]

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

console = Console(stderr=True)


def progress(on: Console = console) -> Progress:
    """A progress bar with counts and the time left; silent where there is no terminal."""
    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=on, disable=not on.is_terminal)
