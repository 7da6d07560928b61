"""Plain text in Markdown."""

import pytest

from ign.view.markdown import escape


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("f(z)", "f(z)"),
        ("a|b", r"a\|b"),
        ("a_b*c`d", r"a\_b\*c\`d"),
        ("[x](y) <b> $z$", r"\[x\](y) \<b\> \$z\$"),
        ("back\\slash", r"back\\slash"),
        ("two\nlines", r"two\\nlines"),
        ("\x1b[31m", r"\\x1b\[31m"),
        ("\udcff", r"\\xff"),
    ],
)
def test_markdown_shows_the_text_as_it_is(text, wanted):
    assert escape(text) == wanted
