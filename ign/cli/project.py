"""ign project: any image onto the data's manifold."""

__all__ = ["run"]

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ign.cli.common import (
    SHEET,
    SHOWN,
    applied,
    fresh_folder,
    load_model,
    natural,
    parse,
    read,
    result_name,
    seed,
    verb,
)
from ign.degrade import DEGRADATIONS
from ign.degrade import parse as degradation
from ign.view import pictures
from ign.view.stream import picture_files


def run(words: Sequence[str]) -> None:
    """Write each image's projection under its own name, and a sheet of the first."""
    parser = verb(
        "project",
        "Map images onto what the model was trained on: noisy or spoilt ones are restored. Writes"
        " OUT/NAME for each input, in the model's size, and OUT/_sheet.png with inputs above"
        " results.",
        f"HOW is one of {', '.join(DEGRADATIONS)}, or several with commas between. Their values"
        " follow after colons, in order or by name: noise:0.3, noise:variance=0.15, half:left.\n\n"
        "examples:\n"
        "  ign project mnist photo.png folder/ --out projected\n"
        "  ign project runs/mnist folder/ --degrade noise:0.3,half:left -k 2",
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="image files and folders")
    parser.add_argument(
        "--applications", "-k", type=natural, default=1, metavar="K",
        help="how often the network is applied",
    )  # fmt: skip
    parser.add_argument(
        "--tolerance", type=float, default=0.0, metavar="T",
        help="stop with an image when it moves by less than T in one application (mean absolute"
        " difference of values in [-1, 1])",
    )  # fmt: skip
    parser.add_argument("--degrade", metavar="HOW", help="spoil the images first; see below")
    parser.add_argument("--seed", type=seed, default=0, help="of what --degrade draws")
    parser.add_argument(
        "--out", type=Path, default=Path("projected"), metavar="FOLDER", help="where to write"
    )
    options = parse(parser, words)
    spoil = degradation(options.degrade) if options.degrade else None
    out = fresh_folder(options.out, options.force)
    model = load_model(options)
    shown: list[tuple[Tensor, ...]] = []
    count = 0
    with picture_files() as put:
        for files, images in read(model, options.inputs, options.batch_size, result_name):
            y = spoil(images, options.seed, count) if spoil else images
            results = model.project(
                y, options.applications, options.batch_size, options.tolerance
            ).cpu()
            put(results, [out / file.name for file in files])
            shown += [] if len(shown) >= SHOWN else list(zip(images, y, results, strict=True))
            del shown[SHOWN:]
            count += len(files)
    above, middle, below = (torch.stack(x) for x in zip(*shown, strict=True))
    rows = [("input", above), (applied(options.applications, "y"), below)]
    if spoil:
        rows.insert(1, (options.degrade, middle))
    note = pictures.first_of(len(shown), count)
    pictures.save(pictures.sheet(rows, note=note), out / SHEET)
    print(f"{count} images in {out}; see {out / SHEET}")
