"""The layouts in which inspection data comes: which images are good, which are not, and masks."""

__all__ = ["Layout", "Part", "find_layout", "only_good"]

import csv
import io
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from zipfile import is_zipfile

from ign.core.text import printable
from ign.data.errors import DataError
from ign.data.files import File, list_folder, list_zip, member_name, open_zip

GOOD = ("good", "normal", "ok")
"""The names of folders of good images."""
MASKS = ("ground_truth", "masks", "mask")
"""The names of folders of masks."""
COLUMNS = {"object", "split", "label", "image", "mask"}
"""The columns of VisA's table of splits."""
TABLES = ("split_csv/1cls.csv", "1cls.csv")
LARGEST = 2**25
"""The largest size of a table in bytes."""

logger = logging.getLogger("ign.data")


@dataclass(frozen=True)
class Part:
    """An image of a part.

    Attributes:
        file: The image.
        defect: The name of the defect; empty if the part is good.
        mask: The mask, in which every value above 0 marks the defect; None if there is no mask.
    """

    file: File
    defect: str = ""
    mask: File | None = None


@dataclass(frozen=True)
class Layout:
    """The parts of a source by their use.

    Attributes:
        kind: ``MVTec AD``, ``VisA`` or ``plain folder``.
        train: Good images for training.
        test: Good images and defects that are held out; empty for a plain folder.
        masks: The number of masks.
    """

    kind: str
    train: list[Part]
    test: list[Part] = field(default_factory=list)
    masks: int = 0

    @property
    def defects(self) -> list[str]:
        """The names of the defects, sorted."""
        return sorted({part.defect for part in self.test if part.defect})

    def describe(self) -> str:
        """The layout in one line."""
        text = f"{self.kind}: {len(self.train):,} good images"
        if self.test:
            counts = Counter(part.defect or "good" for part in self.test)
            shown = ", ".join(f"{counts[name]:,} {printable(name)}" for name in sorted(counts))
            text += f" to train on; test: {shown}; {self.masks:,} masks"
        return text


def find_layout(path: str | Path) -> Layout:
    """Recognize the layout of a folder or zip.

    Args:
        path: A folder or zip in the layout of MVTec AD (``train/good``, ``test/good``,
            ``test/DEFECT``, ``ground_truth/DEFECT``) or VisA (a CSV file with the columns object,
            split, label, image and mask), or a plain folder or zip of good images.

    Raises:
        DataError: There are no good images, or the layout is ambiguous.
    """
    path = Path(path)
    if path.is_dir():
        files = list_folder(path).files
    elif path.is_file() and (is_zipfile(path) or path.suffix.lower() == ".zip"):
        files = list_zip(path).files
    else:
        raise DataError(f"data '{printable(path)}': is neither a folder nor a zip of images")
    if (table := _table(path, files)) is not None:
        return table
    roots = _roots(files)
    if len(roots) > 1:
        names = ", ".join(printable(root.rstrip("/") or ".") for root in sorted(roots)[:5])
        raise DataError(
            f"data '{printable(path)}': holds {len(roots)} parts with train/good ({names}); give"
            " the folder of one of them"
        )
    return _mvtec(files, *roots) if roots else _plain(path, files)


def only_good(path: str | Path, files: Sequence[File]) -> list[File]:
    """Leave out masks and images of defects, if the files are in the layout of MVTec AD.

    What is left out is logged.
    """
    roots = _roots(files)
    if not roots:
        return list(files)
    kept = [file for file in files if _folder_in(file, roots) in ("train/good", "test/good")]
    if left := len(files) - len(kept):
        masks = sum(_folder_in(f, roots).startswith("ground_truth/") for f in files)
        logger.warning(
            "data '%s': MVTec AD layout; %s good images are used, %s masks and %s other images are"
            " not", printable(path), f"{len(kept):,}", f"{masks:,}", f"{left - masks:,}",
        )  # fmt: skip
    return kept


def _roots(files: Iterable[File]) -> set[str]:
    """The prefixes of names before ``train/good/``."""
    found = set()
    for file in files:
        before, sign, _ = f"/{file.name}".rpartition("/train/good/")
        if sign:
            found.add(f"{before[1:]}/" if before else "")
    return found


def _folder_in(file: File, roots: Iterable[str]) -> str:
    """The first two folders of a name below its root."""
    for root in roots:
        if file.name.startswith(root):
            return "/".join(PurePosixPath(file.name.removeprefix(root)).parts[:-1][:2])
    return ""


def _mvtec(files: Sequence[File], root: str) -> Layout:
    kept = [f for f in files if f.name.startswith(root)]
    masks: dict[tuple[str, str], File] = {}
    for file in kept:
        folder, _, defect = _folder_in(file, [root]).partition("/")
        if folder in MASKS:
            masks[defect, PurePosixPath(file.name).stem.removesuffix("_mask")] = file
    train, test = [], []
    for file in kept:
        folder, _, defect = _folder_in(file, [root]).partition("/")
        if (folder, defect) == ("train", "good"):
            train.append(Part(file))
        elif folder == "test" and defect:
            good = defect.lower() in GOOD
            mask = None if good else masks.get((defect, PurePosixPath(file.name).stem))
            test.append(Part(file, "" if good else defect, mask))
    return Layout("MVTec AD", train, test, sum(part.mask is not None for part in test))


def _plain(path: Path, files: Sequence[File]) -> Layout:
    if not files:
        raise DataError(f"data '{printable(path)}': no images; give a folder of good images")
    folders = [tuple(p.lower() for p in PurePosixPath(f.name).parts[:-1]) for f in files]
    names = {name for parts in folders for name in parts}
    last = {parts[-1] if parts else "" for parts in folders}
    if (good := names & {*GOOD}) and last != good:
        raise DataError(
            f"data '{printable(path)}': has a folder {min(good)!r} and images elsewhere, so it is"
            " not clear which images are good; give the folder of good images, or use the layout"
            " train/good, test/good, test/DEFECT"
        )
    if odd := names & {*MASKS, "test", "defect", "defects", "anomaly", "bad"}:
        raise DataError(
            f"data '{printable(path)}': has a folder {min(odd)!r} but no train/good; put the good"
            " images into train/good, or give a folder with good images only"
        )
    return Layout("plain folder", [Part(file) for file in files])


def _table(path: Path, files: Sequence[File]) -> Layout | None:
    """The layout that VisA's table describes; None if there is no such table."""
    found = _rows_of(path)
    if found is None:
        return None
    base, rows = found
    by_name = {file.name: file for file in files}
    names = sorted({row["object"] for row in rows})
    here = [n for n in names if n == path.name] if base is None else names
    if len(here) != 1:
        raise DataError(
            f"data '{printable(path)}': VisA layout with {len(names)} objects"
            f" ({', '.join(map(printable, names[:5]))}); give the folder of one of them"
        )
    prefix, train, test = f"{here[0]}/" if base is None else base, list[Part](), list[Part]()
    for row in (r for r in rows if r["object"] == here[0]):
        image = _member(by_name, row["image"], prefix, base is None)
        if image is None:
            raise DataError(
                f"data '{printable(path)}': the table of splits lists"
                f" '{printable(row['image'])}', which is missing"
            )
        good = row["label"].strip().lower() in ("normal", *GOOD)
        mask = _member(by_name, row["mask"], prefix, base is None) if row["mask"] else None
        (train if row["split"] == "train" else test).append(
            Part(image, "" if good else "anomaly", None if good else mask)
        )
    if not (train := [part for part in train if not part.defect]):
        raise DataError(f"data '{printable(path)}': the table of splits has no good training image")
    return Layout("VisA", train, test, sum(part.mask is not None for part in test))


def _member(files: dict[str, File], name: str, prefix: str, inside: bool) -> File | None:
    return files.get(name.removeprefix(prefix) if inside else prefix + name)


def _rows_of(path: Path) -> tuple[str | None, list[dict[str, str]]] | None:
    """The prefix of the names in the table and its rows; a prefix of None for the object's folder.

    The table lies in the folder or zip, or beside the folder of the object.
    """
    if path.is_dir():
        places: list[tuple[str | None, Path]] = [("", path / name) for name in TABLES]
        places += [(None, path.parent / name) for name in TABLES]
        for base, place in places:
            if place.is_file() and place.stat().st_size <= LARGEST:
                rows = _parse(place.read_text(encoding="utf-8-sig", errors="replace"))
                known = rows and (base == "" or any(r["object"] == path.name for r in rows))
                if rows and known:
                    return base, rows
        return None
    with open_zip(str(path)) as archive:
        for member in archive.infolist():
            name = member_name(member)
            for table in TABLES:
                if f"/{name}".endswith(f"/{table}") and member.file_size <= LARGEST:
                    rows = _parse(archive.read(member).decode("utf-8-sig", "replace"))
                    if rows:
                        return name.removesuffix(table), rows
    return None


def _parse(text: str) -> list[dict[str, str]] | None:
    """The rows of a table of splits; None if it is another table."""
    reader = csv.DictReader(io.StringIO(text))
    if not {*(reader.fieldnames or ())} >= COLUMNS:
        return None
    return [{name: row[name] or "" for name in COLUMNS} for row in reader]
