"""Which images are for training and which are held out."""

__all__ = ["SPLITS", "by_folder", "held_out", "select_split", "split_of"]

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from ign.core.text import printable
from ign.data.errors import DataError
from ign.data.files import File

T = TypeVar("T")

SPLITS = ("train", "val", "test", "all")
"""What ``split`` may be; where a source has one held-out part, val and test both mean it."""

SHARE = 0.05
"""The share of a plain folder that is held out."""

MOST = 1000
"""The most images of a plain folder that are held out."""

_FOLDERS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
    "dev": "val", "test": "test", "testing": "test",
}  # fmt: skip


def select_split(parts: Mapping[str, Sequence[T]], split: str, source: str) -> list[T]:
    """One part of a source, or all of them one after another.

    Raises:
        DataError: The source has no such part.
    """
    if not any(parts.values()):
        raise DataError(f"data '{printable(source)}': it holds no images")
    if split == "all":
        return [item for part in parts.values() for item in part]
    other = {"val": "test", "test": "val"}.get(split, split)
    name = split if parts.get(split) else other
    if not parts.get(name):
        has = ", ".join([part for part in parts if parts[part]] + ["all"])
        raise DataError(f"data '{printable(source)}' has no split {split!r}; it has {has}")
    return list(parts[name])


def split_of(name: str) -> str | None:
    """The split that a file's name ends by naming, such as ``faces-train.zip``, or None."""
    places = {split: name.lower().rfind(split) for split in ("train", "val", "test")}
    last = max(places, key=lambda split: places[split])
    return last if places[last] >= 0 else None


def by_folder(files: Sequence[File]) -> dict[str, list[File]] | None:
    """The parts of files that lie in folders such as train/ and test/; None where they do not.

    The folders may have a folder of any name around them. There must be train and another one.
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
    """The names that are kept from training: those whose hash is in the lowest 5 %.

    There is at least one where there are two names, and at most 1,000. Whether a name is held
    out does not depend on the other names, apart from these bounds.
    """
    ranked = sorted((_hash(name), name) for name in names)
    bound = int(SHARE * 2**64).to_bytes(8, "big")
    count = sum(digest < bound for digest, _ in ranked)
    count = min(max(count, 1), MOST) if len(ranked) > 1 else 0
    return {name for _, name in ranked[:count]}


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
