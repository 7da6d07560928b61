"""What a person sees in a terminal."""

__all__ = ["console", "progress"]

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

console = Console(stderr=True)


def progress(on: Console = console, shown: bool = True, unit: str = "items") -> Progress:
    """A progress bar with counts and the time left; silent where there is no terminal.

    Args:
        on: Where it is shown.
        shown: Whether to show it at all.
        unit: What is counted; ``bytes`` are written as kB, MB and so on.
    """
    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        DownloadColumn() if unit == "bytes" else MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=on, disable=not (shown and on.is_terminal))
