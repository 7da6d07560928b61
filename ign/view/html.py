"""A page of pictures: one HTML file that needs nothing but the pictures beside it."""

__all__ = ["Block", "write"]

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ign.core.files import atomic

STYLE = """
:root { color-scheme: light dark; --ink: #23262b; --faint: #5b626c; --paper: #fff; --line: #e2e5e9;
        --code: #f4f5f7 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --faint: #a2a9b3; --paper: #15171a; --line: #2c3036; --code: #1f2226 }
}
body { font: 17px/1.6 system-ui, sans-serif; max-width: 62rem; margin: 3rem auto; padding: 0 1.2rem;
       color: var(--ink); background: var(--paper) }
h1 { font-size: 2rem; line-height: 1.2; margin-bottom: .3rem }
h2 { font-size: 1.25rem; margin: 3.2rem 0 .6rem; padding-top: 1rem;
     border-top: 1px solid var(--line) }
nav { font-size: .95rem; line-height: 2 } nav a { margin-right: 1rem; white-space: nowrap }
a { color: inherit }
figure { margin: 0 } figure img, figure video { max-width: 100%; background: #fff }
img.pixels, video { image-rendering: pixelated }
figcaption, .lead { color: var(--faint); margin-top: .4rem }
pre { background: var(--code); padding: .9rem 1.1rem; overflow-x: auto; border-radius: 6px }
table { border-collapse: collapse; display: block; overflow-x: auto }
td, th { padding: .2rem 1.4rem .2rem 0; text-align: left; font-variant-numeric: tabular-nums }
th { color: var(--faint); font-weight: normal; border-bottom: 1px solid var(--line) }
.values :is(td, th):not(:first-child) { text-align: right; white-space: nowrap }
"""


class Block(NamedTuple):
    """A part of the page: a heading, a table, pictures or videos under it, what they show.

    Attributes:
        title: The heading.
        text: The caption.
        files: Paths relative to the page; MP4 becomes a video, everything else an image.
        smooth: Whether the pictures are drawings rather than enlarged pixels.
        told: Whether the pictures carry the caption themselves.
        table: Rows of cells, the first row the headings of columns, a first cell that of a row.
    """

    title: str
    text: str
    files: Sequence[str] = ()
    smooth: bool = False
    told: bool = False
    table: Sequence[Sequence[str]] = ()


def write(
    path: Path,
    title: str,
    lead: str,
    blocks: Sequence[Block],
    facts: Mapping[str, str] | None = None,
    commands: str = "",
) -> Path:
    """Write the page, whole or not at all.

    Args:
        path: The HTML file.
        title: The heading of the page.
        lead: A sentence or two under it.
        blocks: The parts, in order.
        facts: Measured values by name, as a table after the pictures.
        commands: What to type next, shown at the end.

    Returns:
        The path.
    """
    contents = "\n".join(
        f'<a href="#part-{i}">{html.escape(b.title)}</a>' for i, b in enumerate(blocks)
    )
    parts = [_part(i, block) for i, block in enumerate(blocks)]
    if facts:
        cells = "\n".join(f"<tr><td>{html.escape(k)}<td>{html.escape(v)}" for k, v in facts.items())
        parts.append(f"<h2>Measured</h2>\n<table>{cells}</table>")
    if commands:
        parts.append(f"<h2>Next</h2>\n<pre>{html.escape(commands)}</pre>")
    body = "\n".join(parts)
    with atomic(path) as file:
        file.write_text(
            f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(title)}</title>
<style>{STYLE}</style>
<h1>{html.escape(title)}</h1>
<p class="lead">{html.escape(lead)}</p>
<nav>{contents}</nav>
{body}
</html>
""",
            encoding="utf-8",
        )
    return path


def _part(number: int, block: Block) -> str:
    kind = "" if block.smooth else ' class="pixels"'
    shown = "\n".join(
        f'<video src="{html.escape(file)}" autoplay loop muted playsinline controls'
        f' aria-label="{html.escape(block.text)}"></video>'
        if file.endswith(".mp4")
        else f'<img{kind} src="{html.escape(file)}" alt="{html.escape(block.text)}" loading="lazy">'
        for file in block.files
    )
    caption = "" if block.told else f"<figcaption>{html.escape(block.text)}</figcaption>"
    return (
        f'<h2 id="part-{number}">{html.escape(block.title)}</h2>\n'
        f"<figure>{_table(block.table)}{shown}{caption}</figure>"
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    kinds = ["th"] + ["td"] * len(rows)
    lines = [
        "<tr>" + "".join(f"<{kind}>{html.escape(cell)}" for cell in row)
        for kind, row in zip(kinds, rows, strict=False)
    ]
    return "<table class=values>" + "\n".join(lines) + "</table>\n" if rows else ""
