"""What comes from a visitor: pictures and zips, refused where they are too large or are none."""

__all__ = ["FILE", "IMAGES", "PIXELS", "Scorable", "drawn", "each", "square", "to_tensor"]

import base64
import binascii
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple
from zipfile import is_zipfile

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ign.data import DataError, read_image, to_float
from ign.data.decode import pixels, quiet, read_header, reason
from ign.data.files import Reader, list_zip

FILE = 20 * 2**20
"""The most bytes of a file, a zip and each of its members among them."""
PIXELS = 50 * 10**6
"""The most pixels of a picture."""
IMAGES = 300
"""The most pictures that are scored at once."""
PREFIX = "data:image/png;base64,"


class Scorable(NamedTuple):
    """A picture by its name: (C, H, W) in [-1, 1], or why it cannot be read."""

    name: str
    image: Tensor | None
    reason: str = ""


def square(file: str | Path | BinaryIO, side: int, gray: bool, name: str = "") -> Image.Image:
    """The centre of a picture as a square of that side; a small one keeps its pixels, enlarged.

    Args:
        file: A picture, on disk or open.
        side: The side in pixels.
        gray: Whether the result has one channel or three.
        name: What to call it in a message; None for the file's own name.

    Raises:
        ValueError: Over 20 MB or 50 megapixels, or no picture.
    """
    name = name or Path(str(file)).name
    width, height = _checked(file, name)
    try:
        array = read_image(file, min(side, width, height), gray)
    except DataError as error:
        raise ValueError(f"{name}: {str(error).split('cannot be read: ')[-1]}") from None
    return _picture(array).resize((side, side), Image.Resampling.NEAREST)


def drawn(address: str | None, side: int, gray: bool) -> Image.Image:
    """What a canvas in the page holds: a PNG of a few hundred pixels, as a data address.

    Raises:
        ValueError: Nothing is drawn, or the address is none.
    """
    if not address:
        raise ValueError("nothing is drawn yet: draw in the square, or give a picture")
    if not isinstance(address, str) or not address.startswith(PREFIX):
        raise ValueError("the drawing is no PNG")
    try:
        content = base64.b64decode(address[len(PREFIX) :], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the drawing is no PNG") from None
    return square(io.BytesIO(content), side, gray, "the drawing")


def each(files: Sequence[str], size: int, gray: bool) -> Iterator[Scorable]:
    """The pictures among files and zips in a model's format, or why they cannot be read.

    Args:
        files: Paths of pictures and zips.
        size: The side of the model's images.
        gray: Whether they have one channel.

    Yields:
        At most 300.
    """
    count = 0
    with ExitStack() as stack:
        reader = stack.enter_context(Reader())
        for name, file in _listed(files, reader):
            if count == IMAGES:
                yield Scorable(name, None, f"left out with all that follow: over {IMAGES} pictures")
                return
            count += 1
            if isinstance(file, ValueError):
                yield Scorable(name, None, str(file))
                continue
            try:
                _checked(file, name)
                image = to_float(torch.tensor(read_image(file, size, gray)))
                yield Scorable(name, image)
            except ValueError as error:
                told = str(error).split("cannot be read: ")[-1].removeprefix(f"{name}: ")
                yield Scorable(name, None, told)


def _listed(
    files: Sequence[str], reader: Reader
) -> Iterator[tuple[str, str | BinaryIO | ValueError]]:
    for path in files:
        name = Path(path).name
        if not (name.lower().endswith(".zip") or is_zipfile(path)):
            yield name, path
            continue
        try:
            if os.path.getsize(path) > FILE:
                raise ValueError(f"over {FILE // 2**20} MB")
            members = list_zip(path).files
            if not members:
                raise ValueError("no pictures in this zip")
        except ValueError as error:
            yield name, ValueError(str(error).replace(repr(path), repr(name)))
            continue
        for member in members:
            try:
                if member.size > FILE:
                    raise ValueError(f"unpacks to over {FILE // 2**20} MB")
                yield member.name, reader.open(member)
            except Exception as error:
                yield member.name, ValueError(reason(error))


def _checked(file: str | Path | BinaryIO, name: str) -> tuple[int, int]:
    """The width and height of a picture that is not too large."""
    if isinstance(file, str | Path):
        if not os.path.isfile(file):
            raise ValueError(f"{name}: is not here any more; give it again")
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


def _picture(array: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0))


def to_tensor(picture: Image.Image) -> Tensor:
    """A picture, L or RGB, as (C, H, W) in [-1, 1]."""
    return to_float(torch.tensor(pixels(picture, picture.mode == "L")))
