"""Split images into training images and held-out images."""

__all__ = ["SPLITS", "by_folder", "held_out", "select_split", "split_of"]

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from ign.core.text import printable
from ign.data.errors import DataError
from ign.data.files import File

T = TypeVar("T")

SPLITS = ("train", "val", "test", "all")
"""The values of ``split``. If a source has only one held-out split, val and test select it."""

SHARE = 0.05
"""The fraction of the images of a folder without splits that is held out."""

MOST = 1000
"""The maximum number of images of a folder without splits that are held out."""

_FOLDERS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
    "dev": "val", "test": "test", "testing": "test",
}  # fmt: skip


def select_split(parts: Mapping[str, Sequence[T]], split: str, source: str) -> list[T]:
    """One part of a source, or all of them one after another.

    Raises:
        DataError: The source has no such split.
    """
    if not any(parts.values()):
        raise DataError(f"data '{printable(source)}': it contains no images")
    if split == "all":
        return [item for part in parts.values() for item in part]
    other = {"val": "test", "test": "val"}.get(split, split)
    name = split if parts.get(split) else other
    if not parts.get(name):
        has = ", ".join([part for part in parts if parts[part]] + ["all"])
        raise DataError(f"data '{printable(source)}' has no split {split!r}; it has {has}")
    return list(parts[name])


def split_of(name: str) -> str | None:
    """Return the last split that a file name contains, as in ``faces-train.zip``, or None."""
    places = {split: name.lower().rfind(split) for split in ("train", "val", "test")}
    last = max(places, key=lambda split: places[split])
    return last if places[last] >= 0 else None


def by_folder(files: Sequence[File]) -> dict[str, list[File]] | None:
    """Group files by folders such as train/ and test/; return None if there are no such folders.

    These folders may be inside another folder of any name. Besides train, at least one other
    split is required.
    """
    paths = [file.name.split("/") for file in files]
    around = 0
    while len({path[around] for path in paths}) == 1 and min(map(len, paths)) > around + 1:
        around += 1
    parts: dict[str, list[File]] = {"train": [], "val": [], "test": []}
    for file, path in zip(files, paths, strict=True):
        split = _FOLDERS.get(path[around].lower()) if len(path) > around + 1 else None
        if split is not None:
            parts[split].append(file)
    return parts if parts["train"] and (parts["val"] or parts["test"]) else None


def held_out(names: Iterable[str]) -> Collection[str]:
    """Select the names to hold out from training: the names with a hash in the lowest 5 %.

    At least one of two or more names, and at most 1,000 names, are held out. Apart from these
    bounds, whether a name is held out does not depend on the other names.
    """
    ranked = sorted((_hash(name), name) for name in names)
    bound = int(SHARE * 2**64).to_bytes(8, "big")
    count = sum(digest < bound for digest, _ in ranked)
    count = min(max(count, 1), MOST) if len(ranked) > 1 else 0
    return {name for _, name in ranked[:count]}


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
