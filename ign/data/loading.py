"""Load training images from a source."""

__all__ = ["load", "load_splits"]

import logging
import math
import os
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ign.core.text import printable
from ign.data.broken import describe_skipped, require_readable
from ign.data.errors import DataError
from ign.data.images import ImageSet
from ign.data.levels import Range, parse_range
from ign.data.reading import Memory, Shape, read_all
from ign.data.remarks import Remarks
from ign.data.sources import Arrays, Source, find
from ign.data.splits import MOST, SHARE, SPLITS
from ign.data.storage import (
    CacheFile,
    Record,
    cache_folder,
    key,
    label,
    open_cached,
    replacing,
)  # fmt: skip

logger = logging.getLogger("ign.data")


def load(
    source: str | os.PathLike[str],
    *,
    split: str = "train",
    size: int | None = None,
    gray: bool | None = None,
    limit: int | None = None,
    cache: str | os.PathLike[str] | None = None,
    memory_limit: float = 2 * 2**30,
    progress: bool = False,
    skip_broken: bool = False,
    value_range: str | Range | None = None,
) -> ImageSet:
    """Load training images from a name, a folder or a zip.

    The source is the first of these that matches:

    - ``digits``, the 8x8 digits of scikit-learn; ``mnist`` or ``fashion-mnist``, which are
      downloaded once. Write ``./mnist`` for a folder with such a name.
    - a folder of MNIST's idx files, compressed or not;
    - CelebA's folder with ``img_align_celeba`` and ``list_eval_partition.txt``; its images are
      cropped to the central 148x148 pixels;
    - a folder of zips whose names contain train, val or test;
    - a folder or zip of images, nested or not, in natural order of their names. The suffix of a
      file determines whether it is an image; for an unknown suffix, its first bytes do. Hidden
      files are ignored.

    The folders ``train`` and ``test`` or ``val`` are the splits of a folder or zip. Without them,
    5 % of the images, at most 1,000, are held out by a hash of their names. In ``digits``, every
    fifth image of each class is held out. If a source has only one held-out split, both ``val``
    and ``test`` select it.

    Args:
        source: A name or a path.
        split: ``train``, ``val``, ``test`` or ``all``.
        size: The side of the images. The shorter side is resized to it, and the centre is cropped.
            By default, digits and idx files keep their size. For other sources it is 64, or the
            side of the images if 64 headers, evenly spaced over all splits, are smaller squares of
            the same size.
        gray: Whether images have one channel rather than three. By default, they have one channel
            if all of these headers, or the arrays, are grayscale.
        limit: The number of images to take from the start of the split, including broken ones.
        cache: The folder for downloads and decoded images, instead of ``IGN_CACHE`` or
            ``~/.cache/ign``. If it is given, decoded images are stored there and reused.
        memory_limit: Images of more bytes than this are stored in the cache folder and mapped
            into memory.
        progress: Whether to show a progress bar with the remaining time.
        skip_broken: Whether to load the readable images even if many others are broken.
        value_range: The values that become black and white in grayscale images of more than
            8 bits: ``0:4095``, percentiles of all pixels ``1%:99%``, or two numbers. By default,
            it is the full range of the type, 0 to 65535 for integers and 0 to 1 for floating
            point, if 64 files, evenly spaced over all splits, use over half of it. Otherwise it is
            the 0.1 and 99.9 percentiles of their pixels.

    Returns:
        The images as uint8. Images that could not be read are listed in ``skipped``, the range of
        values is ``value_range``, and other remarks are in ``notes`` and in the log.

    Raises:
        DataError: The source or split does not exist, the source is damaged, the broken images of
            this split are more than 5 % of the images of all splits, no image can be read, or the
            cache cannot be written.
    """
    return load_splits(
        source, {split: limit}, size=size, gray=gray, cache=cache, memory_limit=memory_limit,
        progress=progress, skip_broken=skip_broken, value_range=value_range,
    )[split]  # fmt: skip


def load_splits(
    source: str | os.PathLike[str],
    limits: Mapping[str, int | None],
    *,
    size: int | None = None,
    gray: bool | None = None,
    cache: str | os.PathLike[str] | None = None,
    memory_limit: float = 2 * 2**30,
    progress: bool = False,
    skip_broken: bool = False,
    value_range: str | Range | None = None,
) -> dict[str, ImageSet]:
    """Load several splits of a source, as :func:`load` does for one.

    Broken images and remarks are counted over all of these splits. If no image of another split
    than ``train`` can be read, as many training images as would be held out by a hash are held out
    instead, the last ones.

    Args:
        source: A name or a path.
        limits: The number of images to take from the start of each split; None for all.
        size: The side of the images.
        gray: Whether images have one channel rather than three.
        cache: The folder for downloads and decoded images.
        memory_limit: Images of more bytes than this are stored in the cache folder.
        progress: Whether to show a progress bar for each split.
        skip_broken: Whether to load the readable images even if many others are broken.
        value_range: The values that become black and white.

    Raises:
        DataError: As in :func:`load`; the broken images of these splits together may be 5 % of the
            images of all splits.
    """
    wish = parse_range(value_range)
    for name, value in [("size", size), *(("limit", limit) for limit in limits.values())]:
        if value is not None and value < 1:
            raise DataError(f"{name} {value} must be at least 1")
    parts: dict[str, ImageSet] = {}
    records: list[Record] = []
    counts: dict[str, int] = {}
    for split, limit in limits.items():
        if split not in SPLITS:
            raise DataError(f"split {split!r} is unknown; choose {', '.join(SPLITS)}")
        found = find(source, split, cache, progress).ranged(wish)
        found = found if limit is None else found.first(limit)
        images, record = _images(
            found, found.shape(size, gray), source, cache, memory_limit, progress
        )
        parts[split] = _image_set(found, images, record, str(source))
        counts[split] = len(found.names)
        records.append(record)
    problems = {split: part.skipped for split, part in parts.items()}
    require_readable(str(source), found.total, counts, problems, skip_broken)
    notes = _notes(records, sum(counts.values()), value_range, parts, str(source))
    notes |= _hold_out(parts, limits)
    for name, note in notes.items():
        expected = name == "resized" and size is None
        level = logging.INFO if expected else logging.WARNING
        logger.log(level, "data '%s': %s", printable(source), note)
    lines = list(notes.values())
    return {split: replace(part, notes=lines) for split, part in parts.items()}


def _image_set(found: Source, images: Tensor, record: Record, source: str) -> ImageSet:
    names, broken = found.names, {place for place, _ in record.broken}
    kept = [place for place in range(len(names)) if place not in broken]
    labels = None if found.labels is None else torch.from_numpy(found.labels[kept]).long()
    skipped = [(names[place], why) for place, why in record.broken]
    return ImageSet(images, labels, [names[p] for p in kept], source, skipped, found.range)


def _hold_out(parts: dict[str, ImageSet], limits: Mapping[str, int | None]) -> dict[str, str]:
    """Hold out training images in place of a split none of whose images can be read."""
    notes = {}
    for split in [split for split, part in parts.items() if not len(part)]:
        train = parts["train"]
        count = min(max(int(SHARE * len(train)), 1), MOST)
        if len(train) <= count:
            raise DataError(
                f"data '{printable(train.source)}': only {len(train)} image can be read, and at "
                "least 2 are needed, because some are held out from training"
            )
        stop = len(train) - count
        limit = limits[split]
        last = _part(train, stop, len(train) if limit is None else stop + min(limit, count))
        parts["train"] = _part(train, 0, stop)
        parts[split] = replace(last, skipped=parts[split].skipped)
        notes[f"no {split}"] = (
            f"no image of the split {split} can be read; the last {count:,} training images are "
            "held out instead"
        )
    return notes


def _part(images: ImageSet, start: int, stop: int) -> ImageSet:
    labels = None if images.labels is None else images.labels[start:stop]
    names = images.names[start:stop]
    return replace(images, images=images.images[start:stop], labels=labels, names=names)


def _notes(
    records: list[Record],
    count: int,
    wish: str | Range | None,
    parts: dict[str, ImageSet],
    source: str,
) -> dict[str, str]:
    """Return remarks for the user about how the images were read, one line each."""
    remarks = Remarks(records[0].remarks.shape)
    for record in records:
        remarks.merge(record.remarks)
    notes = remarks.lines()
    if skipped := [problem for part in parts.values() for problem in part.skipped]:
        notes["skipped"] = describe_skipped(source, count, skipped)
    found = next(iter(parts.values())).value_range
    if found is not None and (wish or found not in ((0, 1), (0, 65535))):
        low, high = found
        notes["range"] = f"pixels of more than 8 bits: black is the value {low:g}, white {high:g}"
    elif found is None and isinstance(wish, str):
        notes["range"] = f"the value range {wish} is not used: no image has more than 8 bits"
    return notes


def _images(
    found: Source,
    shape: Shape,
    source: str | os.PathLike[str],
    cache: str | os.PathLike[str] | None,
    memory_limit: float,
    progress: bool,
) -> tuple[Tensor, Record]:
    """Decode into memory, or into a mapped file if ``cache`` is given or the set is large."""
    whole = (len(found.names), *shape)
    large = math.prod(whole) > memory_limit
    if not large and isinstance(found, Arrays) and shape == (1, *found.images.shape[1:]):
        return torch.from_numpy(found.images[:, None]), Record(Remarks(shape))
    if not large and cache is None:
        memory = Memory(whole)
        record = read_all(found, shape, memory.append, progress)
        return memory.images(), record
    name = f"{label(source)}-{key([found.identity(), shape])}.npy"
    path = cache_folder(cache) / "images" / name
    cached = open_cached(path, whole)
    if cached is None:
        with replacing(path) as temporary, CacheFile(temporary, whole, name) as file:
            file.finish(read_all(found, shape, file.append, progress))
        cached = open_cached(path, whole)
    if cached is None:
        raise DataError(f"cache file '{printable(path)}' cannot be read back; is the disk sound?")
    return cached
