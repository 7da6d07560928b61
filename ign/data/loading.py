"""Load training images from a source."""

__all__ = ["load"]

import logging
import math
import os

import torch
from torch import Tensor

from ign.core.text import printable
from ign.data.errors import SHOWN, DataError, format_problems
from ign.data.images import ImageSet
from ign.data.levels import Range, parse_range
from ign.data.reading import Memory, Shape, read_all
from ign.data.sources import Arrays, Source, find
from ign.data.splits import SPLITS
from ign.data.storage import (
    CacheFile,
    Record,
    cache_folder,
    key,
    label,
    list_problems,
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
        DataError: The source or split does not exist, the source is damaged, more than 5 % of its
            images are broken, no image can be read, or the cache cannot be written.
    """
    wish = parse_range(value_range)
    if split not in SPLITS:
        raise DataError(f"split {split!r} is unknown; choose {', '.join(SPLITS)}")
    for name, value in (("size", size), ("limit", limit)):
        if value is not None and value < 1:
            raise DataError(f"{name} {value} must be at least 1")
    found = find(source, split, cache, progress).ranged(wish)
    found = found if limit is None else found.first(limit)
    shape = found.shape(size, gray)
    images, record = _images(
        found, shape, source, cache, memory_limit, progress=progress, skip_broken=skip_broken
    )
    names, broken = found.names, {place for place, _ in record.broken}
    skipped = [(names[place], why) for place, why in record.broken]
    kept = [place for place in range(len(names)) if place not in broken]
    labels = None if found.labels is None else torch.from_numpy(found.labels[kept]).long()
    notes = _notes(found, record, value_range, skipped, str(source))
    for name, note in notes.items():
        expected = name == "resized" and size is None
        level = logging.INFO if expected else logging.WARNING
        logger.log(level, "data '%s': %s", printable(source), note)
    kept_names = [names[place] for place in kept]
    return ImageSet(
        images, labels, kept_names, str(source), skipped, found.range, list(notes.values())
    )


def _notes(
    found: Source,
    record: Record,
    wish: str | Range | None,
    skipped: list[tuple[str, str]],
    source: str,
) -> dict[str, str]:
    """Return remarks for the user about how the images were read, one line each."""
    notes = dict(record.remarks)
    if skipped:
        notes["skipped"] = (
            f"skipped {len(skipped):,} of {len(found.names):,} images, which cannot be read: "
            + "; ".join(format_problems(skipped))
        )
        if len(skipped) > SHOWN and (path := list_problems(source, skipped)):
            notes["skipped"] += f"; all are listed in '{printable(path)}'"
    if found.range is not None and (wish or found.range not in ((0, 1), (0, 65535))):
        low, high = found.range
        notes["range"] = f"pixels of more than 8 bits: black is the value {low:g}, white {high:g}"
    elif found.range is None and isinstance(wish, str):
        notes["range"] = f"the value range {wish} is not used: no image has more than 8 bits"
    return notes


def _images(
    found: Source,
    shape: Shape,
    source: str | os.PathLike[str],
    cache: str | os.PathLike[str] | None,
    memory_limit: float,
    progress: bool,
    skip_broken: bool,
) -> tuple[Tensor, Record]:
    """Decode into memory, or into a mapped file if ``cache`` is given or the set is large."""
    whole = (len(found.names), *shape)
    how = {"show_progress": progress, "skip_broken": skip_broken}
    large = math.prod(whole) > memory_limit
    if not large and isinstance(found, Arrays) and shape == (1, *found.images.shape[1:]):
        return torch.from_numpy(found.images[:, None]), Record()
    if not large and cache is None:
        memory = Memory(whole)
        record = read_all(found, shape, str(source), memory.append, **how)
        return memory.images(), record
    name = f"{label(source)}-{key([found.identity(), shape, skip_broken])}.npy"
    path = cache_folder(cache) / "images" / name
    cached = open_cached(path, whole)
    if cached is None:
        with replacing(path) as temporary, CacheFile(temporary, whole, name) as file:
            file.finish(read_all(found, shape, str(source), file.append, **how))
        cached = open_cached(path, whole)
    if cached is None:
        raise DataError(f"cache file '{printable(path)}' cannot be read back; is the disk sound?")
    return cached
