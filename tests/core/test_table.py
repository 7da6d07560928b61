"""CSV that a spreadsheet can open."""

import csv
import io

import pytest

from ign.core.table import cell, write_csv


@pytest.mark.parametrize("text", ["=1+1", "+a.png", "-1+1|x", "@sum", "=cmd|' /C calc'!A0"])
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\t=1", r"'\t=1"),
        ("\r", r"'\r"),
        ("a=1", "a=1"),
        ("-1.5e-3", "-1.5e-3"),
        (-2, "-2"),
        ("", ""),
    ],
)
def test_numbers_stay_and_controls_are_escaped(text, shown):
    assert cell(text) == shown


def test_rows_can_be_read_back():
    file = io.StringIO()
    rows = [["a,b.png", 'c"d', "x\ny"], ["=1", 2, ""]]
    write_csv(file, rows)
    assert list(csv.reader(file.getvalue().splitlines())) == [
        ["a,b.png", 'c"d', r"x\ny"], ["'=1", "2", ""],
    ]  # fmt: skip
