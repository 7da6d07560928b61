"""Images of parts as tensors, at their own size."""

__all__ = ["find_value_range", "read_part", "read_parts"]

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from ign.core.terminal import progress
from ign.core.text import printable
from ign.data import DataError
from ign.data.decode import decode, quiet, read_header, reason, sample
from ign.data.files import File, Reader
from ign.data.layout import Part
from ign.data.levels import Range, find_range, parse_range

T = TypeVar("T", Part, File)
LOOKED_AT = 256
"""The largest number of images from which the range of deep images is found."""
TOLERATED = 0.05
"""The share of the images that may be broken."""


def read_part(reader: Reader, file: File, value_range: Range | None = None) -> Tensor:
    """One image, (3, H, W) uint8.

    Raises:
        DataError: The image cannot be read.
    """
    try:
        with quiet():
            wish = parse_range(value_range)
            decoded = decode(reader.open(file), gray=False, value_range=wish)
    except Exception as error:
        raise DataError(f"image '{printable(file.name)}' cannot be read: {reason(error)}") from None
    return torch.from_numpy(decoded.pixels)


def read_parts(
    parts: Sequence[T], value_range: Range | None = None, title: str = "reading images"
) -> Iterator[tuple[T, Tensor]]:
    """Images in order with a progress bar, (3, H, W) uint8 each.

    Raises:
        DataError: More than 5 % of the images cannot be read; the error names them. A smaller
            number is left out.
    """
    broken: list[tuple[str, str]] = []
    with Reader() as reader, progress() as bar:
        task = bar.add_task(title, total=len(parts))
        for part in parts:
            file = part.file if isinstance(part, Part) else part
            try:
                image = read_part(reader, file, value_range)
            except DataError as error:
                broken.append((file.name, str(error).rpartition("cannot be read: ")[2]))
                if len(broken) > TOLERATED * len(parts):
                    text = f"{len(broken)} of {len(parts)} images cannot be read"
                    raise DataError(f"{text}; repair or remove them", broken) from None
                continue
            yield part, image
            bar.advance(task)


def find_value_range(files: Sequence[File]) -> Range | None:
    """The values that become black and white, from images of more than 8 bits; None without any.

    Raises:
        DataError: The values of an image are not finite.
    """
    values = []
    step = max(1, -(-len(files) // LOOKED_AT))
    with Reader() as reader, quiet():
        for file in files[::step]:
            try:
                if read_header(reader.open(file)).deep:
                    values.append(np.ravel(sample(reader.open(file))))
            except Exception as error:
                raise DataError(
                    f"image '{printable(file.name)}' cannot be read: {reason(error)}"
                ) from None
    return find_range(np.concatenate(values)) if values else None
