"""ign edit inpaint and composite: editing a region of images."""

__all__ = ["editing_parser", "run_composite", "run_inpaint"]

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ign.cli.choices import MASKS
from ign.cli.common import (
    SHEET,
    SHOWN,
    Input,
    Parser,
    find_inputs,
    index,
    load_model,
    natural,
    parse,
    read_inputs,
    result_name,
    seed,
    shortened,
    verb,
)
from ign.core.folder import output_folder
from ign.core.terminal import echo

if TYPE_CHECKING:
    from torch import Tensor

    from ign import IGN

WRITES = "OUT/NAME.png for each input, and OUT/_sheet.png with inputs and results"


def editing_parser(name: str, description: str, example: str, images: bool = False) -> Parser:
    """The parser with the options that the verbs share; ``images`` for a verb that edits images."""
    examples = f"example:\n  ign edit {name} {example}"
    writes = WRITES if images else "numbered images and OUT/_sheet.png with all of them"
    parser = verb(f"edit {name}", f"{description} Writes {writes}.", examples)
    if images:
        parser.add_argument("inputs", nargs="+", metavar="INPUT", help="image files and folders")
        parser.add_argument(
            "--keep", action="store_true", help="keep the pixels outside the region exactly"
        )
    parser.add_argument(
        "--out", type=Path, default=Path(name), metavar="FOLDER", help="where to write"
    )
    parser.add_argument("--seed", type=seed, default=0, help="seed of the noise")
    parser.add_argument(
        "--applications", "-k", type=natural, default=1, metavar="K",
        help="how often the network is applied",
    )  # fmt: skip
    return parser


def run_inpaint(words: Sequence[str]) -> None:
    """Run ``ign edit inpaint``."""
    parser = editing_parser(
        "inpaint",
        "Fill the hole that a mask marks with noise, and let the network paint there.",
        "mnist digits/ --hole half:right --keep -k 10",
        images=True,
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--mask", metavar="FILE",
        help="an image that is bright in the hole, or an image with a transparent background on"
        " which the hole is painted in one colour",
    )  # fmt: skip
    where.add_argument(
        "--hole", metavar="HOW", help=f"{', '.join(MASKS)}; for example half:left, rectangle:0.2"
    )
    parser.add_argument(
        "--variations", type=natural, default=1, metavar="N",
        help="number of results for each image, with the seeds from --seed on",
    )  # fmt: skip
    options = parse(parser, words)
    _files(options, _inpainting, options.variations)


Edit = Callable[["Tensor", int], "list[tuple[str, Tensor]]"]
"""From images and the number of the first to the named rows of a sheet."""


def _inpainting(options: argparse.Namespace, model: "IGN") -> Edit:
    import torch

    from ign.edit import inpaint
    from ign.project import applied

    holes = _holes(options, model)
    seeds = range(options.seed, options.seed + options.variations)

    def edit(images: "Tensor", start: int) -> "list[tuple[str, Tensor]]":
        numbers = torch.arange(start, start + len(images))
        mask = holes(numbers)
        masked = torch.where(mask, model.latents(numbers, options.seed).cpu(), images)
        how = options.keep, options.batch_size, start
        results = [inpaint(model, images, mask, options.applications, s, *how) for s in seeds]
        name = applied(options.applications, "y")
        numbered = [f"{name} {n}" for n in range(1, len(seeds) + 1)] if len(seeds) > 1 else [name]
        return [("masked", masked), *zip(numbered, results, strict=True)]

    return edit


def _holes(options: argparse.Namespace, model: "IGN") -> "Callable[[Tensor], Tensor]":
    """From the numbers of images to their masks, (B, 1, H, W)."""
    from ign.cli.mask import note_sizes, read_mask
    from ign.core import random
    from ign.degrade import Mask
    from ign.degrade import parse as degradation

    sides = model.shape[1:]
    if options.mask is not None:
        mask = read_mask(options.mask, sides[0])
        note_sizes(options.mask, (one.path for one in find_inputs(options.inputs)))
        return lambda numbers: mask[None].expand(len(numbers), -1, -1, -1)
    kind = degradation(options.hole)
    if not isinstance(kind, Mask):
        raise ValueError(f"--hole {options.hole}: is not a mask; choose {', '.join(MASKS)}")
    return lambda numbers: kind.holes(sides, random.keys(options.seed, "degrade", 0, numbers))


def run_composite(words: Sequence[str]) -> None:
    """Run ``ign edit composite``."""
    parser = editing_parser(
        "composite",
        "Paste a rectangle of noise on images, and let the network fit it in.",
        "runs/faces photos/ --at 8 20 --size 20 24",
        images=True,
    )
    parser.add_argument(
        "--at", type=index, nargs=2, default=(0, 0), metavar=("TOP", "LEFT"),
        help="position of the rectangle, in pixels of the model",
    )  # fmt: skip
    parser.add_argument(
        "--size",
        type=natural,
        nargs=2,
        required=True,
        metavar=("H", "W"),
        help="size of the rectangle",
    )
    options = parse(parser, words)
    _files(options, _compositing)


def _compositing(options: argparse.Namespace, model: "IGN") -> Edit:
    import torch

    from ign.edit import composite
    from ign.project import applied

    (top, left), (height, width) = options.at, options.size
    patch = model.latents(torch.tensor([0]), options.seed)[0, :, :height, :width]
    if patch.shape[1:] != (height, width):
        sides = "x".join(map(str, model.shape[1:]))
        raise ValueError(f"--size {height} {width}: this model's images are {sides}")

    def edit(images: "Tensor", start: int) -> "list[tuple[str, Tensor]]":
        how = options.applications, options.keep, options.batch_size
        done = composite(model, images, patch, top, left, *how)
        pasted = images.clone()
        pasted[..., top : top + height, left : left + width] = patch.to(images)
        return [("pasted", pasted), (applied(options.applications, "y"), done)]

    return edit


def _files(
    options: argparse.Namespace,
    editing: "Callable[[argparse.Namespace, IGN], Edit]",
    results: int = 1,
) -> None:
    """Edit images from disk, write the last ``results`` of each edit, and show all on a sheet."""
    count = 0
    rows: list[tuple[str, Tensor]] = []
    with output_folder(options.out, options.force) as out:
        from ign.view import pictures

        model = load_model(options)
        edit = editing(options, model)
        for files, images in read_inputs(model, options.inputs, options.batch_size, result_name):
            made = [("input", images), *((name, x.cpu()) for name, x in edit(images, count))]
            for number, (_, x) in enumerate(made[-results:], start=1):
                _save(files, x, out.work, f"-{number}" if results > 1 else "")
            rows = rows or [(name, x[:SHOWN]) for name, x in made]
            count += len(files)
        note = pictures.first_of(len(rows[0][1]), count)
        pictures.save(pictures.sheet(rows, note=note), out.work / SHEET)
    echo(f"{count * results} images in {options.out}; see {options.out / SHEET}")


def _save(files: Iterable[Input], images: "Tensor", out: Path, end: str) -> None:
    from ign.view import pictures

    for file, image in zip(files, images, strict=True):
        pictures.save(image, out / shortened(Path(file.name), end))
