"""Components that gradio does not have: a canvas, and jobs that show errors on the page."""

__all__ = ["canvas", "explained", "random_seed"]

import random
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import gradio as gr

from ign.app.markup import error as error_message

HERE = Path(__file__).parent


def canvas(
    name: str,
    hint: str,
    side: int,
    kind: str = "draw",
    colours: bool = False,
    target: str = "",
    **options: Any,
) -> gr.HTML:
    """Make a canvas on which to draw, or to brush a mask over a picture.

    Args:
        name: The name of the canvas for screen readers.
        hint: The text on the canvas while it is blank.
        side: The side of the canvas in pixels.
        kind: ``draw`` or ``mask``.
        colours: Whether colours can be chosen for the brush.
        target: The id of the upload button to which a dropped or pasted picture goes.
        options: Other arguments of :class:`gradio.HTML`.
    """
    return gr.HTML(
        value=None,
        html_template=(HERE / "board.html").read_text(encoding="utf-8"),
        js_on_load=(HERE / "board.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        name=name, hint=hint, side=side, kind=kind, colours=colours, target=f"#{target}",
        **options,
    )  # fmt: skip


def explained(job: Callable[..., Any], before: int = 0) -> Callable[..., Any]:
    """Wrap a job so that its last output shows the message of a :class:`ValueError`.

    Args:
        job: A function of inputs of the page.
        before: The number of outputs before the last one, which are not changed by an error.
    """

    @wraps(job)
    def run(*arguments: Any) -> Any:
        try:
            return job(*arguments)
        except ValueError as error:
            text = error_message(str(error))
            return (*[gr.skip()] * before, text) if before else text

    return run


def random_seed() -> int:
    """Draw a random seed."""
    return random.randrange(10**6)
