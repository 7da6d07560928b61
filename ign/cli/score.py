"""ign score: how far images are from the data."""

__all__ = ["run"]

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from ign.cli.common import load_model, parse, read, verb
from ign.files import atomic


def run(words: Sequence[str]) -> None:
    """Write one row for each image: file, drift."""
    parser = verb(
        "score",
        "Measure how far the network moves each image, the drift D(f(y), y): small on the data.\n"
        "Writes CSV with the columns file and drift, to standard output or to --out.",
        "example: ign score runs/mnist folder/ --out scores.csv",
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="image files and folders")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a CSV file")
    options = parse(parser, words)
    if options.out and options.out.is_dir():
        raise ValueError(f"--out {options.out}: is a folder; give a file")
    if options.out and options.out.exists() and not options.force:
        raise ValueError(f"--out {options.out}: exists; give another --out, or --force")
    model = load_model(options)
    rows = [
        (file.name, f"{value:.6g}")
        for files, images in read(model, options.inputs, options.batch_size)
        for file, value in zip(files, model.drift(images).tolist(), strict=True)
    ]
    table = [("file", "drift"), *rows]
    if options.out is None:
        csv.writer(sys.stdout, lineterminator="\n").writerows(table)
        return
    with atomic(options.out) as path, open(path, "w", newline="") as file:
        csv.writer(file).writerows(table)
    print(f"{len(rows)} scores in {options.out}")
