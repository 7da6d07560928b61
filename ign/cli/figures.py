"""ign figures: every figure of the paper, from one model."""

__all__ = ["run"]

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ign.cli.choices import SPLITS
from ign.cli.common import load_model, parse, seed, verb
from ign.cli.edit_samples import attribute
from ign.core.folder import output_folder
from ign.core.terminal import echo, progress

if TYPE_CHECKING:
    from torch import Tensor

    from ign import IGN

KNOWN = {"mnist": ("mnist:0", "mnist:1", "brightness"), "digits": ("mnist:0", "mnist:1")}
FACES = ("faces:Smiling", "faces:Male", "faces:Blond_Hair")
IMAGES = 12


def run(words: Sequence[str]) -> None:
    """Write the figures and the page."""
    parser = verb(
        "figures",
        "Draw the paper's figures and videos from a model. Writes OUT/fig-*.png, OUT/*.mp4 and the"
        " page OUT/index.html that shows them. Images and seeds are the first ones, not selected.",
        "example:\n  ign figures runs/mnist --data mnist --out figures",
    )
    parser.add_argument(
        "--data", metavar="DATA",
        help="held-out images: a named data set, a folder or a zip (default: the small digits for"
        " a model trained on them, else samples)",
    )  # fmt: skip
    parser.add_argument("--split", default="test", choices=SPLITS, help="part of the data")
    parser.add_argument("--seed", type=seed, default=0, help="seed of noise and degradations")
    parser.add_argument(
        "--attribute", nargs="+", metavar="WHAT",
        help="attributes of Figure 6, as in `ign edit arithmetic` (default: chosen for"
        " the data)",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("figures"), metavar="FOLDER", help="where to write"
    )
    options = parse(parser, words)
    with output_folder(options.out, options.force) as out:
        from ign.figures import count, make

        model = load_model(options)
        measures = {what: attribute(what) for what in options.attribute or _attributes(model)}
        images = _images(model, options.data, options.split)
        with progress() as bar:
            task = bar.add_task("drawing", total=count())
            page = make(model, out.work, images, options.seed, measures, lambda: bar.advance(task))
    echo(f"look at {options.out / page.name}")


def _attributes(model: "IGN") -> Sequence[str]:
    """The attributes that a packaged feature network knows of the model's data, or brightness."""
    name = str(model.about.get("data", "")).lower()
    if "celeba" in name and model.shape[0] == 3:
        return FACES
    return KNOWN.get(name, ("brightness",))


def _images(model: "IGN", source: str | None, split: str) -> "Tensor | None":
    """The first held-out images."""
    import torch

    from ign import data

    source = source or ("digits" if model.about.get("data") == "digits" else None)
    if source is None:
        return None
    images = data.load(source, split=split, limit=IMAGES, **model.load_options)
    return images.batch(torch.arange(len(images)))
