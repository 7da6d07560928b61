"""Text for people."""

__all__ = ["printable"]

import unicodedata

HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories that a terminal obeys or hides: controls, direction marks, lone surrogates."""


def printable(text: object) -> str:
    r"""Return the text with every character that a terminal would obey or hide as an escape.

    An escape character becomes ``\x1b``, a line break ``\n``, and a byte of a file name that is not
    UTF-8 becomes ``\udcff``.

    Args:
        text: Anything; ``str`` is applied to it.
    """
    return "".join(ascii(c)[1:-1] if unicodedata.category(c) in HIDDEN else c for c in str(text))
