"""ign project: any image onto the data's manifold."""

__all__ = ["run"]

from collections.abc import Sequence
from pathlib import Path

import torch

from ign import pictures
from ign.cli.common import applied, fresh_folder, load_model, natural, parse, read, verb

SHOWN = 12
SHEET = "_sheet.png"
WRITABLE = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


def run(words: Sequence[str]) -> None:
    """Write each image's projection under its own name, and a sheet of the first."""
    parser = verb(
        "project",
        "Map images onto the data's manifold: OUT/NAME for each input, in the model's size,\n"
        "and OUT/_sheet.png with inputs above projections.",
        "example: ign project runs/mnist photo.png folder/ --out projected",
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="image files and folders")
    parser.add_argument(
        "--applications", "-k", type=natural, default=1, metavar="K",
        help="how often the network is applied (1)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("projected"), metavar="FOLDER", help="(projected)"
    )
    options = parse(parser, words)
    out = fresh_folder(options.out, options.force)
    model = load_model(options)
    shown: list[tuple[torch.Tensor, torch.Tensor]] = []
    count = 0
    for files, images in read(model, options.inputs, options.batch_size, _name):
        results = model.project(images, options.applications, options.batch_size).cpu()
        for file, result in zip(files, results, strict=True):
            pictures.save(result, out / file.name)
        shown += zip(images, results, strict=True) if len(shown) < SHOWN else ()
        count += len(files)
    above, below = (torch.stack(x) for x in zip(*shown[:SHOWN], strict=True))
    rows = [("input", above), (applied(options.applications, "y"), below)]
    pictures.save(pictures.sheet(rows), out / SHEET)
    print(f"{count} images in {out}; see {out / SHEET}")


def _name(name: str) -> str:
    """The input's name, as PNG where its kind cannot be written, and never the sheet's."""
    path = Path(name)
    path = path if path.suffix.lower() in WRITABLE else path.with_suffix(".png")
    return f"_{path}" if str(path) == SHEET else str(path)
