"""How a benchmark says what it found, and what a measurement must say about itself."""

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from ign.evaluate.machine import describe
from ign.evaluate.tables import markdown

__all__ = ["describe", "fill", "footer", "markdown", "publish", "timed"]


def timed(device: torch.device | None = None) -> dict[str, Any]:
    """As :func:`describe`, and how busy the machine is: to be called before anything is timed."""
    return describe(device=device) | {"load before": round(os.getloadavg()[0], 1)}


def publish(table: str, found: dict[str, Any], out: Path | None) -> None:
    """Print a table with its circumstances, and write everything found where a path is given."""
    print(f"{table}\n\n{footer(found['about'])}")
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=2) + "\n")


def footer(about: dict[str, Any]) -> str:
    """The circumstances as one Markdown line."""
    return "; ".join(f"{k} {v}" for k, v in about.items())


def fill(text: str, names: Sequence[str], table: Callable[[str], str]) -> str:
    """A page with what stands between its marks made anew, by the name in the mark."""
    marks = rf"<!-- ({'|'.join(names)}) -->\n.*?<!-- end -->"
    return re.sub(
        marks, lambda m: f"<!-- {m[1]} -->\n{table(m[1])}\n<!-- end -->", text, flags=re.DOTALL
    )
