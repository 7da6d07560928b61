"""Find images in a folder or a zip of any layout."""

__all__ = ["find_images"]

from collections.abc import Sequence
from pathlib import Path
from zipfile import is_zipfile

from ign.core.text import printable
from ign.data.errors import DataError
from ign.data.files import File, Listing, list_folder, list_zip, natural_key
from ign.data.layout import only_good
from ign.data.splits import by_folder, held_out, select_split, split_of

LEAST = 3
"""The minimum number of images that can be split: two for training and one held out."""


def find_images(path: Path, split: str) -> tuple[list[File], list[File]]:
    """Find the images of one split, and the images of all splits.

    Raises:
        DataError: There are no images, or the path is neither a folder nor a zip.
    """
    if path.is_dir():
        archives = _split_zips(path)
        if archives:
            return _from_zips(archives, split, str(path))
        listing = list_folder(path)
    elif path.is_file() and (is_zipfile(path) or path.suffix.lower() == ".zip"):
        listing = list_zip(path)
    else:
        raise DataError(
            f"data '{printable(path)}' is neither a folder nor a zip; give a folder or a zip"
        )
    if not listing.files:
        raise DataError(_no_images(path, listing))
    files = only_good(path, listing.files)
    return _part(files, split, str(path)), files


def _part(files: list[File], split: str, source: str) -> list[File]:
    """Select a split by the folders train, val and test if they exist, else by a hash."""
    if split == "all":
        return files
    parts = by_folder(files)
    if parts is None:
        if len(files) < LEAST:
            count = f"{len(files)} image" + "s" * (len(files) != 1)
            raise DataError(
                f"data '{printable(source)}' contains {count}; at least {LEAST} are needed, "
                "because some are held out from training; add images"
            )
        out = held_out([file.name for file in files])
        parts = {
            "train": [file for file in files if file.name not in out],
            "test": [file for file in files if file.name in out],
        }
    return select_split(parts, split, source)


def _split_zips(folder: Path) -> dict[str, list[Path]] | None:
    """Return the zips of each split in a folder; None if the folder also contains images."""
    parts: dict[str, list[Path]] = {"train": [], "val": [], "test": []}
    for path in sorted(folder.glob("*.zip"), key=lambda path: natural_key(path.name)):
        split = split_of(path.stem)
        if split is not None and not path.name.startswith(".") and path.is_file():
            parts[split].append(path)
    found = any(parts.values())
    return parts if found and not list_folder(folder, nested=False).files else None


def _from_zips(
    archives: dict[str, list[Path]], split: str, source: str
) -> tuple[list[File], list[File]]:
    listed = {part: _files(paths) for part, paths in archives.items()}
    return select_split(listed, split, source), select_split(listed, "all", source)


def _files(archives: Sequence[Path]) -> list[File]:
    return [file for path in archives for file in list_zip(path).files]


def _no_images(path: Path, listing: Listing) -> str:
    what = "folder" if path.is_dir() else "zip"
    hint = "give a folder or zip of images such as PNG, JPEG or WebP"
    if path.is_dir() and (archive := next(path.glob("*.zip"), None)) is not None:
        hint = f"to use the zip in it, give '{printable(archive)}'"
    count = f"({listing.others:,} other files)"
    return f"data '{printable(path)}': no images in this {what} {count}; {hint}"
