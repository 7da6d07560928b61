"""ign score: how far images are from the data."""

__all__ = ["run"]

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ign import anomaly
from ign.anomaly import COLUMNS, SCORES
from ign.cli.common import Input, fresh_file, fresh_folder, load_model, parse, read, verb
from ign.core.files import atomic
from ign.view import pictures


def run(words: Sequence[str]) -> None:
    """Write one row for each image: file, score, percentile among clean images, flag."""
    parser = verb(
        "score",
        "Measure how far each image is from the data. Writes a table (CSV) to standard output or"
        " to a file:\n"
        "  file        the image\n"
        "  score       how far the network moves it: small on the data\n"
        "  percentile  share of clean images with a score no larger, in percent\n"
        "  flag        1 where the score is over the threshold, else 0\n"
        "The last two are empty until `ign calibrate` has seen clean images.",
        "examples:\n"
        "  ign score mnist photo.png\n"
        "  ign score runs/mnist folder/ --out scores.csv --maps maps",
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="image files and folders")
    parser.add_argument(
        "--score", choices=tuple(SCORES), default="displacement",
        help="displacement D(f(y), y), or residual D(f(f(y)), f(y))",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FILE", help="the table's file")
    parser.add_argument(
        "--maps", type=Path, metavar="FOLDER",
        help="write NAME.png for each image: the image, f(y), and where it was moved, from black"
        " for 0 to yellow for half of the range of values",
    )  # fmt: skip
    options = parse(parser, words)
    out = fresh_file(options.out, options.force) if options.out else None
    maps = fresh_folder(options.maps, options.force, "--maps") if options.maps else None
    model = load_model(options)
    rows: list[tuple[str, ...]] = []
    for files, images in read(model, options.inputs, options.batch_size):
        if maps:
            scores, moved, projected = (
                x.cpu() for x in model.analyze(images, options.score, len(images))
            )
            _draw(files, images, moved, projected, maps)
        else:
            scores = model.score(images, options.score, len(images)).cpu()
        cells = anomaly.table_rows(scores, options.score, model.calibration)
        rows += [(file.name, *words) for file, words in zip(files, cells, strict=True)]
    if model.calibration is None:
        print(
            f"not calibrated: no percentiles, no flags; ign calibrate {options.model} --data CLEAN",
            file=sys.stderr,
        )
    if out is None:
        csv.writer(sys.stdout, lineterminator="\n").writerows([COLUMNS, *rows])
        return
    with atomic(out) as path, open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    flagged = sum(row[-1] == "1" for row in rows)
    told = f", {flagged} flagged" if model.calibration else ""
    print(f"{len(rows)} scores in {out}{told}" + (f"; maps in {maps}" if maps else ""))


def _draw(
    files: list[Input], images: Tensor, moved: Tensor, projected: Tensor, folder: Path
) -> None:
    """The image, its projection and the map, side by side."""
    for file, *three in zip(files, images, projected, pictures.heat(moved), strict=True):
        row = torch.stack([x.expand(3, -1, -1) for x in three])
        pictures.save(pictures.sheet([("", row)]), folder / f"{file.name}.png")
