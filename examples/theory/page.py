"""The tables of docs/theory.md, from docs/results/theory.json."""

__all__ = ["PAGE", "RESULT", "filled", "table"]

import json
from pathlib import Path
from typing import Any

from benchmarks.machine import fill, footer, markdown

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "theory.md"
RESULT = ROOT / "docs" / "results" / "theory.json"
NAMES = ("alphabet", "alternation", "descent", "indicator", "trained", "ablation", "about")
FORMATS = {
    **dict.fromkeys(("TV", "bound", "L_idem", "L_rec"), "{:.3f}"),
    **dict.fromkeys(("indicator", "constant", "cells", "P(off)", "area"), "{:.1%}"),
    "AUC": "{:.3f}",
}


def table(found: dict[str, Any], name: str) -> str:
    """Format one of the tables, or the measurement conditions."""
    if name == "about":
        return footer(found["about"])
    rows = [{k: v for k, v in row.items() if k != "all TV"} for row in found[name]]
    return markdown(rows, FORMATS)


def filled(text: str) -> str:
    """Update the tables of the page from the result file."""
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    return fill(text, NAMES, lambda name: table(found, name))
