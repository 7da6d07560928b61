"""ign project: any image onto the data's manifold."""

__all__ = ["run"]

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ign.cli.choices import DEGRADATIONS
from ign.cli.common import (
    SHEET,
    SHOWN,
    load_model,
    natural,
    number,
    parse,
    read_inputs,
    result_name,
    seed,
    verb,
)
from ign.core.folder import output_folder
from ign.core.terminal import echo
from ign.core.text import printable

if TYPE_CHECKING:
    from torch import Tensor

    from ign.degrade import Degradation


def run(words: Sequence[str]) -> None:
    """Write the projection of each image, and a sheet of the first."""
    parser = verb(
        "project",
        "Map images onto what the model was trained on: noisy or damaged images are restored."
        " Writes OUT/NAME.png for each input, in the model's size, and OUT/_sheet.png with inputs"
        " above results.",
        f"HOW is one of {', '.join(DEGRADATIONS)}, or several separated by commas. Their values"
        " follow after a colon, in order or by name: noise:0.3, noise:variance=0.15, half:left.\n\n"
        "examples:\n"
        "  ign project mnist photo.png folder/ --out projected\n"
        "  ign project runs/mnist folder/ --degrade noise:0.3,half:left -k 2",
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="image files and folders")
    parser.add_argument(
        "--out", type=Path, default=Path("projected"), metavar="FOLDER", help="where to write"
    )
    parser.add_argument("--degrade", metavar="HOW", help="degrade the images first, see below")
    parser.add_argument(
        "--seed", type=seed, default=0, help="seed of the random numbers of --degrade"
    )
    parser.add_argument(
        "--applications", "-k", type=natural, default=1, metavar="K",
        help="how often the network is applied",
    )  # fmt: skip
    parser.add_argument(
        "--tolerance", type=number, default=0.0, metavar="T",
        help="stop when an image moves by less than T in one application (mean absolute"
        " difference of values in [-1, 1])",
    )  # fmt: skip
    options = parse(parser, words)
    if options.tolerance < 0:
        raise ValueError(f"--tolerance {options.tolerance} must be at least 0")
    with output_folder(options.out, options.force) as out:
        count = _project(options, out.work)
    echo(f"{count} images in {options.out}; see {options.out / SHEET}")


def _project(options: Namespace, out: Path) -> int:
    """Write the projections and the sheet, and return how many images there are."""
    from ign.degrade import parse as degradation
    from ign.view import pictures
    from ign.view.stream import picture_files

    degrade: Degradation | None = degradation(options.degrade) if options.degrade else None
    model = load_model(options)
    shown: list[tuple[Tensor, ...]] = []
    count = 0
    with picture_files() as put:
        for files, images in read_inputs(model, options.inputs, options.batch_size, result_name):
            y = degrade(images, options.seed, count) if degrade else images
            results = model.project(
                y, options.applications, options.batch_size, options.tolerance
            ).cpu()
            put(results, [out / file.name for file in files])
            shown += [] if len(shown) >= SHOWN else list(zip(images, y, results, strict=True))
            del shown[SHOWN:]
            count += len(files)
    note = pictures.first_of(len(shown), count)
    pictures.save(pictures.sheet(_rows(options, shown), note=note), out / SHEET)
    return count


def _rows(options: Namespace, shown: "list[tuple[Tensor, ...]]") -> "list[tuple[str, Tensor]]":
    """The rows of the sheet: inputs, degraded inputs if there are any, and results."""
    import torch

    from ign.project import applied

    above, middle, below = (torch.stack(x) for x in zip(*shown, strict=True))
    rows = [("input", above), (applied(options.applications, "y"), below)]
    if options.degrade:
        rows.insert(1, (printable(options.degrade), middle))
    return rows
