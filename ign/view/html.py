"""HTML pages that need no other file than the pictures beside them."""

__all__ = ["Section", "write_page"]

import html
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ign.core.files import atomic
from ign.core.text import printable

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


class Section(NamedTuple):
    """A section of a page: a heading, then a table, pictures or videos, and a caption.

    Attributes:
        title: The heading.
        text: The caption.
        files: Paths relative to the page. MP4 becomes a video, everything else an image.
        smooth: Whether the pictures are drawings rather than enlarged pixels.
        captioned: Whether the pictures contain the caption themselves.
        table: Rows of cells. The first row holds the headings of the columns, and the first cell
            of a row is its heading.
    """

    title: str
    text: str
    files: Sequence[str] = ()
    smooth: bool = False
    captioned: bool = False
    table: Sequence[Sequence[str]] = ()


def write_page(
    path: Path,
    title: str,
    lead: str,
    sections: Sequence[Section],
    facts: Mapping[str, str] | None = None,
    commands: str = "",
) -> Path:
    """Write an HTML page atomically. All texts are plain text, which is escaped.

    Args:
        path: The HTML file.
        title: The heading of the page.
        lead: A sentence or two below the heading.
        sections: The sections, in order.
        facts: Measured values by name, as a table after the sections.
        commands: Commands to try next, at the end of the page.

    Returns:
        The path.
    """
    contents = "\n".join(
        f'<a href="#part-{i}">{_escape(section.title)}</a>' for i, section in enumerate(sections)
    )
    parts = [_part(i, section) for i, section in enumerate(sections)]
    if facts:
        cells = "\n".join(f"<tr><td>{_escape(k)}<td>{_escape(v)}" for k, v in facts.items())
        parts.append(f"<h2>Measured</h2>\n<table>{cells}</table>")
    if commands:
        parts.append(f"<h2>Next</h2>\n<pre>{_escape(commands)}</pre>")
    body = "\n".join(parts)
    with atomic(path) as file:
        file.write_text(
            f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{_escape(title)}</title>
<style>{STYLE}</style>
<h1>{_escape(title)}</h1>
<p class="lead">{_escape(lead)}</p>
<nav>{contents}</nav>
{body}
</html>
""",
            encoding="utf-8",
        )
    return path


def _part(number: int, section: Section) -> str:
    kind = "" if section.smooth else ' class="pixels"'
    shown = "\n".join(
        f'<video src="{_address(file)}" autoplay loop muted playsinline controls'
        f' aria-label="{_escape(section.text)}"></video>'
        if file.endswith(".mp4")
        else f'<img{kind} src="{_address(file)}" alt="{_escape(section.text)}" loading="lazy">'
        for file in section.files
    )
    caption = "" if section.captioned else f"<figcaption>{_escape(section.text)}</figcaption>"
    return (
        f'<h2 id="part-{number}">{_escape(section.title)}</h2>\n'
        f"<figure>{_table(section.table)}{shown}{caption}</figure>"
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    kinds = ["th"] + ["td"] * len(rows)
    lines = [
        "<tr>" + "".join(f"<{kind}>{_escape(cell)}" for cell in row)
        for kind, row in zip(kinds, rows, strict=False)
    ]
    return "<table class=values>" + "\n".join(lines) + "</table>\n" if rows else ""


def _escape(text: str) -> str:
    """Plain text in HTML, line by line, with control characters written visibly."""
    lines = (printable(line, 10 * len(line) + 3) for line in text.split("\n"))
    return html.escape("\n".join(lines))


def _address(file: str) -> str:
    """A path relative to the page as the address of a file, any bytes of its name included."""
    return urllib.parse.quote(file.encode(errors="surrogateescape"))
