"""Write a folder of results that appears when it is complete and replaces only its own files."""

__all__ = ["MANIFEST", "Output", "numbered", "output_folder"]

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path, PurePosixPath
from uuid import uuid4

from ign.core.files import atomic

MANIFEST = ".ign-files.json"
"""The file in a folder of results that lists the other files that were written there."""


def numbered(first: Path) -> Iterator[Path]:
    """Yield the paths NAME, NAME-2, NAME-3 and so on, without end."""
    yield first
    for i in count(2):
        yield first.with_name(f"{first.name}-{i}")


class Output:
    """A folder of results that is being written.

    Attributes:
        path: The final path of the folder, for use in messages.
        work: The temporary folder to write to.
    """

    def __init__(self, path: Path, work: Path):
        self.path, self.work = path, work


@contextmanager
def output_folder(path: Path, force: bool, option: str = "--out") -> Iterator[Output]:
    """Write a folder of results in a hidden folder inside it, and move them out at the end.

    The folder must be empty. With ``force`` it may hold results, and those that an earlier call
    listed in its manifest are removed when the new ones are complete; other files stay. When the
    block raises, everything is as it was before.

    Args:
        path: The folder, which is created where it is missing.
        force: Whether to replace earlier results.
        option: What the command line calls the folder.

    Raises:
        ValueError: It is a file, holds something and ``force`` is off, or holds a file that is not
            in the manifest, or a link that leads out of it, where a result would go.
        OSError: It cannot be written to.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(f"{option} {path}: is a file; give a folder")
    if path.exists() and any(path.iterdir()) and not force:
        raise ValueError(f"{option} {path}: is not empty; give another {option}, or --force")
    created = _create(path)
    output = Output(path, path / f".ign-{uuid4().hex[:8]}.part")
    try:
        output.work.mkdir()
        yield output
        _swap(output, option)
    finally:
        shutil.rmtree(output.work, ignore_errors=True)
        with suppress(OSError):
            for folder in created:
                folder.rmdir()  # fails, as it should, where the results are


def _create(path: Path) -> list[Path]:
    """Create a folder and its parents, and return those that were missing, the deepest first."""
    missing = [folder for folder in (path, *path.parents) if not os.path.lexists(folder)]
    path.mkdir(parents=True, exist_ok=True)
    return missing


def _swap(output: Output, option: str) -> None:
    """Move the results to their places, and remove the earlier ones that no new one replaces."""
    earlier = _listed(output.path)
    names = sorted(p.relative_to(output.work).as_posix() for p in _files(output.work))
    for name in names:
        place = output.path / name
        if os.path.lexists(place) and name not in earlier:
            raise ValueError(
                f"{option} {output.path}: {name} is there and was not written by ign; move it, or"
                f" give another {option}"
            )
        if not _lies_in(place, output.path):
            raise ValueError(
                f"{option} {output.path}: {name} would be written through a link that leads out of"
                f" the folder; remove the link, or give another {option}"
            )
        for parent in place.relative_to(output.path).parents:
            if (output.path / parent).exists() and not (output.path / parent).is_dir():
                raise ValueError(f"{option} {output.path}: {parent} is a file, not a folder")
    with atomic(output.path / MANIFEST) as file:  # names both while files are moved
        file.write_text(json.dumps({"files": sorted({*names, *earlier})}), encoding="utf-8")
    for name in names:
        (output.path / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(output.work / name, output.path / name)
    for name in earlier - set(names):
        _remove(output.path, name)
    with atomic(output.path / MANIFEST) as file:
        file.write_text(json.dumps({"files": names}, indent=1) + "\n", encoding="utf-8")


def _files(folder: Path) -> Iterator[Path]:
    return (p for p in folder.rglob("*") if not p.is_dir())


def _listed(folder: Path) -> set[str]:
    """The files of an earlier call; none where the manifest is missing or damaged."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return set()
    inside = isinstance(found, list) and all(isinstance(n, str) and _inside(n) for n in found)
    return set(found) if inside else set()


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and path.parts != ()


def _lies_in(place: Path, folder: Path) -> bool:
    """Whether no link leads from a folder to a place outside of it."""
    return place.parent.resolve().is_relative_to(folder.resolve())


def _remove(folder: Path, name: str) -> None:
    """Remove a former result, and the folders in which nothing is left."""
    place = folder / name
    with suppress(OSError):
        if not _lies_in(place, folder):
            return
        place.unlink()
        for parent in list(PurePosixPath(name).parents)[:-1]:
            (folder / parent).rmdir()
