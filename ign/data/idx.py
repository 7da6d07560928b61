"""Images and labels in the idx format, as MNIST and Fashion-MNIST come."""

__all__ = ["STEMS", "find_idx", "load_idx", "read_idx"]

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ign.data.errors import DataError
from ign.data.splits import choose

STEMS = {"train": "train", "test": "t10k"}
"""How the files of each split begin."""

Part = tuple[NDArray[np.uint8], NDArray[np.uint8] | None]


def find_idx(folder: Path, split: str, kind: str) -> Path | None:
    """The file of a split's ``images`` or ``labels`` in a folder, or None.

    Also known are names with a dot before ``idx``, and a folder ``raw`` below this one.
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
    """The images, (N, H, W), and the labels, (N,) or None, of a split in a folder of idx files.

    Raises:
        DataError: There is no such split, or a file is damaged.
    """
    found = {part: path for part in STEMS if (path := find_idx(folder, part, "images"))}
    parts = choose({part: [(part, path)] for part, path in found.items()}, split, source)
    read = [_part(folder, part, path) for part, path in parts]
    labels = [part[1] for part in read if part[1] is not None]
    shapes = {images.shape[1:] for images, _ in read}
    if len(shapes) > 1:
        raise DataError(f"data {source!r}: the images of train and test differ in size: {shapes}")
    images = np.concatenate([images for images, _ in read])
    return images, np.concatenate(labels) if len(labels) == len(read) else None


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of bytes in an idx file, which may be compressed with gzip.

    Raises:
        DataError: The file is truncated or damaged, or holds something else.
    """
    what = f"idx file {str(path)!r}"
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read()
    except EOFError:
        raise DataError(f"{what} is truncated; fetch it again") from None
    except (OSError, zlib.error) as error:
        raise DataError(f"{what} cannot be read ({error}); fetch it again") from None
    if content[:4] != bytes((0, 0, 8, dimensions)):
        raise DataError(f"{what} does not hold bytes in {dimensions} dimensions")
    start = 4 + 4 * dimensions
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, start, 4)]
    if math.prod(shape) != len(content) - start:
        raise DataError(
            f"{what} is truncated or damaged: its header announces {' x '.join(map(str, shape))} "
            f"bytes and {max(len(content) - start, 0):,} follow; fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def _part(folder: Path, split: str, path: Path) -> Part:
    images = read_idx(path, 3)
    if not images.size:
        raise DataError(f"idx file {str(path)!r} holds no images")
    labels_path = find_idx(folder, split, "labels")
    labels = None if labels_path is None else read_idx(labels_path, 1)
    if labels is not None and len(labels) != len(images):
        raise DataError(
            f"idx file {str(labels_path)!r} has {len(labels):,} labels for {len(images):,} images"
        )
    return images, labels
