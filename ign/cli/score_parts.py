"""ign score with an inspector: scores, flags, maps and a page for images of parts."""

__all__ = ["COLUMNS", "run", "watch"]

import argparse
import csv
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ign.cli.common import Input, distinct, find_inputs, new_file, pick_device, shortened
from ign.core.files import atomic
from ign.core.folder import Output, output_folder
from ign.core.table import save_csv, write_csv
from ign.core.terminal import echo, progress

if TYPE_CHECKING:
    from torch import Tensor

    from ign.inspection import Inspector

COLUMNS = ("file", "score", "percentile", "flag", "threshold", "peak")
"""The columns of the table: ``peak`` is the largest value of the map."""
PAUSE = 0.5
"""The seconds between two looks at a watched folder."""


class Row(NamedTuple):
    """The result for an image."""

    name: str
    path: Path
    score: float
    percentile: float | None
    flag: bool
    peak: float
    picture: str = ""

    def cells(self, threshold: float | None) -> tuple[str, ...]:
        known = threshold is not None
        return (
            self.name, f"{self.score:.6g}", f"{self.percentile:.1f}" if known else "",
            str(int(self.flag)) if known else "", f"{threshold:.6g}" if known else "",
            f"{self.peak:.6g}",
        )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Score the images, and write the table, the maps and the page."""
    from ign.inspection import load_inspector

    inspector = load_inspector(options.model, pick_device(options.device))
    if options.score:
        _rescore(inspector, options.score)
    if options.watch:
        watch(inspector, options)
        return
    out = new_file(options.out, options.force) if options.out else None
    inputs = find_inputs(options.inputs)
    with ExitStack() as stack:
        folders = {
            name: stack.enter_context(output_folder(path, options.force, f"--{name}"))
            for name in ("maps", "page")
            if (path := getattr(options, name))
        }
        rows = _score(inspector, inputs, folders, options)
        threshold = _threshold(inspector)
        table = [COLUMNS, *(row.cells(threshold) for row in rows)]
        if out:
            save_csv(out, table)
        if "page" in folders:
            from ign.inspection.page import write_report

            write_report(folders["page"].work, rows, inspector, str(options.model))
    _tell(rows, table, inspector, options)


def _tell(
    rows: Sequence[Row], table: Sequence[Sequence[str]], inspector: "Inspector",
    options: argparse.Namespace,
) -> None:  # fmt: skip
    """Print the table, or where it is and how many images are flagged."""
    from ign.cli.score import show

    known = inspector.calibration
    if known is None:
        echo(f"not calibrated: no flags; ign calibrate {options.model} --data GOOD", error=True)
    places = [f"{n} in {p}" for n in ("maps", "page") if (p := getattr(options, n))]
    if options.out:
        flagged = f", {sum(row.flag for row in rows)} flagged" if known else ""
        echo("; ".join([f"{len(rows)} scores in {options.out}{flagged}", *places]))
    else:
        show([tuple(line[:4]) for line in table[1:]], [tuple(line) for line in table])


def _rescore(inspector: "Inspector", score: str) -> None:
    """Use another part of the map for the score; the calibration is for the trained one."""
    if score != inspector.score:
        inspector.score, inspector.calibration = score, None


def _threshold(inspector: "Inspector") -> float | None:
    known = inspector.calibration
    return known.thresholds["image"] if known else None


def _score(
    inspector: "Inspector",
    inputs: Sequence[Input],
    folders: dict[str, Output],
    options: argparse.Namespace,
) -> list[Row]:
    """The rows, worst first in the page and in the order of the files in the table."""
    from ign.inspection.pictures import write_maps

    rows, broken, taken = list[Row](), 0, set[str]()
    with progress() as bar:
        task = bar.add_task("scoring", total=len(inputs))
        for one in inputs:
            found = _score_one(inspector, one)
            bar.advance(task)
            if found is None:
                broken += 1
                continue
            row, image, values = found
            if folders:
                picture = distinct(shortened(Path(row.name).with_suffix(".png"), "-map"), taken)
                row = row._replace(picture=picture)
            for name, folder in folders.items():
                raw = options.raw and name == "maps"
                write_maps(image, values, inspector, folder.work / row.picture, raw)
            rows.append(row)
    if broken == len(inputs):
        raise ValueError(f"none of {broken} images can be read")
    if broken:
        echo(f"skipped {broken} of {len(inputs)} images", error=True)
    return rows


def _score_one(inspector: "Inspector", one: Input) -> "tuple[Row, Tensor, Tensor] | None":
    """The result for an image, the image and its map; None if it cannot be read, with a message."""
    import torch

    from ign.data import DataError, read_image

    try:
        image = torch.from_numpy(read_image(one.path, None, False, inspector.value_range))
    except DataError as error:
        echo(f"skipped: {' '.join(str(error).split())}", error=True)
        return None
    found, known = inspector.inspect(image[None]), inspector.calibration
    share = float(known.percentile(found.score, "image")[0]) if known else None
    peak = float(found.map.max())
    row = Row(one.name, one.path, float(found.score[0]), share, bool(found.flag[0]), peak)
    return row, image, found.map[0]


def watch(inspector: "Inspector", options: argparse.Namespace) -> None:
    """Score new images of a folder as they arrive, one line and one row each, until Ctrl-C.

    An image is read when its size has not changed between two looks. Images whose names the table
    already has are skipped, so that a restart continues where it ended.
    """
    [folder] = [Path(text) for text in options.inputs]
    if not folder.is_dir():
        raise ValueError(f"--watch: {folder} is not a folder")
    if not options.out:
        raise ValueError("--watch needs --out FILE, the table to which rows are appended")
    done, threshold = _known(options.out), _threshold(inspector)
    echo(f"watching {folder}; {len(done)} images are in {options.out}; Ctrl-C ends it", error=True)
    for one in _arrivals(folder, done, options.watch_seconds):
        found = _score_one(inspector, one)
        if found is None:
            continue
        row, new = found[0], not options.out.exists()
        with open(options.out, "a", encoding="utf-8", newline="") as file:
            write_csv(file, ([COLUMNS] if new else []) + [row.cells(threshold)])
        kind = "" if threshold is None else "FLAGGED  " if row.flag else "ok       "
        echo(f"{kind}{row.score:.6g}  {one.name}")


def _known(out: Path) -> set[str]:
    """The names in the table; an incomplete last line, which a crash may leave, is removed."""
    if not out.exists():
        return set()
    content = out.read_bytes()
    if content and not content.endswith(b"\n"):
        content = content[: content.rfind(b"\n") + 1]
        with atomic(out) as place:
            place.write_bytes(content)
    rows = csv.DictReader(content.decode("utf-8", "replace").splitlines())
    if rows.fieldnames is not None and tuple(rows.fieldnames) != COLUMNS:
        raise ValueError(f"--out {out}: is not a table of ign score; give another --out")
    return {row["file"] for row in rows}


def _arrivals(folder: Path, done: set[str], seconds: float | None) -> Iterator[Input]:
    """Yield new complete images in order, until the given number of seconds has passed."""
    from ign.core.table import cell
    from ign.data.files import list_folder

    start, sizes = time.monotonic(), dict[str, tuple[int, int]]()
    while True:
        for file in list_folder(folder).files:
            state = (file.size, file.stamp)
            if cell(file.name) in done:
                continue
            if sizes.get(file.name) == state:
                done.add(cell(file.name))
                yield Input(file.name, Path(file.path))
            sizes[file.name] = state
        if seconds is not None and time.monotonic() - start > seconds:
            return
        time.sleep(PAUSE)
