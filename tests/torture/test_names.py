"""Images and folders whose names were never meant for a command line, a table or a page."""

import csv
import io
import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torture import command, hostile

WORST = [
    b"\x1b[31m", b"\x1b]0;title\x07", b"\n", b"\r", b"\t", b"\x7f", b"\x9b31m", b"\xff\xfe", b"-",
    b"--out", b"~", b"~root", b"[b]", b"[bold]", b":smile:", b"$x$", b"$(touch x)", b"|", b"'",
    b'"',
    b"<script>alert(1)</script", b"&amp;", b"=1+1", b"+1", b"@SUM(1)", b",", b";", b"\\", b"..\\..",
    b"%s", b"{}", b"{0}", b"*", b"?", b" ", "😀".encode(), "\u202e".encode(), "\u2028".encode(),
    "\x85".encode(), "é".encode(), "e\u0301".encode(), "²".encode(), "٣".encode(), b"9" * 200,
    b"_sheet", b"grid", b"con", b"#", b"`id`", b"![a](b)",
]  # fmt: skip

PARTS = st.one_of(st.sampled_from(WORST), st.binary(min_size=1, max_size=8))
NAMES = (
    st.lists(PARTS, min_size=1, max_size=4)
    .map(lambda parts: b"".join(parts).replace(b"/", b"").replace(b"\0", b"")[:251])
    .filter(lambda name: name and not name.startswith(b"."))
)
"""What may stand before the suffix of a file that is not hidden."""
LONGEST = b"x" * 251


def fill(place: command.World, name: bytes, where: bytes = b"d") -> bytes:
    """Put 25 images into a folder, one of them under the odd name."""
    folder = os.fsencode(place.inputs) + b"/" + where
    os.mkdir(folder)
    for i in range(24):
        Path(os.fsdecode(folder), f"good{i}.png").write_bytes(hostile.image(i))
    Path(os.fsdecode(folder + b"/" + name + b".png")).write_bytes(hostile.image(99))
    return folder


def shown(folder: Path) -> list[str]:
    """The files that are not hidden, such as a list of what was written."""
    return [name for name in os.listdir(folder) if not name.startswith(".")]


def table(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode("utf-8"), newline="")))


def plain(name: bytes) -> bool:
    """Whether a name needs no escape in a terminal and in a spreadsheet."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return text.isprintable() and text[0] not in "=+-@" and "\\" not in text


@pytest.mark.promise("names")
@given(name=NAMES)
@example(name=b"\x1b[31m")
@example(name=b"\xff\xfe")
@example(name=b"a\nb")
@example(name=b"=1+1")
@example(name=LONGEST)
def test_score(name, attempt):
    with command.world() as place:
        folder = fill(place, name)
        result = attempt(place, "score", "digits", folder)
        assert result.status == 0, result
        rows = table(result.out)
        assert [len(rows), {len(row) for row in rows}] == [26, {4}]
        if plain(name):
            assert os.fsdecode(name) + ".png" in [row[0] for row in rows]
        words = ("--out", place.out / "scores.csv", "--maps", place.out / "maps")
        result = attempt(place, "score", "digits", folder, *words)
        assert result.status == 0, result
        assert len(table((place.out / "scores.csv").read_bytes())) == 26
        assert len(shown(place.out / "maps")) == 25


@pytest.mark.promise("names")
@given(name=NAMES)
@example(name=LONGEST)
@example(name=b"_sheet")
def test_project_and_edit(name, attempt):
    with command.world() as place:
        folder = fill(place, name)
        for i, words in enumerate(
            [["project"], ["edit", "inpaint", "--hole", "half:left"]], start=1
        ):
            out = place.out / str(i)
            verb = words[: 1 + (i == 2)]
            options = words[len(verb) :]
            result = attempt(place, *verb, "digits", folder, *options, "--out", out)
            assert result.status == 0, result
            assert len(shown(out)) == 26


@pytest.mark.promise("names")
@given(name=NAMES, where=NAMES)
@example(name=b"\x1b", where=b"\xff\xfe")
@example(name=b"a", where=b"a\nb")
@example(name=b"a", where=LONGEST)
@example(name=b"a", where=b"<script>alert(1)<script")
def test_data(name, where, attempt):
    with command.world() as place:
        folder = fill(place, name, where)
        words = ("--data", folder, "--out", place.out / "calibrated")
        assert attempt(place, "calibrate", "digits", *words).status == 0
        about = attempt(place, "info", place.out / "calibrated")
        assert about.status == 0, about
        words = ("--data", folder, *command.TINY, "--out", place.out / "run")
        assert attempt(place, "train", *words).status == 0
        words = ("a/b", "--dry-run", "--data", folder, "--out", place.out / "pushed")
        assert attempt(place, "push", place.out / "run", *words).status == 0
        card = (place.out / "pushed" / "README.md").read_text(encoding="utf-8")
        assert not [c for c in card if c < " " and c != "\n"]
        prose = re.sub(r"(```+).*?\1|(`+).*?\2", "", card, flags=re.DOTALL)  # code shows its text
        assert "<script>" not in prose


@pytest.mark.promise("names")
@given(where=NAMES)
@example(where=b"\xff\xfe")
@settings(max_examples=6)
def test_out(where, attempt):
    """The place to write to may have any name too, one that begins with a dash after ``=``."""
    with command.world() as place:
        out = os.fsencode(place.out) + b"/" + where
        assert attempt(place, "sample", "digits", "-n", 2, b"--out=" + out).status == 0
        assert os.path.isfile(out + b"/grid.png")
        assert attempt(place, "train", "digits", *command.TINY, b"--out=" + out + b"r").status == 0
        assert attempt(place, "info", out + b"r").status == 0
        assert attempt(place, "sample", out + b"r", b"--out=" + out + b"s").status == 0
