"""Text for people: names from outside that are safe to show, and lengths of time."""

__all__ = ["duration", "printable"]

import os

LONGEST = 240
"""The most characters that :func:`printable` returns by default."""


def printable(name: str | bytes | os.PathLike[str], longest: int = LONGEST) -> str:
    r"""Write a name so that it can be shown anywhere.

    Control characters, escape sequences, line breaks, bidirectional overrides and other invisible
    characters become ``\x1b``, ``\n`` or ``\u202e``. A byte that is not UTF-8 becomes ``\xff``. A
    long name loses its middle.

    Args:
        name: A file name, a path or any other text.
        longest: The most characters of the result, at least 3.

    Returns:
        One line of printable characters.
    """
    text = os.fsdecode(name)
    cut = len(text) > longest
    if cut:
        text = f"{text[:longest]}{text[-longest:]}"
    shown = [_escape(character) for character in text]
    if not cut and sum(map(len, shown)) <= longest:
        return "".join(shown)
    head = _fitting(shown, (longest - 1) // 2)
    tail = _fitting([part[::-1] for part in reversed(shown)], longest - 1 - len(head))
    return f"{head}…{tail[::-1]}"


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def _fitting(parts: list[str], longest: int) -> str:
    """As many whole parts from the start as fit."""
    text = ""
    for part in parts:
        if len(text) + len(part) > longest:
            break
        text += part
    return text


def duration(seconds: float) -> str:
    """Write a length of time with its two largest units, such as "14 h 55 min" or "45 s".

    Args:
        seconds: The time, at least 0.
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        large, small, names = *divmod(whole, 60), ("min", "s")
    elif (minutes := round(seconds / 60)) < 60:
        large, small, names = minutes, 0, ("min", "s")
    elif minutes < 48 * 60:
        large, small, names = *divmod(minutes, 60), ("h", "min")
    else:
        large, small, names = *divmod(round(seconds / 3600), 24), ("d", "h")
    return f"{large} {names[0]}" + (f" {small} {names[1]}" if small else "")
