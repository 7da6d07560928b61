"""Errors about a source of images."""

__all__ = ["SHOWN", "DataError", "Problem", "format_problems"]

from collections.abc import Sequence

from ign.core.text import printable

Problem = tuple[str, str]

SHOWN = 10
"""The maximum number of broken images that a message names."""


class DataError(ValueError):
    """A source of images cannot be used. The message is one line, and a line per broken image.

    Args:
        message: A line that says what is wrong, where, and what to do.
        problems: The name of each broken image and the reason; the first ten are shown.
    """

    def __init__(self, message: str, problems: Sequence[Problem] = ()):
        super().__init__("\n  ".join([message, *format_problems(problems)]))
        self.problems = list(problems)


def format_problems(problems: Sequence[Problem]) -> list[str]:
    """The first of the problems, a line each, and how many more there are."""
    lines = [f"{printable(name)}: {reason}" for name, reason in problems[:SHOWN]]
    more = len(problems) - len(lines)
    return lines + [f"and {more:,} more"] * (more > 0)
