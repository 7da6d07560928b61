import os
from pathlib import Path

import pytest

from ign.core.text import printable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("photo.png", "photo.png"),
        ("Käse 猫.png", "Käse 猫.png"),
        ("C:\\photos\\a.png", "C:\\photos\\a.png"),
        (Path("a") / "b.png", "a/b.png"),
        (b"caf\xe9.png", "caf\\xe9.png"),
        (os.fsdecode(b"caf\xe9.png"), "caf\\xe9.png"),
        ("\x1b[31mred\x1b[0m\x07", "\\x1b[31mred\\x1b[0m\\x07"),
        ("two\nlines\r\t", "two\\nlines\\r\\t"),
        ("gpj.\u202egnp.exe", "gpj.\\u202egnp.exe"),
        ("\x9b31m\u2028\u200b\ud800", "\\x9b31m\\u2028\\u200b\\ud800"),
        ("", ""),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(name, shown):
    assert printable(name) == shown
    assert shown.isprintable()
    printable(name).encode()


@pytest.mark.parametrize("text", ["x" * 5000, "\x1b" * 5000, "ab" * 120 + "c", "\udcff" * 100])
def test_a_long_name_loses_its_middle(text):
    shown = printable("first" + text + "last.png")
    assert len(shown) <= 240
    assert shown.startswith("first")
    assert shown.endswith("last.png")
    assert "…" in shown
    assert "\\x1…" not in shown


def test_a_name_of_just_the_length_stays_whole():
    assert printable("x" * 240) == "x" * 240
    assert printable("abcdefgh", longest=5) == "ab…gh"
