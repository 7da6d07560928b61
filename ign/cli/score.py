"""ign score: how far images are from the data."""

__all__ = ["run", "show"]

import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ign.cli.choices import SCORES, TOPS
from ign.cli.common import (
    Input,
    distinct,
    is_inspector_name,
    load_model,
    new_file,
    parse,
    positive,
    read_inputs,
    shortened,
    verb,
)
from ign.core.folder import output_folder
from ign.core.table import save_csv, write_csv
from ign.core.terminal import console_on, echo
from ign.core.text import printable

if TYPE_CHECKING:
    from torch import Tensor

FLAGS = {"1": "flagged", "0": "ok", "": ""}
"""The text of the column ``flag`` in a terminal."""
Row = tuple[str, ...]


def run(words: Sequence[str]) -> None:
    """Write one row for each image: file, score, percentile among clean images, flag."""
    parser = verb(
        "score",
        "Measure how far each image is from the data. Shows a table, or writes it as CSV to a file"
        " or a pipe:\n"
        "  file        the image\n"
        "  score       how far the network moves the image; small on the data\n"
        "  percentile  percentage of clean images whose score is not larger\n"
        "  flag        1 if the score is above the threshold, otherwise 0\n"
        "The last two are empty until `ign calibrate` has scored clean images. Control characters"
        " in names are escaped, and a name that a spreadsheet would compute gets a ' in front.",
        "examples:\n"
        "  ign score mnist photo.png\n"
        "  ign score runs/mnist folder/ --out scores.csv --maps maps",
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="image files and folders")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the CSV file to write")
    parser.add_argument(
        "--score", choices=(*SCORES, *TOPS),
        help="displacement D(f(y), y), or residual D(f(f(y)), f(y)); for a model of train inspect"
        " max, top or mean: the part of the map whose mean is the score (default: displacement, or"
        " as the model was calibrated)",
    )  # fmt: skip
    parser.add_argument(
        "--maps", type=Path, metavar="FOLDER",
        help="write NAME-map.png for each image: the image, f(y), and a map of their difference,"
        " from black for 0 to yellow for half of the range of values",
    )  # fmt: skip
    group = parser.add_argument_group("models of train inspect")
    group.add_argument(
        "--page", type=Path, metavar="FOLDER",
        help="write a page with all images and their maps, the worst first",
    )  # fmt: skip
    group.add_argument(
        "--raw", action="store_true", help="write the values of each map as NAME-map.npy to --maps"
    )
    group.add_argument(
        "--watch", action="store_true",
        help="score new images in the folder INPUT as they arrive, and append them to --out, until"
        " Ctrl-C",
    )  # fmt: skip
    group.add_argument(
        "--watch-seconds", type=positive, metavar="S", help="end --watch after S seconds"
    )
    options = parse(parser, words)
    if is_inspector_name(options.model):
        from ign.cli import score_parts

        if options.score in SCORES:
            raise ValueError(
                f"--score {options.score}: {options.model} is a model of train inspect; choose"
                f" {', '.join(TOPS)}"
            )
        score_parts.run(options)
        return
    for name in ("page", "raw", "watch"):
        if getattr(options, name):
            raise ValueError(f"--{name}: needs a model of train inspect, not {options.model}")
    options.score = options.score or "displacement"
    if options.score not in SCORES:
        raise ValueError(
            f"--score {options.score}: needs a model of train inspect; choose {', '.join(SCORES)}"
        )
    out = new_file(options.out, options.force) if options.out else None
    folder = output_folder(options.maps, options.force, "--maps") if options.maps else None
    with folder or nullcontext() as maps:
        rows, calibrated = _rows(options, maps.work if maps else None)
        if out:
            from ign.anomaly import COLUMNS

            save_csv(out, [COLUMNS, *rows])
    if not calibrated:
        echo(
            f"not calibrated: no percentiles or flags; ign calibrate {options.model} --data CLEAN",
            error=True,
        )
    flagged = sum(row[-1] == "1" for row in rows)
    summary = f", {flagged} flagged" if calibrated else ""
    if out:
        echo(
            f"{len(rows)} scores in {out}{summary}" + (f"; maps in {options.maps}" if maps else "")
        )
    else:
        show(rows)


def _rows(options: Namespace, maps: Path | None) -> tuple[list[Row], bool]:
    """The rows of the table, and whether the model is calibrated; writes the maps."""
    from ign import anomaly

    model = load_model(options)
    rows, taken = list[Row](), set[str]()
    for files, images in read_inputs(model, options.inputs, options.batch_size):
        if maps:
            scores, moved, projected = (
                x.cpu() for x in model.analyze(images, options.score, len(images))
            )
            _draw(files, (images, projected, moved), maps, taken)
        else:
            scores = model.score(images, options.score, len(images)).cpu()
        cells = anomaly.table_rows(scores, options.score, model.calibration)
        rows += [(file.name, *row) for file, row in zip(files, cells, strict=True)]
    return rows, model.calibration is not None


def show(rows: Sequence[Row], full: Sequence[Row] | None = None) -> None:
    """Print the table on a terminal, or CSV to a file or a pipe.

    Args:
        rows: The first four columns.
        full: The lines of the CSV if it has more columns, headings included.
    """
    from ign.anomaly import COLUMNS

    if not sys.stdout.isatty():
        write_csv(sys.stdout, full or [COLUMNS, *rows])
        return
    from rich.table import Table

    table = Table(box=None)
    for i, name in enumerate(COLUMNS):
        table.add_column(name, justify="right" if i in (1, 2) else "left", overflow="fold")
    for name, score, percentile, flag in rows:
        table.add_row(printable(name, 10_000), score, percentile, FLAGS[flag])
    console_on().print(table)


def _draw(
    files: list[Input], tensors: "tuple[Tensor, Tensor, Tensor]", folder: Path, taken: set[str]
) -> None:
    """Write the images, their projections and their maps, side by side."""
    import torch

    from ign.view import pictures

    images, projected, moved = tensors
    for file, *three in zip(files, images, projected, pictures.heat(moved), strict=True):
        row = torch.stack([x.expand(3, -1, -1) for x in three])
        place = distinct(shortened(Path(file.name).with_suffix(".png"), "-map"), taken)
        pictures.save(pictures.sheet([("", row)]), folder / place)
