"""Remarks for the user about how images were read."""

__all__ = ["Remarks"]

from dataclasses import dataclass, field
from typing import Any

from ign.core.text import printable
from ign.data.decode import Header

LARGE = 4000
"""An image with a longer side gets a remark."""

SMALL = 8
"""An image with a shorter side gets a remark."""

LONG = 8
"""An image with a larger aspect ratio gets a remark."""

Size = tuple[int, int]


@dataclass
class Remarks:
    """Counts what happened to the images of a source.

    Args:
        shape: The shape of the decoded images, (C, H, W).
    """

    shape: tuple[int, int, int]
    large: int = 0
    resized: int = 0
    colour: int = 0
    own_range: int = 0
    cut: int = 0
    thin: list[str] = field(default_factory=list)
    dark: list[str] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)

    @classmethod
    def parse(cls, values: dict[str, Any]) -> "Remarks":
        """Read remarks that were written as JSON."""
        sizes: list[Size] = [(width, height) for width, height in values["sizes"]]
        return cls(**values | {"shape": tuple(values["shape"]), "sizes": sizes})

    def add(self, name: str, header: Header, dark: bool) -> None:
        """Count one image."""
        width, height = size = header[:2]
        channels, *sides = self.shape
        self.large += max(size) > LARGE
        self.colour += channels == 1 and not header.gray
        self.cut += header.cut
        self.dark += [printable(name)] * dark
        if [height, width] != sides:
            self.resized += 1
            self.sizes = _ends([*self.sizes, size])
        if min(size) < min(SMALL, *sides) or max(size) > LONG * min(size):
            self.thin.append(f"'{printable(name)}' ({width}x{height})")

    def merge(self, other: "Remarks") -> None:
        """Count the images of another split of the same source too."""
        for name in ("large", "resized", "colour", "own_range", "cut", "thin", "dark"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.sizes = _ends([*self.sizes, *other.sizes])

    def lines(self) -> dict[str, str]:
        """Return the remarks by name, one line each."""
        side, lines = self.shape[1], {}
        if self.large:
            lines["large"] = (
                f"{_images(self.large)} a side over {LARGE} pixels; they were resized to {side} "
                "while they were read"
            )
        if self.thin:
            lines["thin"] = (
                f"{_images(len(self.thin))} a side under {SMALL} pixels, or an aspect ratio over "
                f"{LONG}, such as {self.thin[0]}; remove them unless they are intended"
            )
        if self.cut:
            lines["cut"] = (
                f"{_images(self.cut)} more than 8 bits per colour channel; only the upper 8 bits "
                "are used"
            )
        if self.dark:
            lines["dark"] = (
                f"{_images(len(self.dark))} 16 bits per channel but only dark values, such as "
                f"'{self.dark[0]}'; convert them to 8 bits unless they are intended to be dark"
            )
        if self.resized:
            lines["resized"] = (
                f"{self.resized:,} images were resized from {_span(self.sizes)} to "
                f"{self.shape[2]}x{side} pixels"
            )
        if self.own_range:
            lines["range"] = (
                f"{self.own_range:,} images of more than 8 bits were each scaled to their own "
                "range; give a value range to scale all of them in the same way"
            )
        if self.colour:
            lines["gray"] = f"{self.colour:,} colour images were converted to gray"
        return lines


def _images(count: int) -> str:
    return "1 image has" if count == 1 else f"{count:,} images have"


def _ends(sizes: list[Size]) -> list[Size]:
    """The smallest and the largest of the sizes."""
    return sorted({min(sizes), max(sizes)}) if sizes else []


def _span(sizes: list[Size]) -> str:
    return " to ".join(f"{width}x{height}" for width, height in sizes)
