"""Failures of a generator that an average hides: lost classes, low diversity, copies."""

__all__ = ["alarms"]

from collections.abc import Mapping, Sequence
from typing import Any

LOST_CLASS = 0.1
"""A class counts as lost if its share, divided by its share in real images, is below this value."""
LOW_DIVERSITY = 0.5
"""Samples whose diversity ratio is below this value count as collapsed."""
COPIES = 0.5
"""Samples whose nearest ratio is below this value count as copies of training images."""


def alarms(
    row: Mapping[str, Any], real: Mapping[str, Any], classes: Sequence[str] = ()
) -> list[str]:
    """Find lost classes, low diversity and copies in the measures of samples.

    Args:
        row: The measures of the samples, from :meth:`ign.evaluate.Reference.measure`.
        real: The measures of the real images.
        classes: The names of the classes.

    Returns:
        One sentence for each failure.
    """
    found = []
    shares = zip(classes, row.get("classes", ()), real.get("classes", ()), strict=False)
    lost = [f"{name!r} ({share:.1%} of {wanted:.1%})" for name, share, wanted in shares
            if share < LOST_CLASS * wanted]  # fmt: skip
    if lost:
        found.append(f"collapse: hardly any samples of {', '.join(lost)}")
    spread, distance = row.get("diversity"), row.get("nearest_ratio")
    if spread is not None and spread < LOW_DIVERSITY:
        found.append(f"collapse: the diversity is {spread:.2f} of the real images' diversity")
    if distance is not None and distance < COPIES:
        found.append(
            f"copies: the nearest training image is {distance:.2f} times as far away as it is from"
            " a held-out image"
        )
    return found
