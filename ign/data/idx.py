"""Read images and labels in the idx format of MNIST and Fashion-MNIST."""

__all__ = ["STEMS", "find_idx", "load_idx", "read_idx"]

import gzip
import math
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from ign.core.text import printable
from ign.data.errors import DataError
from ign.data.splits import select_split

STEMS = {"train": "train", "test": "t10k"}
"""The first part of the file names of each split."""

_MAGIC = {n: bytes((0, 0, 8, n)) for n in (1, 2, 3)}

Part = tuple[NDArray[np.uint8], NDArray[np.uint8] | None]


def find_idx(folder: Path, split: str, kind: str) -> Path | None:
    """Find the file of a split's ``images`` or ``labels`` in a folder; return None if missing.

    File names with a dot before ``idx``, and files in a subfolder ``raw``, are found too.
    """
    digits = {"images": 3, "labels": 1}[kind]
    for place in (folder, folder / "raw"):
        for dash in "-.":
            for suffix in ("", ".gz"):
                path = place / f"{STEMS[split]}-{kind}{dash}idx{digits}-ubyte{suffix}"
                if path.is_file():
                    return path
    return None


def load_idx(folder: Path, split: str, source: str) -> Part:
    """Load the images, (N, H, W), and labels, (N,) or None, of a split from idx files.

    Raises:
        DataError: The split does not exist, or a file is damaged.
    """
    found = {part: path for part in STEMS if (path := find_idx(folder, part, "images"))}
    parts = select_split({part: [(part, path)] for part, path in found.items()}, split, source)
    read = [_part(folder, part, path) for part, path in parts]
    labels = [part[1] for part in read if part[1] is not None]
    shapes = {images.shape[1:] for images, _ in read}
    if len(shapes) > 1:
        raise DataError(
            f"data '{printable(source)}': the images of train and test differ in size: {shapes}"
        )
    images = np.concatenate([images for images, _ in read])
    return images, np.concatenate(labels) if len(labels) == len(read) else None


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Read an array of bytes from an idx file, which may be compressed with gzip.

    Raises:
        DataError: The file is truncated or damaged, or contains another type of data.
    """
    what = f"idx file '{printable(path)}'"
    start = 4 + 4 * dimensions
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(start)
            shape = [int.from_bytes(header[at : at + 4], "big") for at in range(4, start, 4)]
            size = math.prod(shape)
            content = (
                _read_up_to(cast(IO[bytes], file), size + 1)
                if header[:4] == _MAGIC[dimensions]
                else b""
            )
    except EOFError:
        raise DataError(f"{what} is truncated; fetch it again") from None
    except (OSError, zlib.error) as error:
        raise DataError(f"{what} cannot be read ({error}); fetch it again") from None
    except MemoryError:
        raise DataError(f"{what} does not fit into memory: {size:,} bytes") from None
    if header[:4] != _MAGIC[dimensions]:
        raise DataError(f"{what} does not hold bytes in {dimensions} dimensions")
    if len(header) < start or size != len(content):
        follow = "more" if len(content) > size else f"{len(content):,}"
        raise DataError(
            f"{what} is truncated or damaged: its header announces {' x '.join(map(str, shape))} "
            f"bytes and {follow} follow; fetch it again"
        )
    return np.frombuffer(content, np.uint8).reshape(shape).copy()


def _read_up_to(file: IO[bytes], most: int) -> bytes:
    """Read at most ``most`` bytes in parts, so that a wrong header does not allocate memory."""
    parts = []
    while most > 0 and (part := file.read(min(most, 2**24))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _part(folder: Path, split: str, path: Path) -> Part:
    images = read_idx(path, 3)
    if not images.size:
        raise DataError(f"idx file '{printable(path)}' holds no images")
    labels_path = find_idx(folder, split, "labels")
    labels = None if labels_path is None else read_idx(labels_path, 1)
    if labels_path is not None and labels is not None and len(labels) != len(images):
        raise DataError(
            f"idx file '{printable(labels_path)}' has {len(labels):,} labels for "
            f"{len(images):,} images"
        )
    return images, labels
