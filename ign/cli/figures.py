"""ign figures: every figure of the paper, from one model."""

__all__ = ["run"]

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ign import data
from ign.cli.common import fresh_folder, load_model, parse, seed, verb
from ign.cli.edit import attribute
from ign.model import IGN
from ign.terminal import progress

KNOWN = {"mnist": ("mnist:0", "mnist:1", "brightness"), "digits": ("mnist:0", "mnist:1")}
FACES = ("faces:Smiling", "faces:Male", "faces:Blond_Hair")
IMAGES = 12


def run(words: Sequence[str]) -> None:
    """Write the figures and the page."""
    parser = verb(
        "figures",
        "Draw the paper's figures and interpolation videos from a model: OUT/fig-*.png, OUT/*.mp4\n"
        "and the page OUT/index.html. Nothing is picked: images and seeds are the first.",
        "example: ign figures runs/mnist --data mnist --out figures",
    )
    parser.add_argument(
        "--data", metavar="SOURCE",
        help="where held-out images come from: a named data set, a folder or a zip; without it,"
        " the small digits for a model of them, else samples",
    )  # fmt: skip
    parser.add_argument("--split", default="test", choices=data.splits.SPLITS, help="(test)")
    parser.add_argument("--seed", type=seed, default=0, help="of noise and degradations (0)")
    parser.add_argument(
        "--attribute", nargs="+", metavar="WHAT",
        help="of Figure 6, as in `ign edit arithmetic`; default: what suits the model's data",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("figures"), metavar="FOLDER", help="(figures)"
    )
    options = parse(parser, words)
    out = fresh_folder(options.out, options.force)
    from ign.figures import count, make

    model = load_model(options)
    measures = {what: attribute(what) for what in options.attribute or _attributes(model)}
    images = _images(model, options.data, options.split)
    with progress() as bar:
        task = bar.add_task("drawing", total=count())
        shown = make(model, out, images, options.seed, measures, lambda: bar.advance(task))
    print(f"look at {shown}")


def _attributes(model: IGN) -> Sequence[str]:
    """What a packaged feature net can tell of this model's images; their brightness if nothing."""
    name = str(model.about.get("data", "")).lower()
    if "celeba" in name and model.shape[0] == 3:
        return FACES
    return KNOWN.get(name, ("brightness",))


def _images(model: IGN, source: str | None, split: str) -> Tensor | None:
    """The first held-out images."""
    source = source or ("digits" if model.about.get("data") == "digits" else None)
    if source is None:
        return None
    images = data.load(
        source, split=split, size=model.shape[-1], gray=model.shape[0] == 1, limit=IMAGES
    )
    return images.batch(torch.arange(len(images)))
