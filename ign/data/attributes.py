"""Attribute labels of images, such as CelebA's 40 binary attributes."""

__all__ = ["Attributes", "load_attributes"]

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import torch
from torch import Tensor

from ign.core.paths import expand_user
from ign.core.text import printable
from ign.data.errors import DataError
from ign.data.files import LARGEST, member_name, open_zip
from ign.data.splits import split_of

PUBLISHED = ("list_attr_celeba.txt", "list_attr_celeba.csv")
TABLE = "metadata.csv"
VALUES = {"1": True, "-1": False}


class Attributes(NamedTuple):
    """The binary attributes of N images.

    Attributes:
        names: The names of the A attributes.
        values: Whether each image has each attribute, (N, A) bool.
    """

    names: list[str]
    values: Tensor


def load_attributes(source: str | os.PathLike[str], names: Sequence[str]) -> Attributes | None:
    """Load the attributes of images that were loaded from a folder or zip, in the same order.

    CelebA's own folder contains them in ``list_attr_celeba.txt`` (or .csv). Any other source may
    contain files called ``metadata.csv``, anywhere in the folder or zip, or inside the zips of a
    folder of zips that are named train, val or test. The columns of a ``metadata.csv`` are the
    name of an image, relative to the folder of the file, and the attributes, with values 1 and -1.

    Args:
        source: The source of the images, as it was passed to :func:`ign.data.load`.
        names: The names of the images, as in :class:`ign.data.ImageSet`.

    Returns:
        The attributes, or None if the source has no such file.

    Raises:
        DataError: A file is malformed, two disagree, or an image is not listed.
    """
    path = expand_user(source)
    published = next((path / name for name in PUBLISHED if (path / name).is_file()), None)
    if published is not None:
        columns, known = _parse_file(published)
        names = [PurePosixPath(name).name for name in names]
    else:
        columns, known = _merge(str(source), _tables(path))
    if not columns:
        return None
    missing = [name for name in names if name not in known]
    if missing:
        raise DataError(
            f"data '{printable(source)}': no attributes are listed for {len(missing):,} of "
            f"{len(names):,} images, such as '{printable(missing[0])}'"
        )
    values = torch.tensor([known[name] for name in names], dtype=torch.bool)
    return Attributes(columns, values.view(len(names), len(columns)))


Table = tuple[list[str], dict[str, list[bool]]]


def _merge(source: str, tables: Iterator[tuple[str, Table]]) -> Table:
    """Merge all tables, and prefix the image names with the folder of their table."""
    columns: list[str] = []
    known: dict[str, list[bool]] = {}
    for folder, (found, rows) in tables:
        if columns and columns != found:
            raise DataError(f"data '{printable(source)}': its {TABLE} files have different columns")
        columns = found
        for name, values in rows.items():
            if known.setdefault(folder + name, values) != values:
                raise DataError(
                    f"data '{printable(source)}': its {TABLE} files disagree on '{printable(name)}'"
                )
    return columns, known


def _tables(path: Path) -> Iterator[tuple[str, Table]]:
    """Yield the folder and the content of each ``metadata.csv`` in a source."""
    if path.is_file():
        yield from _zipped(path)
        return
    files = sorted(file for file in path.rglob(TABLE) if file.is_file())
    for file in files:
        folder = file.parent.relative_to(path).as_posix()
        yield _prefix(folder), _parse_file(file)
    for archive in [] if files else sorted(path.glob("*.zip")):
        if split_of(archive.stem) is not None and archive.is_file():
            yield from _zipped(archive)


def _zipped(path: Path) -> Iterator[tuple[str, Table]]:
    with open_zip(str(path)) as archive:
        for member in archive.infolist():
            name = PurePosixPath(member_name(member))
            if name.name != TABLE:
                continue
            where = printable(f"{path}/{member_name(member)}")
            try:
                if member.file_size > LARGEST:
                    raise ValueError(f"it unpacks to {member.file_size / 2**30:.1f} GiB")
                text = archive.read(member).decode("utf-8-sig", "replace")
            except Exception as error:  # zipfile raises what its decompressors raise
                why = printable(str(error), 200)
                raise DataError(f"data '{where}': cannot be read ({why})") from None
            yield _prefix(name.parent.as_posix()), _parse(where, text)


def _parse_file(path: Path) -> Table:
    try:
        text = path.read_text("utf-8-sig", "replace")
    except (OSError, MemoryError) as error:
        why = getattr(error, "strerror", None) or "not enough memory"
        raise DataError(f"data '{printable(path)}': cannot be read ({why})") from None
    return _parse(str(path), text)


def _prefix(folder: str) -> str:
    return "" if folder == "." else f"{folder}/"


def _parse(where: str, text: str) -> Table:
    """Parse the names of the attributes and the values of each image.

    Both formats begin with one word, ``file_name`` or a count, and the names of the attributes, on
    one line in a .csv file and on two lines in a .txt file. Every other line contains an image and
    its values.
    """
    comma = where.endswith(".csv")
    split = [
        [field.strip() for field in line.split("," if comma else None)]
        for line in text.splitlines()
    ]
    rows = [(n, fields) for n, fields in enumerate(split, start=1) if any(fields)]
    lines = 1 if comma else 2
    columns = [field for _, fields in rows[:lines] for field in fields][1:]
    if not columns or len(set(columns)) < len(columns):
        raise DataError(f"data '{printable(where)}': does not begin with the names of attributes")
    known = {}
    for n, (name, *values) in rows[lines:]:
        if len(values) != len(columns) or not VALUES.keys() >= set(values):
            raise DataError(
                f"data '{printable(where)}', line {n}: expected an image and {len(columns)} values "
                f"of 1 or -1, not '{printable(' '.join([name, *values]), 80)}'"
            )
        known[name.replace("\\", "/")] = [VALUES[value] for value in values]
    return columns, known
