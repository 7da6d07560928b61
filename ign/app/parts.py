"""The parts of the page that gradio lacks or that need care: the canvas, uploads, messages."""

__all__ = ["board", "guarded", "seeds", "taken"]

import random
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import gradio as gr

HERE = Path(__file__).parent


def board(
    name: str,
    hint: str,
    side: int,
    kind: str = "draw",
    colours: bool = False,
    target: str = "",
    **options: Any,
) -> gr.HTML:
    """A canvas to draw on, or to brush a mask over a picture.

    Args:
        name: What it is, for who cannot see it.
        hint: What is written on it while it is blank.
        side: Its side in pixels.
        kind: ``draw`` or ``mask``.
        colours: Whether the brush has a choice of colours.
        target: The id of the upload button to which a dropped or pasted picture goes.
        options: What else :class:`gradio.HTML` takes.
    """
    return gr.HTML(
        value=None,
        html_template=(HERE / "board.html").read_text(encoding="utf-8"),
        js_on_load=(HERE / "board.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        name=name, hint=hint, side=side, kind=kind, colours=colours, target=f"#{target}",
        **options,
    )  # fmt: skip


def guarded(task: Callable[..., Any]) -> Callable[..., Any]:
    """A task whose refusals are told in the page."""

    @wraps(task)
    def run(*arguments: Any) -> Any:
        try:
            return task(*arguments)
        except ValueError as error:
            raise gr.Error(str(error), duration=12, print_exception=False, title="") from None

    return run


def taken(task: Callable[..., Any]) -> Callable[..., Any]:
    """A task on uploaded files, its first argument, which are gone when it ends."""

    @wraps(task)
    def run(files: str | list[str] | None, *arguments: Any) -> Any:
        every = [files] if isinstance(files, str) else list(files or [])
        try:
            return task(files, *arguments)
        finally:
            for file in every:
                Path(file).unlink(missing_ok=True)

    return run


def seeds() -> int:
    """A seed that nobody chose."""
    return random.randrange(10**6)
