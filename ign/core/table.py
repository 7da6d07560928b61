"""Tables as CSV that a spreadsheet can open without harm."""

__all__ = ["cell", "save_csv", "write_csv"]

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from ign.core.files import atomic
from ign.core.text import printable

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Prefixes that a spreadsheet interprets as a formula (OWASP, CSV Injection)."""
LONGEST = 100_000
"""The most characters of a cell."""
NUMBER = re.compile(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?", re.IGNORECASE)


def cell(value: object) -> str:
    """A value as text: control characters escaped, and ``'`` before what looks like a formula.

    Numbers stay as they are.
    """
    text = str(value)
    formula = text.startswith(FORMULA) and not NUMBER.fullmatch(text)
    return "'" * formula + printable(text, LONGEST)


def write_csv(file: TextIO, rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV with ``\\n`` at the ends of lines.

    Args:
        file: A text file, opened with ``newline=""``.
        rows: Rows of values; see :func:`cell`.
    """
    csv.writer(file, lineterminator="\n").writerows([cell(value) for value in row] for row in rows)


def save_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows as a CSV file, atomically; see :func:`write_csv`.

    Raises:
        OSError: The file cannot be written.
    """
    with atomic(path) as place, open(place, "w", encoding="utf-8", newline="") as file:
        write_csv(file, rows)
