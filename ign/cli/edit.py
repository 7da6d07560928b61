"""ign edit: what lies under a mask, and ways through the space of noise."""

__all__ = ["run"]

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ign.cli.common import (
    SHEET,
    SHOWN,
    Input,
    Parser,
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
from ign.core import random
from ign.data import read_image
from ign.degrade import DEGRADATIONS, Mask
from ign.degrade import parse as degradation
from ign.edit import (
    METHODS,
    arithmetic,
    composite,
    exemplars,
    find_exemplars,
    inpaint,
    interpolate,
)
from ign.model import IGN
from ign.view import pictures
from ign.view.video import write

MASKS = [name for name, kind in DEGRADATIONS.items() if issubclass(kind, Mask)]
VERBS = {
    "inpaint": "let the network paint what a mask covers",
    "composite": "paste noise on a region of images, and project",
    "interpolate": "images, or a video, on the way from sample to sample",
    "arithmetic": "give samples an attribute: f(z + s (z+ - z-))",
}
LINES = "\n".join(f"  {name:12}{what}" for name, what in VERBS.items())


def run(words: Sequence[str]) -> None:
    """Run ``ign edit VERB MODEL ...``."""
    if not words or words[0] not in VERBS:
        parser = Parser(
            prog="ign edit",
            usage="ign edit VERB MODEL [options]        ign edit VERB --help",
            description="Edit images or samples.",
            epilog=f"verbs:\n{LINES}\n\n"
            "example:\n"
            "  ign edit inpaint mnist digits/ --hole half:right --keep -k 10",
        )
        parser.add_argument("verb", choices=tuple(VERBS), metavar="VERB", help=argparse.SUPPRESS)
        parser.parse_args(list(words[:1]))
    FUNCTIONS[words[0]](words[1:])


def _verb(name: str, description: str, example: str, images: bool = False) -> Parser:
    """The parser with what the verbs have in common; ``images``: of those that edit images."""
    examples = f"example:\n  ign edit {name} {example}"
    writes = WRITES if images else "numbered images and OUT/_sheet.png with all of them"
    parser = verb(f"edit {name}", f"{description} Writes {writes}.", examples)
    if images:
        parser.add_argument("inputs", nargs="+", metavar="INPUT", help="image files and folders")
        parser.add_argument(
            "--keep", action="store_true", help="leave the pixels outside of the region as they are"
        )
    parser.add_argument(
        "--applications", "-k", type=natural, default=1, metavar="K",
        help="how often the network is applied",
    )  # fmt: skip
    parser.add_argument("--seed", type=seed, default=0, help="of the noise")
    parser.add_argument(
        "--out", type=Path, default=Path(name), metavar="FOLDER", help="where to write"
    )
    return parser


def _inpaint(words: Sequence[str]) -> None:
    parser = _verb(
        "inpaint",
        "Fill what a mask covers with noise, and let the network paint there.",
        "mnist digits/ --hole half:right --keep -k 10",
        images=True,
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--mask", metavar="FILE", help="an image, bright where the network shall paint"
    )
    where.add_argument(
        "--hole", metavar="HOW", help=f"{', '.join(MASKS)}; for example half:left, rectangle:0.2"
    )
    parser.add_argument(
        "--variations", type=natural, default=1, metavar="N",
        help="results for each image, with noise of the seeds from --seed on",
    )  # fmt: skip
    options = parse(parser, words)
    model = load_model(options)
    holes = _holes(options, model)
    seeds = range(options.seed, options.seed + options.variations)

    def edit(images: Tensor, start: int) -> list[tuple[str, Tensor]]:
        index = torch.arange(start, start + len(images))
        mask = holes(index)
        masked = torch.where(mask, model.latents(index, options.seed).cpu(), images)
        how = options.keep, options.batch_size, start
        results = [inpaint(model, images, mask, options.applications, s, *how) for s in seeds]
        name = applied(options.applications, "y")
        numbers = [f" {n}" for n in range(1, len(seeds) + 1)] if len(seeds) > 1 else [""]
        return [("masked", masked), *zip([name + n for n in numbers], results, strict=True)]

    _files(options, model, edit, options.variations)


def _holes(options: argparse.Namespace, model: IGN) -> Callable[[Tensor], Tensor]:
    """From the numbers of images to their masks, (B, 1, H, W)."""
    sides = model.shape[1:]
    if options.mask:
        pixels = torch.tensor(read_image(options.mask, size=sides[0], gray=True))
        return lambda index: (pixels[None] > 127).expand(len(index), -1, -1, -1)
    kind = degradation(options.hole)
    if not isinstance(kind, Mask):
        raise ValueError(f"--hole {options.hole}: is no mask; choose {', '.join(MASKS)}")
    return lambda index: kind.holes(sides, random.keys(options.seed, "degrade", 0, index))


def _composite(words: Sequence[str]) -> None:
    parser = _verb(
        "composite",
        "Paste a part of one noise image on images, and let the network fit it in.",
        "runs/faces photos/ --at 8 20 --size 20 24",
        images=True,
    )
    parser.add_argument(
        "--at", type=int, nargs=2, default=(0, 0), metavar=("TOP", "LEFT"),
        help="where it goes, in pixels of the model",
    )  # fmt: skip
    parser.add_argument(
        "--size", type=natural, nargs=2, required=True, metavar=("H", "W"), help="how large it is"
    )
    options = parse(parser, words)
    model = load_model(options)
    (top, left), (height, width) = options.at, options.size
    patch = model.latents(torch.tensor([0]), options.seed)[0, :, :height, :width]
    if patch.shape[1:] != (height, width):
        raise ValueError(f"--size {height} {width}: this model's images are {model.shape[1:]}")

    def edit(images: Tensor, start: int) -> list[tuple[str, Tensor]]:
        how = options.applications, options.keep, options.batch_size
        done = composite(model, images, patch, top, left, *how)
        pasted = images.clone()
        pasted[..., top : top + height, left : left + width] = patch.to(images)
        return [("pasted", pasted), (applied(options.applications, "y"), done)]

    _files(options, model, edit)


def _files(
    options: argparse.Namespace,
    model: IGN,
    edit: Callable[[Tensor, int], list[tuple[str, Tensor]]],
    results: int = 1,
) -> None:
    """Edit images from disk: the last ``results`` of what ``edit`` gives are written, all shown."""
    out = fresh_folder(options.out, options.force)
    rows: list[tuple[str, Tensor]] = []
    count = 0
    for files, images in read(model, options.inputs, options.batch_size, result_name):
        made = [("input", images), *((name, x.cpu()) for name, x in edit(images, count))]
        for number, (_, x) in enumerate(made[-results:], start=1):
            _save(files, x, out, number if results > 1 else None)
        rows = rows or [(name, x[:SHOWN]) for name, x in made]
        count += len(files)
    note = pictures.first_of(len(rows[0][1]), count)
    pictures.save(pictures.sheet(rows, note=note), out / SHEET)
    print(f"{count * results} images in {out}; see {out / SHEET}")


def _save(files: Iterable[Input], images: Tensor, out: Path, number: int | None) -> None:
    for file, image in zip(files, images, strict=True):
        name = Path(file.name)
        pictures.save(image, out / (name.with_stem(f"{name.stem}-{number}") if number else name))


def _interpolate(words: Sequence[str]) -> None:
    parser = _verb(
        "interpolate",
        "Go from sample to sample through the space of noise. Samples are numbered as"
        " `ign sample` writes them.",
        "mnist --samples 3 17 5 --video mp4",
    )
    parser.add_argument(
        "--samples", type=int, nargs="+", default=[0, 1], metavar="I", help="their numbers"
    )
    parser.add_argument(
        "--steps", type=natural, default=12, metavar="N", help="images from one to the next"
    )
    parser.add_argument("--method", choices=METHODS, default="linear", help="the way between")
    parser.add_argument(
        "--video", choices=("mp4", "gif"), nargs="+", default=[], metavar="KIND",
        help="write OUT/video.mp4, OUT/video.gif or both",
    )  # fmt: skip
    options = parse(parser, words)
    if len(options.samples) < 2 or options.steps < 2 or min(options.samples) < 0:
        raise ValueError("give two --samples or more, each at least 0, and --steps of at least 2")
    out = fresh_folder(options.out, options.force)
    model = load_model(options)
    z = model.latents(torch.tensor(options.samples), options.seed)
    k, method = options.applications, options.method
    ways = interpolate(model, z[:-1], z[1:], options.steps, k, method, options.batch_size).cpu()
    frames = torch.cat([ways[0], *(way[1:] for way in ways[1:])])
    for i, frame in enumerate(frames):
        pictures.save(frame, out / f"{i:03d}.png")
    labels = zip(options.samples, options.samples[1:], strict=False)
    rows = [(f"{a} to {b}", way) for (a, b), way in zip(labels, ways, strict=True)]
    pictures.save(pictures.sheet(rows), out / SHEET)
    for kind in options.video:
        write([pictures.enlarged(frame) for frame in frames], out / f"video.{kind}")
    print(f"{len(frames)} images in {out}; see {out / SHEET}")


def _arithmetic(words: Sequence[str]) -> None:
    parser = _verb(
        "arithmetic",
        "Give samples an attribute: f(z + s (z+ - z-)). It is taken from samples with and without"
        " it, by number (--plus, --minus) or by a measure of the first samples of the seed"
        " (--attribute).",
        "mnist --attribute mnist:0 --on 0 1 2 3",
    )
    parser.add_argument("--plus", type=int, nargs="+", metavar="I", help="samples that have it")
    parser.add_argument("--minus", type=int, nargs="+", metavar="I", help="samples that do not")
    parser.add_argument(
        "--attribute", metavar="WHAT",
        help="brightness, or what a feature net tells: mnist:0 to mnist:9, faces:Smiling,"
        " faces:Male, ...",
    )  # fmt: skip
    parser.add_argument(
        "--on", type=int, nargs="+", default=list(range(SHOWN)), metavar="I",
        help=f"samples to change (default: 0 to {SHOWN - 1})",
    )  # fmt: skip
    parser.add_argument(
        "--strength", type=float, default=1.0, metavar="S", help="s, how much of it"
    )
    options = parse(parser, words)
    if bool(options.attribute) == bool(options.plus and options.minus):
        raise ValueError("give --plus and --minus, or --attribute")
    if min([*options.on, *(options.plus or []), *(options.minus or [])]) < 0:
        raise ValueError("the numbers of samples are at least 0")
    out = fresh_folder(options.out, options.force)
    model = load_model(options)
    if options.attribute:
        plus, minus = find_exemplars(model, attribute(options.attribute), seed=options.seed)
    else:
        labels = torch.tensor([True] * len(options.plus) + [False] * len(options.minus))
        both = torch.tensor(options.plus + options.minus)
        plus, minus = exemplars(model.latents(both, options.seed), labels)
    z = model.latents(torch.tensor(options.on), options.seed)
    k = options.applications
    before = model.trajectory(z, [k], options.batch_size, noise=True)[0].cpu()
    after = arithmetic(model, z, plus, minus, k, options.strength, options.batch_size).cpu()
    for i, image in zip(options.on, after, strict=True):
        pictures.save(image, out / f"{i:05d}.png")
    sheet = pictures.sheet(
        [(applied(k, "z"), before[:SHOWN]), ("changed", after[:SHOWN])],
        note=pictures.first_of(SHOWN, len(after)),
    )
    pictures.save(sheet, out / SHEET)
    print(f"{len(after)} images in {out}; see {out / SHEET}")


FUNCTIONS = {
    "inpaint": _inpaint,
    "composite": _composite,
    "interpolate": _interpolate,
    "arithmetic": _arithmetic,
}
WRITES = "OUT/NAME for each input, and OUT/_sheet.png with inputs, spoilt inputs and results"


def attribute(what: str) -> Callable[[Tensor], Tensor]:
    """How much of an attribute images have, (B, C, H, W) to (B,).

    Raises:
        ValueError: There is no such attribute.
    """
    if what == "brightness":
        return lambda images: images.flatten(1).mean(1)
    from ign.evaluate import feature_net

    name, _, said = what.partition(":")
    net = feature_net(name)
    if said not in net.names:
        raise ValueError(f"attribute {what!r}: {name} tells {', '.join(net.names)}")
    return lambda images: net.logits(images)[:, net.names.index(said)]
