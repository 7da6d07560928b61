"""The kinds of sources: image files to decode, or an array that is complete."""

__all__ = ["Arrays", "Pictures", "Source", "find"]

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ign.core.paths import expand_user
from ign.core.text import printable
from ign.data.celeba import CROP, find_celeba
from ign.data.decode import Decoded, Header, decode, quiet, read_header, sample
from ign.data.digits import load_digits
from ign.data.download import MIRRORS, fetch_idx
from ign.data.errors import DataError
from ign.data.files import File, Reader
from ign.data.folder import find_images
from ign.data.geometry import fit, pixels
from ign.data.idx import find_idx, load_idx
from ign.data.levels import Percentiles, Range, find_range
from ign.data.storage import cache_folder

T = TypeVar("T")

DEFAULT_SIZE = 64
"""The default side of images, unless all are smaller squares of one size."""

PEEKED = 64
"""How many files, evenly spread, decide on the default size, gray or colour, and the range."""


@dataclass
class Pictures:
    """Image files.

    Args:
        files: The files of the selected split.
        all_files: The files of all splits, so that the defaults do not depend on the split.
        crop: The side of the square to crop from the centre first, or None.
    """

    files: Sequence[File]
    all_files: Sequence[File]
    crop: int | None = None
    labels: NDArray[np.uint8] | None = None
    range: Range | None = None
    _headers: list[tuple[File, Header]] | None = field(default=None, repr=False, compare=False)

    @property
    def names(self) -> list[str]:
        return [file.name for file in self.files]

    def first(self, n: int) -> "Pictures":
        """Return a source with the first n images."""
        return replace(self, files=self.files[:n])

    @property
    def total(self) -> int:
        """The number of images in all splits."""
        return len(self.all_files)

    def ranged(self, requested: Range | Percentiles | None) -> "Pictures":
        """The same with the range of values for pictures of more than 8 bits, if it has any.

        Raises:
            DataError: The range of the pixels is unknown.
        """
        deep = [file for file, header in self._peek() if header.deep]
        if not deep:
            return self
        if requested is not None and not isinstance(requested, Percentiles):
            return replace(self, range=requested)
        try:
            return replace(self, range=find_range(_sample(deep), requested))
        except ValueError as error:
            raise DataError(f"data '{printable(deep[0].path)}': {error}") from None

    def shape(self, size: int | None, gray: bool | None) -> tuple[int, int, int]:
        """Return the shape of the decoded images, (C, H, W); None selects the defaults."""
        if size is None or gray is None:
            headers = [header for _, header in self._peek()]
            sides = {side for header in headers for side in header[:2]}
            common = sides.pop() if len(sides) == 1 else DEFAULT_SIZE
            default = DEFAULT_SIZE if self.crop else min(common, DEFAULT_SIZE)
            size = default if size is None else size
            all_gray = bool(headers) and all(header.gray for header in headers)
            gray = all_gray if gray is None else gray
        return 1 if gray else 3, size, size

    def read(self, reader: Reader, place: int, shape: tuple[int, int, int]) -> Decoded:
        """Decode one image."""
        opened = reader.open(self.files[place])
        return decode(opened, shape[1], shape[0] == 1, self.crop, self.range)

    def identity(self) -> Any:
        """What distinguishes this source from others in the cache."""
        listing, real = hashlib.sha256(), lru_cache(None)(os.path.realpath)
        for f in self.files:
            place = real(os.path.dirname(f.path) if f.member is None else f.path)
            listing.update(repr((place, f.name, f.size, f.stamp)).encode())
        return ["pictures", listing.hexdigest(), self.crop, self.range]

    def _peek(self) -> list[tuple[File, Header]]:
        """Read the headers of files that are evenly spaced over all splits; skip broken ones."""
        if self._headers is None:
            files = self.all_files[:: max(1, -(-len(self.all_files) // PEEKED))]
            self._headers = _each(files, read_header)
        return self._headers


def _each(files: Sequence[File], read: Callable[[str | BinaryIO], T]) -> list[tuple[File, T]]:
    """Apply a function to each file, and skip the files that it cannot read."""
    results = []
    with quiet(), Reader() as reader:
        for file in files:
            try:
                results.append((file, read(reader.open(file))))
            except Exception:
                continue
    return results


def _sample(files: Sequence[File]) -> NDArray[np.generic]:
    """Sample pixels of several images; they are floating point if any image is."""
    samples = [values for _, values in _each(files, sample)]
    if not samples:
        raise ValueError("no image of more than 8 bits can be read")
    return np.concatenate(samples)


@dataclass
class Arrays:
    """Gray images of one shape, (N, H, W)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8] | None
    names: list[str]

    def first(self, n: int) -> "Arrays":
        """Return a source with the first n images."""
        labels = None if self.labels is None else self.labels[:n]
        return Arrays(self.images[:n], labels, self.names[:n])

    def shape(self, size: int | None, gray: bool | None) -> tuple[int, int, int]:
        """Return the shape of the images, (C, H, W); None keeps their own size and channel."""
        height, width = self.images.shape[1:] if size is None else (size, size)
        return 3 if gray is False else 1, height, width

    @property
    def total(self) -> int:
        """The number of images."""
        return len(self.names)

    @property
    def range(self) -> Range | None:
        """None, because the range of bytes is known."""
        return None

    def ranged(self, requested: Range | Percentiles | None) -> "Arrays":
        """The same: bytes have a known range."""
        return self

    def read(self, reader: Reader, place: int, shape: tuple[int, int, int]) -> Decoded:
        """Resize one image."""
        image = self.images[place]
        size = None if image.shape == shape[1:] else shape[1]
        levels = pixels(fit(Image.fromarray(image), size), shape[0] == 1)
        return Decoded(levels, Header(image.shape[1], image.shape[0], True), None, False)

    def identity(self) -> Any:
        """What distinguishes this source from others in the cache."""
        return ["array", hashlib.sha256(self.images.tobytes()).hexdigest(), self.images.shape]


Source = Pictures | Arrays


def find(
    source: str | os.PathLike[str], split: str, cache: str | os.PathLike[str] | None, progress: bool
) -> Source:
    """Find out what kind of source this is, in the order that :func:`ign.data.load` gives.

    Raises:
        DataError: It does not hold images.
    """
    if source == "digits":
        images, labels, places = load_digits(split)
        return Arrays(images, labels, [f"{place:05d}" for place in places])
    if source in MIRRORS:
        folder = cache_folder(cache) / str(source)
        fetch_idx(str(source), split, folder, progress)
        return _idx(folder, split, str(source))
    path = expand_user(source)
    if not os.path.exists(path):
        raise DataError(
            f"data '{printable(source)}': no such file or folder; give a folder or zip of images, "
            f"a folder of MNIST idx files, or one of: {', '.join(['digits', *MIRRORS])}"
        )
    if path.is_dir() and any(find_idx(path, part, "images") for part in ("train", "test")):
        return _idx(path, split, str(source))
    celeba = find_celeba(path, split)
    if celeba is not None:
        return Pictures(*celeba, crop=CROP)
    return Pictures(*find_images(path, split))


def _idx(folder: Path, split: str, source: str) -> Arrays:
    images, labels = load_idx(folder, split, source)
    return Arrays(images, labels, [f"{place:05d}" for place in range(len(images))])
