"""ign edit interpolate and arithmetic: editing in the space of noise."""

__all__ = ["attribute", "run_arithmetic", "run_interpolate"]

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ign.cli.choices import INTERPOLATIONS
from ign.cli.common import SHEET, SHOWN, index, load_model, natural, number, parse
from ign.cli.edit_images import editing_parser
from ign.core.folder import output_folder
from ign.core.terminal import echo

if TYPE_CHECKING:
    from torch import Tensor


def run_interpolate(words: Sequence[str]) -> None:
    """Run ``ign edit interpolate``."""
    parser = editing_parser(
        "interpolate",
        "Interpolate between samples in the space of noise. Samples have the same numbers as"
        " in `ign sample`.",
        "mnist --samples 3 17 5 --video mp4",
    )
    parser.add_argument(
        "--samples", type=index, nargs="+", default=[0, 1], metavar="I", help="their numbers"
    )
    parser.add_argument(
        "--steps",
        type=natural,
        default=12,
        metavar="N",
        help="number of images from one sample to the next",
    )
    parser.add_argument(
        "--method", choices=INTERPOLATIONS, default="linear",
        help="how the noise is interpolated",
    )  # fmt: skip
    parser.add_argument(
        "--video", choices=("mp4", "gif"), nargs="+", default=[], metavar="KIND",
        help="write OUT/video.mp4, OUT/video.gif or both",
    )  # fmt: skip
    options = parse(parser, words)
    if len(options.samples) < 2 or options.steps < 2:
        raise ValueError("give at least two --samples, and --steps of at least 2")
    _write(options, _frames)


def _write(options: argparse.Namespace, write: Callable[[argparse.Namespace, Path], int]) -> None:
    """Write the results to the output folder, and print where they are."""
    with output_folder(options.out, options.force) as out:
        count = write(options, out.work)
    echo(f"{count} images in {options.out}; see {options.out / SHEET}")


def _frames(options: argparse.Namespace, out: Path) -> int:
    """Write the frames, the sheet and the videos, and return how many frames there are."""
    import torch

    from ign.edit import interpolate
    from ign.view import pictures, video

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
        video.write([pictures.enlarged(frame) for frame in frames], out / f"video.{kind}")
    return len(frames)


def run_arithmetic(words: Sequence[str]) -> None:
    """Run ``ign edit arithmetic``."""
    parser = editing_parser(
        "arithmetic",
        "Give samples an attribute: f(z + s (z+ - z-)). The direction is found from samples with"
        " the attribute and without it, given by number (--plus, --minus) or ranked by a"
        " measurement (--attribute).",
        "mnist --attribute mnist:0 --on 0 1 2 3",
    )
    parser.add_argument(
        "--plus", type=index, nargs="+", metavar="I", help="samples with the attribute"
    )
    parser.add_argument(
        "--minus", type=index, nargs="+", metavar="I", help="samples without the attribute"
    )
    parser.add_argument(
        "--attribute", metavar="WHAT",
        help="brightness, or a class of a feature network: mnist:0 to mnist:9, faces:Smiling,"
        " faces:Male, ...",
    )  # fmt: skip
    parser.add_argument(
        "--on", type=index, nargs="+", default=list(range(SHOWN)), metavar="I",
        help=f"samples to change (default: 0 to {SHOWN - 1})",
    )  # fmt: skip
    parser.add_argument(
        "--strength", type=number, default=1.0, metavar="S", help="strength s of the attribute"
    )
    options = parse(parser, words)
    if bool(options.attribute) == bool(options.plus and options.minus):
        raise ValueError("give --plus and --minus, or --attribute")
    _write(options, _changed)


def _changed(options: argparse.Namespace, out: Path) -> int:
    """Write the changed samples and the sheet, and return how many samples there are."""
    import torch

    from ign.edit import arithmetic, exemplars, find_exemplars
    from ign.project import applied
    from ign.view import pictures

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
    return len(after)


def attribute(what: str) -> "Callable[[Tensor], Tensor]":
    """Return a measure of an attribute in images, (B, C, H, W) to (B,).

    Raises:
        ValueError: There is no such attribute.
    """
    if what == "brightness":
        return lambda images: images.flatten(1).mean(1)
    from ign.evaluate import feature_net

    name, _, label = what.partition(":")
    net = feature_net(name)
    if label not in net.names:
        raise ValueError(f"attribute {what!r}: {name} knows {', '.join(net.names)}")
    return lambda images: net.logits(images)[:, net.names.index(label)]
