"""Pictures and messages as HTML, in which pictures are data URLs instead of files."""

__all__ = ["Tile", "data_url", "download", "error", "note", "table", "tiles"]

import base64
import html
import io
from collections.abc import Collection, Sequence
from typing import NamedTuple

from PIL import Image
from torch import Tensor

from ign.view.pictures import to_picture

SMOOTH = 128
"""Pixels of images with at least this side are not shown as squares."""


class Tile(NamedTuple):
    """An image (C, H, W) in [-1, 1] with a caption."""

    image: Tensor
    caption: str = ""
    alt: str = ""


def data_url(content: Tensor | Image.Image | bytes, mime: str = "image/png") -> str:
    """An image, a picture or the content of a file as a data URL."""
    if isinstance(content, Tensor):
        content = to_picture(content)
    if isinstance(content, Image.Image):
        file = io.BytesIO()
        content.save(file, "PNG")
        content = file.getvalue()
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def tiles(images: Sequence[Tile], kind: str = "", label: str = "") -> str:
    """Format images side by side, with as many in a row as there is room for.

    Args:
        images: The images.
        kind: A class for the style: ``wide`` for few large images, ``small`` for many.
        label: The name of the group for screen readers.
    """
    shown = "".join(_tile(one) for one in images)
    name = f' role="group" aria-label="{html.escape(label)}"' if label else ""
    return f'<div class="tiles {kind}"{name}>{shown}</div>'


def _tile(one: Tile) -> str:
    caption = f"<figcaption>{html.escape(one.caption)}</figcaption>" if one.caption else ""
    return f"<figure>{_image(one.image, one.alt or one.caption)}{caption}</figure>"


def _image(image: Tensor, alt: str) -> str:
    kind = ' class="pixels"' if image.shape[-1] < SMOOTH else ""
    return f'<img{kind} src="{data_url(image)}" alt="{html.escape(alt)}">'


def note(*sentences: str, kind: str = "note") -> str:
    """Format messages under the pictures; screen readers read them out when they change."""
    text = " ".join(filter(None, sentences))
    return f'<p class="{kind}" role="status">{html.escape(text)}</p>' if text else ""


def error(text: str) -> str:
    """Format the reason why there is no result."""
    return f'<p class="bad" role="alert">{html.escape(text)}</p>'


def download(label: str, name: str, content: bytes | Image.Image, mime: str = "image/png") -> str:
    """Format a link that saves a file."""
    return (
        f'<p><a class="save" download="{html.escape(name)}"'
        f' href="{data_url(content, mime)}">{html.escape(label)}</a></p>'
    )


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str | Tensor]],
    caption: str,
    marked: Collection[int] = (),
) -> str:
    """Format a table of text and images.

    Args:
        columns: The headings.
        rows: The cells. The first cell of a row is its name.
        caption: The caption of the table.
        marked: The indices of rows to highlight.
    """
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in columns)
    lines = []
    for number, (first, *rest) in enumerate(rows):
        cells = "".join(
            f"<td>{html.escape(cell) if isinstance(cell, str) else _image(cell, name)}</td>"
            for name, cell in zip(columns[1:], rest, strict=True)
        )
        kind = ' class="marked"' if number in marked else ""
        lines.append(f'<tr{kind}><th scope="row">{html.escape(str(first))}</th>{cells}</tr>')
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(caption)}">'
        f"<table><caption>{html.escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )
