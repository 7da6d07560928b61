"""Tables as CSV that a spreadsheet can open without harm."""

__all__ = ["cell", "write_csv"]

import csv
import re
from collections.abc import Iterable, Sequence
from typing import TextIO

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
