"""From a source to training images."""

__all__ = ["load"]

import logging
import math
import os
import re
from pathlib import Path

import torch
from torch import Tensor

from ign.data.errors import DataError, listed
from ign.data.images import ImageSet
from ign.data.reading import Memory, Shape, read_all
from ign.data.sources import Arrays, Source, find
from ign.data.splits import SPLITS
from ign.data.storage import CacheFile, Note, cache_folder, key, open_cached, replacing

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
) -> ImageSet:
    """Load training images from a name, a folder or a zip.

    The source is the first of these that fits:

    - ``digits``, the 8x8 digits in scikit-learn; ``mnist`` or ``fashion-mnist``, downloaded once.
      A folder of such a name is given as ``./mnist``.
    - a folder of MNIST's idx files, compressed or not;
    - CelebA's folder, ``img_align_celeba`` and ``list_eval_partition.txt``: the centre 148x148;
    - a folder of zips whose names say train, val or test;
    - a folder or zip of images, nested or not, in natural order of name. A file counts as an image
      by its suffix, or where the suffix says nothing by how it begins; hidden files do not count.

    Folders ``train`` and ``test`` or ``val`` are the splits of a folder or zip. Without them 5 % of
    the images, at most 1,000, are held out by a hash of their names. Digits hold out every fifth of
    a class. Where a source has one held-out part, ``val`` and ``test`` both mean it.

    Args:
        source: A name or a path.
        split: ``train``, ``val``, ``test`` or ``all``.
        size: The side of the images: the short side is resized to it, and the centre is kept.
            Default: the size of digits and idx files; else 64, or the side of the images where
            64 headers, evenly spread over all splits, show smaller squares of one size.
        gray: Whether images have one channel or three. Default: one where all these headers, or
            the arrays, are gray.
        limit: Take the first so many of the split, those that turn out broken included.
        cache: A folder for downloads and decoded images, instead of ``IGN_CACHE`` or
            ``~/.cache/ign``. Where it is given, decoded files are kept there for the next time.
        memory_limit: Images of more bytes than this are kept in the cache folder and mapped
            into memory.
        progress: Whether to show a bar with the time left.

    Returns:
        The images, as uint8. Those that could not be read are named in ``skipped``.

    Raises:
        DataError: There is no such source or split, it is damaged, more than 5 % of its images
            are broken, or the cache cannot be written.
    """
    if split not in SPLITS:
        raise DataError(f"split {split!r} is unknown; choose {', '.join(SPLITS)}")
    for name, value in (("size", size), ("limit", limit)):
        if value is not None and value < 1:
            raise DataError(f"{name} {value} must be at least 1")
    found = find(source, split, cache, progress)
    found = found if limit is None else found.first(limit)
    images, note = _images(found, found.shape(size, gray), source, cache, memory_limit, progress)
    names, broken = found.names, {place for place, _ in note}
    skipped = [(names[place], why) for place, why in note]
    if skipped:
        logger.warning(
            "data %r: skipped %d of %d images, which cannot be read: %s",
            str(source), len(skipped), len(names), "; ".join(listed(skipped)),
        )  # fmt: skip
    kept = [place for place in range(len(names)) if place not in broken]
    labels = None if found.labels is None else torch.from_numpy(found.labels[kept]).long()
    return ImageSet(images, labels, [names[place] for place in kept], str(source), skipped)


def _images(
    found: Source,
    shape: Shape,
    source: str | os.PathLike[str],
    cache: str | os.PathLike[str] | None,
    memory_limit: float,
    progress: bool,
) -> tuple[Tensor, Note]:
    """Decode into memory or, where there are too many or a cache is wished, into a mapped file."""
    n = len(found.names)
    large = n * math.prod(shape) > memory_limit
    if not large and isinstance(found, Arrays) and shape == (1, *found.images.shape[1:]):
        return torch.from_numpy(found.images[:, None]), []
    if not large and cache is None:
        memory = Memory((n, *shape))
        note = read_all(found, shape, str(source), memory.append, progress)
        return memory.images(), note
    label = re.sub(r"[^\w.-]+", "-", Path(source).stem, flags=re.ASCII) or "images"
    path = cache_folder(cache) / "images" / f"{label}-{key([found.identity(), shape])}.npy"
    cached = open_cached(path)
    if cached is None:
        with replacing(path) as temporary, CacheFile(temporary, (n, *shape)) as file:
            file.finish(read_all(found, shape, str(source), file.append, progress))
        cached = open_cached(path)
    if cached is None:
        raise DataError(f"cache file {str(path)!r} cannot be read back; is the disk sound?")
    return cached
