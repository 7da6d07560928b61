"""Errors about a source of images, in words for its owner."""

__all__ = ["SHOWN", "DataError", "Problem", "format_problems"]

from collections.abc import Sequence

from ign.core.text import printable

Problem = tuple[str, str]

SHOWN = 10
"""How many of the broken images a message names."""


class DataError(ValueError):
    """A source of images that cannot be used: one line, and the images at fault below it.

    Args:
        message: What is wrong, where, and what to do.
        problems: (name, reason) of each image at fault; the first ten are shown.
    """

    def __init__(self, message: str, problems: Sequence[Problem] = ()):
        super().__init__("\n  ".join([message, *format_problems(problems)]))
        self.problems = list(problems)


def format_problems(problems: Sequence[Problem]) -> list[str]:
    """The first of the problems, a line each, and how many more there are."""
    lines = [f"{printable(name)}: {reason}" for name, reason in problems[:SHOWN]]
    more = len(problems) - len(lines)
    return lines + [f"and {more:,} more"] * (more > 0)
