"""Shared parts of the benchmarks: where results are written, and the measurement conditions."""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from ign.evaluate.machine import describe, uncommitted
from ign.evaluate.tables import markdown

__all__ = [
    "add_out",
    "check_commit",
    "describe",
    "fill",
    "footer",
    "markdown",
    "publish",
    "side_by_side",
    "timed",
]


RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results"


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add the options ``--out`` and ``--dirty`` to the parser of a benchmark."""
    parser.add_argument("--out", type=_result_file, help="JSON file to write")
    parser.add_argument(
        "--dirty", action="store_true", help="write the results despite uncommitted changes"
    )


def _result_file(text: str) -> Path:
    path = Path(text)
    if path.resolve().is_relative_to(RESULTS):
        check_commit(path)
    return path


def check_commit(path: Path) -> None:
    """Refuse to write results of uncommitted code, unless ``--dirty`` is given.

    Raises:
        argparse.ArgumentTypeError: There are uncommitted changes outside ``docs``.
    """
    changes = uncommitted()
    if changes and "--dirty" not in sys.argv:
        more = f" and {len(changes) - 1} more files" if len(changes) > 1 else ""
        raise argparse.ArgumentTypeError(
            f"{path}: {changes[0]}{more} have uncommitted changes; commit them, or give --dirty"
        )


def timed(device: torch.device | None = None) -> dict[str, Any]:
    """Same as :func:`describe`, with the load of the machine. Call it before measuring times."""
    return describe(device=device) | {"load before": round(os.getloadavg()[0], 1)}


def publish(table: str, found: dict[str, Any], out: Path | None) -> None:
    """Print a table with its measurement conditions, and write the results if a path is given."""
    print(f"{table}\n\n{footer(found['about'])}")
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def footer(about: dict[str, Any]) -> str:
    """Format the measurement conditions as one line of Markdown."""
    return "; ".join(f"{k} {v}" for k, v in about.items())


def fill(text: str, names: Sequence[str], table: Callable[[str], str]) -> str:
    """Replace the tables between the marks of a page; each mark names its table."""
    marks = rf"<!-- ({'|'.join(names)}) -->\n.*?<!-- end -->"
    return re.sub(
        marks, lambda m: f"<!-- {m[1]} -->\n{table(m[1])}\n<!-- end -->", text, flags=re.DOTALL
    )


def side_by_side(
    module: str, source: str, runs: Sequence[tuple[str, int]], number: int
) -> Iterator[tuple[str, int, str]]:
    """Make each run, given by name and seed, with ``python -m module --one`` in parallel processes.

    Yields:
        The name and the seed of a run that has ended, and its output.
    """
    left, running = list(runs), dict[subprocess.Popen[str], tuple[str, int]]()
    while left or running:
        while left and len(running) < number:
            name, seed = left.pop(0)
            command = [sys.executable, "-m", module, "--data", source, "--one", name, str(seed)]
            print(f"{name}, seed {seed}", flush=True)
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            running[process] = name, seed
        time.sleep(1)
        for process in [p for p in running if p.poll() is not None]:
            name, seed = running.pop(process)
            if process.returncode:
                raise SystemExit(f"{name}, seed {seed}: exit status {process.returncode}")
            yield name, seed, process.communicate()[0]
