"""Pictures and zips from visitors, refused if they are too large or cannot be read."""

__all__ = [
    "FILE",
    "IMAGES",
    "PIXELS",
    "PIXELS_TOTAL",
    "Scorable",
    "decode_canvas",
    "read_each",
    "read_square",
    "to_tensor",
]

import base64
import binascii
import io
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, is_zipfile

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ign.data import DataError, read_image, to_float
from ign.data.decode import pixels, quiet, read_header, reason
from ign.data.files import Reader, list_zip

FILE = 20 * 2**20
"""The maximum number of bytes of a file, including a zip and each of its members."""
PIXELS = 50 * 10**6
"""The maximum number of pixels of a picture."""
IMAGES = 300
"""The maximum number of pictures that are scored at once."""
BYTES_TOTAL = 200 * 10**6
"""The maximum number of unpacked bytes of the pictures that are scored at once."""
PIXELS_TOTAL = 400 * 10**6
"""The maximum number of pixels of the pictures that are scored at once."""
SECONDS = 60.0
"""The number of seconds after which no further picture is read."""
ENTRIES = 3000
"""The maximum number of entries of a zip."""
ENTRY = b"PK\x01\x02"
"""The signature of an entry in the directory of a zip."""
PREFIX = "data:image/png;base64,"


Levels = tuple[float, float] | None
"""The values of black and white."""


class Scorable(NamedTuple):
    """A named picture, (C, H, W) in [-1, 1], or the reason why it cannot be read."""

    name: str
    image: Tensor | None
    reason: str = ""


class Budget:
    """The remaining limits for the pictures of one job, reduced before each is decoded."""

    def __init__(self) -> None:
        self.end = time.monotonic() + SECONDS
        self.images, self.bytes, self.pixels = IMAGES, BYTES_TOTAL, PIXELS_TOTAL

    def take(self, size: int = 0, pixels: int = 0) -> None:
        """Subtract bytes and pixels.

        Raises:
            ValueError: They exceed the rest of the limits, or the time is over.
        """
        if time.monotonic() > self.end:
            raise ValueError(f"left out: the others took over {SECONDS:.0f} seconds")
        if size > self.bytes:
            raise ValueError(f"left out: over {BYTES_TOTAL // 10**6} MB together")
        if pixels > self.pixels:
            raise ValueError(f"left out: over {PIXELS_TOTAL // 10**6} megapixels together")
        self.bytes, self.pixels = self.bytes - size, self.pixels - pixels


def read_square(
    file: str | Path | BinaryIO, side: int, gray: bool, name: str = "", levels: Levels = None
) -> Image.Image:
    """Read the centre of a picture as a square of the given side; small pictures are enlarged.

    Args:
        file: The path of a picture, or an open file.
        side: The side in pixels.
        gray: Whether the result has one channel or three.
        name: The name of the picture in messages; empty for the name of the file.
        levels: The values of black and white in a picture of more than 8 bits; None to find them.

    Raises:
        ValueError: The file is over 20 MB or 50 megapixels, or is not an image.
    """
    name = name or Path(str(file)).name
    width, height = _checked(file, name)
    try:
        array = read_image(file, min(side, width, height), gray, levels)
    except DataError as error:
        raise ValueError(f"{name}: {_cause(error)}") from None
    return _picture(array).resize((side, side), Image.Resampling.NEAREST)


def decode_canvas(address: object, side: int, gray: bool) -> Image.Image:
    """Decode the content of a canvas: a PNG with a side of a few hundred pixels, as a data URL.

    Raises:
        ValueError: Nothing is drawn, or the text is not such a URL.
    """
    if not address:
        raise ValueError("nothing is drawn yet: draw in the square, or give a picture")
    if not isinstance(address, str) or not address.startswith(PREFIX):
        raise ValueError("the drawing is not a PNG")
    try:
        content = base64.b64decode(address[len(PREFIX) :], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the drawing is not a PNG") from None
    return read_square(io.BytesIO(content), side, gray, "the drawing")


def read_each(
    files: Sequence[str], size: int, gray: bool, levels: Levels = None
) -> Iterator[Scorable]:
    """Read the pictures of files and zips in the format of a model.

    Args:
        files: Paths of pictures and zips.
        size: The side of the model's images.
        gray: Whether the images have one channel.
        levels: The values of black and white in pictures of more than 8 bits; None to find them.

    Yields:
        At most 300 pictures, or the reasons why they cannot be read. All pictures together have at
        most 200 MB and 400 megapixels, and none is begun after 60 s.
    """
    budget = Budget()
    with Reader() as reader:
        for name, file in _listed(files, reader, budget):
            if budget.images == 0:
                yield Scorable(name, None, f"left out with all that follow: over {IMAGES} pictures")
                return
            budget.images -= 1
            if isinstance(file, ValueError):
                yield Scorable(name, None, str(file))
                continue
            try:
                width, height = _checked(file, name)
                budget.take(pixels=width * height)
                image = to_float(torch.tensor(read_image(file, size, gray, levels)))
                yield Scorable(name, image)
            except ValueError as error:
                yield Scorable(name, None, _cause(error).removeprefix(f"{name}: "))


def _listed(
    files: Sequence[str], reader: Reader, budget: Budget
) -> Iterator[tuple[str, str | BinaryIO | ValueError]]:
    """The names and contents of pictures, also in zips, or the reasons why they cannot be read."""
    for path in files:
        name = Path(path).name
        try:
            if not (name.lower().endswith(".zip") or is_zipfile(path)):
                budget.take(os.path.getsize(path))
                yield name, path
                continue
            _check_zip(path)
            members = list_zip(path).files
            if not members:
                raise ValueError("no pictures in this zip")
        except (ValueError, OSError) as error:
            yield name, ValueError(str(error).replace(repr(path), repr(name)))
            continue
        for member in members:
            try:
                if member.size > FILE:
                    raise ValueError(f"unpacks to over {FILE // 2**20} MB")
                if member.member and member.member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                    raise ValueError("compressed by another method than deflate")
                budget.take(member.size)
                yield member.name, reader.open(member)
            except Exception as error:
                yield member.name, ValueError(reason(error))


def _check_zip(path: str) -> None:
    """Refuse a zip that would be too expensive to list."""
    if os.path.getsize(path) > FILE:
        raise ValueError(f"over {FILE // 2**20} MB")
    if Path(path).read_bytes().count(ENTRY) > ENTRIES:
        raise ValueError(f"over {ENTRIES} entries in this zip")


def _checked(file: str | Path | BinaryIO, name: str) -> tuple[int, int]:
    """The width and height of a picture; a picture that is too large is refused."""
    if isinstance(file, str | Path):
        if not os.path.isfile(file):
            raise ValueError(f"{name}: no longer exists on the server; upload it again")
        length = os.path.getsize(file)
    else:
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
    if length > FILE:
        raise ValueError(f"{name}: over {FILE // 2**20} MB")
    try:
        with quiet():
            header = read_header(str(file) if isinstance(file, Path) else file)
    except Exception as error:
        raise ValueError(f"{name}: {reason(error)}") from None
    if header.width * header.height > PIXELS:
        raise ValueError(f"{name}: over {PIXELS // 10**6} megapixels")
    return header.width, header.height


def _cause(error: ValueError) -> str:
    return str(error).split("cannot be read: ")[-1]


def _picture(array: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0))


def to_tensor(picture: Image.Image) -> Tensor:
    """Convert a picture in mode L or RGB to (C, H, W) in [-1, 1]."""
    return to_float(torch.tensor(pixels(picture, picture.mode == "L")))
