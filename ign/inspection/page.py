"""The page of a scored folder: the worst first, each with its map, to scroll and filter."""

__all__ = ["write_report"]

import html
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ign.core.files import atomic
from ign.core.text import printable
from ign.inspection.inspector import Inspector
from ign.view.html import STYLE

MORE = """
.part { border-top: 1px solid var(--line); padding: 1rem 0 } .part img { max-width: 100% }
.part p { margin: .2rem 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
.flagged b { color: #c4321c } .bar { position: sticky; top: 0; padding: .6rem 0;
background: var(--paper) } .bar label { margin-right: 1.2rem }
@media (prefers-color-scheme: dark) { .flagged b { color: #ff8a75 } }
"""
SCRIPT = """
for (const box of document.querySelectorAll("input[name=show]"))
  box.addEventListener("change", () => {
    for (const part of document.querySelectorAll(".part"))
      part.hidden = box.value !== "all" && part.dataset.flag !== box.value;
  });
"""


def write_report(folder: Path, rows: Sequence[Any], inspector: Inspector, model: str) -> Path:
    """Write ``index.html`` beside the pictures NAME-map.png, in the order of their scores.

    Args:
        folder: The folder with the pictures.
        rows: The results, with the attributes name, score, percentile, flag and picture, which is
            the file name of the picture.
        inspector: The inspector.
        model: The name of the model.
    """
    known = inspector.calibration
    flagged = sum(row.flag for row in rows)
    lead = f"{len(rows)} images"
    if known:
        lead += (
            f", {flagged} flagged with a score above {known.thresholds['image']:.4g}. At most"
            f" {known.rate:.1%} of good parts like the {known.images} of the calibration are"
            " flagged. The outline shows where the map is above the largest values of good parts."
        )
    parts = "\n".join(_part(row) for row in sorted(rows, key=lambda row: -row.score))
    boxes = "".join(
        f'<label><input type="radio" name="show" value="{value}"{" checked" * (value == "all")}>'
        f" {text}</label>"
        for value, text in (("all", "all"), ("1", "flagged"), ("0", "not flagged"))
    )
    title = f"Scores of {printable(model)}"
    text = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(title)}</title>
<style>{STYLE}{MORE}</style>
<h1>{html.escape(title)}</h1>
<p class="lead">{html.escape(lead)}</p>
<div class="bar" role="radiogroup" aria-label="images to show">{boxes}</div>
{parts}
<script>{SCRIPT}</script>
</html>
"""
    with atomic(folder / "index.html") as file:
        file.write_text(text, encoding="utf-8")
    return folder / "index.html"


def _part(row: Any) -> str:
    name = html.escape(printable(row.name))
    address = urllib.parse.quote(row.picture.encode(errors="surrogateescape"))
    share = "" if row.percentile is None else f", above {row.percentile:.1f} % of good parts"
    kind = "" if row.percentile is None else "<b>flagged</b> " if row.flag else "ok "
    return (
        f'<div class="part{" flagged" * row.flag}" data-flag="{int(row.flag)}">'
        f"<p>{kind}score {row.score:.4g}{share}: {name}</p>"
        f'<img src="{address}" alt="the image and its map" loading="lazy"></div>'
    )
