"""A bar with the time left."""

__all__ = ["bar"]

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(
    what: str, total: int | None, shown: bool, unit: str = "items"
) -> Iterator[Callable[[int], None]]:
    """Show a bar on the standard error while the context lasts.

    Args:
        what: What is being done.
        total: How many steps there are; None where that is not known.
        shown: False, no terminal, or no ``rich`` installed, for no bar.
        unit: What a step is; ``bytes`` are written as such.

    Yields:
        A function that advances the bar by some steps.
    """
    try:
        from rich import progress
        from rich.console import Console

        console = Console(stderr=True)
        shown = shown and console.is_terminal
    except ImportError:
        shown = False
    if not shown:
        yield lambda _: None
        return
    count = progress.DownloadColumn() if unit == "bytes" else progress.MofNCompleteColumn()
    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), count)
    with progress.Progress(*columns, progress.TimeRemainingColumn(), console=console) as shown_bar:
        task = shown_bar.add_task(what, total=total)
        yield lambda steps: shown_bar.advance(task, steps)
