"""What a measurement must say about itself: command, commit, processor, versions."""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import ign


def describe() -> dict[str, Any]:
    """The circumstances of a measurement."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    clean = not subprocess.run(
        ["git", "status", "--porcelain", "-uno"], capture_output=True, text=True, check=False
    ).stdout
    return {
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "commit": commit.stdout.strip() + ("" if clean else " and uncommitted changes"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "ign": ign.__version__,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(x.partition(":")[2].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def publish(table: str, found: dict[str, Any], out: Path | None) -> None:
    """Print a table with its circumstances, and write everything found where a path is given."""
    print(f"{table}\n\n{footer(found['about'])}")
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=2) + "\n")


def footer(about: dict[str, Any]) -> str:
    """The circumstances as one Markdown line."""
    return "; ".join(f"{k} {v}" for k, v in about.items())


def markdown(rows: Sequence[Mapping[str, Any]], formats: Mapping[str, str]) -> str:
    """Rows of equal keys in Markdown; numbers in the format of their column's first word."""
    lines = [f"| {' | '.join(rows[0])} |", f"|{'---|' * len(rows[0])}"]
    for row in rows:
        cells = [
            v if isinstance(v, str) else formats.get(k.split()[0], "{}").format(v)
            for k, v in row.items()
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def fill(text: str, names: Sequence[str], table: Callable[[str], str]) -> str:
    """A page with what stands between its marks made anew, by the name in the mark."""
    marks = rf"<!-- ({'|'.join(names)}) -->\n.*?<!-- end -->"
    return re.sub(
        marks, lambda m: f"<!-- {m[1]} -->\n{table(m[1])}\n<!-- end -->", text, flags=re.DOTALL
    )
