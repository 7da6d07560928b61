"""CelebA as it is published: aligned images of 178x218 pixels and a list of the splits."""

__all__ = ["CROP", "find_celeba"]

import logging
from pathlib import Path, PurePosixPath

from ign.core.text import printable
from ign.data.errors import DataError
from ign.data.files import File, list_folder, list_zip
from ign.data.splits import select_split

CROP = 148
"""The side of the central square that is cropped from each image."""

PARTS = {"0": "train", "1": "val", "2": "test"}

logger = logging.getLogger("ign.data")


def find_celeba(folder: Path, split: str) -> tuple[list[File], list[File]] | None:
    """Find the images of one split and of all splits; return None if the folder is not CelebA.

    A folder is CelebA if it contains ``list_eval_partition.txt`` (or .csv) and
    ``img_align_celeba``, which is a folder or a zip.

    Raises:
        DataError: The list cannot be read, or none of the images it names exists.
    """
    pictures = folder / "img_align_celeba"
    lists = [folder / f"list_eval_partition.{suffix}" for suffix in ("txt", "csv")]
    partition = next((path for path in lists if path.is_file()), None)
    if partition is None:
        return None
    if pictures.is_dir():
        listing = list_folder(pictures)
    elif pictures.with_suffix(".zip").is_file():
        listing = list_zip(pictures.with_suffix(".zip"))
    else:
        return None
    there = {PurePosixPath(file.name).name: file for file in listing.files}
    parts: dict[str, list[File]] = {part: [] for part in PARTS.values()}
    missing = 0
    for name, part in _read_partition(partition):
        if name in there:
            parts[part].append(there[name])
        else:
            missing += 1
    if missing:
        logger.warning("data '%s': %d listed pictures are not there", printable(folder), missing)
    return select_split(parts, split, str(folder)), select_split(parts, "all", str(folder))


def _read_partition(path: Path) -> list[tuple[str, str]]:
    """Read the name and the split of each image from the list."""
    rows = []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise DataError(f"data '{printable(path)}': {error.strerror}") from None
    for number, line in enumerate(lines, start=1):
        fields = line.replace(",", " ").split()
        if not fields or fields[0] == "image_id":
            continue
        if len(fields) != 2 or fields[1] not in PARTS:
            raise DataError(
                f"data '{printable(path)}', line {number}: expected the name of an image and its "
                f"split, 0, 1 or 2, not '{printable(line, 80)}'"
            )
        rows.append((fields[0], PARTS[fields[1]]))
    return rows
