"""Text for people."""

import pytest

from ign.core.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢字 [/b] $ | _", "plain é 漢字 [/b] $ | _"),
        ("a\x1b[31mred", r"a\x1b[31mred"),
        ("two\nlines\t.\r", r"two\nlines\t.\r"),
        ("\udcff", r"\udcff"),
        ("a\u202egnp", r"a\u202egnp"),
        (3, "3"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(text, shown):
    assert printable(text) == shown
