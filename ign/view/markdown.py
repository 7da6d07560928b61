"""Plain text in Markdown."""

__all__ = ["escape"]

import re

from ign.core.text import printable

SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~$&#!])")


def escape(text: str) -> str:
    """Write text so that Markdown shows it as it is, in a paragraph or in a table.

    Characters that Markdown, HTML or formulas give a meaning get a backslash, and characters that
    cannot be shown are written visibly, as by :func:`ign.core.text.printable`.

    Args:
        text: Any text.

    Returns:
        One line of Markdown.
    """
    return SPECIAL.sub(r"\\\1", printable(text, 10 * len(text) + 3))
