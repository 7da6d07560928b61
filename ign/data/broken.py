"""Refuse sources with many images that cannot be read."""

__all__ = ["describe_skipped", "require_readable"]

from collections.abc import Mapping

from ign.core.text import printable
from ign.data.errors import SHOWN, DataError, Problem, format_problems
from ign.data.storage import list_problems

TOLERATED = 0.05
"""The fraction of a source's images that may be broken."""


def require_readable(
    source: str,
    total: int,
    counts: Mapping[str, int],
    problems: Mapping[str, list[Problem]],
    skip_broken: bool,
) -> None:
    """Refuse a source if too many of its images are broken.

    Args:
        source: The name of the source.
        total: The number of images in all splits.
        counts: The number of images of each split that was read.
        problems: The broken images of each split.
        skip_broken: Whether to accept any number of them.

    Raises:
        DataError: More than 5 % of all images are broken and ``skip_broken`` is False, or no image
            of the training split or of all splits can be read. The error lists all broken images.
    """
    every = [problem for split in problems.values() for problem in split]
    unreadable = [split for split, count in counts.items() if count == len(problems[split])]
    needed = [split for split in unreadable if split == "train" or len(counts) == 1]
    if not needed and (skip_broken or len(every) <= TOLERATED * total):
        return
    what = f"data '{printable(source)}': "
    if len(every) == total:
        what += f"none of its {total:,} images can be read; is it the right folder?"
    elif needed:
        what += (
            f"none of the {counts[needed[0]]:,} images of the split {needed[0]} can be read "
            f"({total:,} in all splits); repair or remove the broken files"
        )
    else:
        what += (
            f"{len(every):,} of {total:,} images cannot be read, more than {TOLERATED:.0%}; "
            "repair or remove them, or skip them with --skip-broken, in Python skip_broken=True"
        )
    listed = list_problems(source, every) if len(every) > SHOWN else None
    where = f"; all are listed in '{printable(listed)}'" if listed else ""
    raise DataError(what + where, every)


def describe_skipped(source: str, count: int, problems: list[Problem]) -> str:
    """A line about the number of images that were skipped and read."""
    text = f"skipped {len(problems):,} of {count:,} images, which cannot be read: " + "; ".join(
        format_problems(problems)
    )
    if len(problems) > SHOWN and (path := list_problems(source, problems)):
        text += f"; all are listed in '{printable(path)}'"
    return text
