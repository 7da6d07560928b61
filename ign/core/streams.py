"""Standard output and error that can show any text."""

__all__ = ["replace_unencodable"]

import codecs
import sys

NAME = "ign.plain"
PLAIN = {"↓": "v", "↑": "^", "−": "-", "→": ">", "…": ".", "é": "e", "†": "+", "‡": "#", "·": "."}
"""Replacements for characters that the encoding of the terminal does not support."""


def replace_unencodable() -> None:
    """Make ``print`` replace characters that the encoding of the terminal does not support.

    Without this, an arrow in a table ends the command with an error in a console of code page
    1252. Each character is replaced by one other character, so that tables stay aligned.
    """
    codecs.register_error(NAME, _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=NAME)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(PLAIN.get(character, "?") for character in text), error.end
