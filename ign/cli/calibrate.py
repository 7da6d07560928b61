"""ign calibrate: thresholds from the scores of clean images."""

__all__ = ["run"]

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ign.cli.choices import SPLITS
from ign.cli.common import fraction, load_model, natural, new_folder, parse, verb
from ign.core.terminal import echo
from ign.core.text import printable

if TYPE_CHECKING:
    from torch import Tensor

    from ign import IGN
    from ign.data import ImageSet


def run(words: Sequence[str]) -> None:
    """Score clean images and save the thresholds with the model."""
    parser = verb(
        "calibrate",
        "Find the score above which an image is flagged, from clean images. At most the"
        " share --rate of clean images like these is flagged. The result is saved with the model;"
        " `ign score` then gives percentiles and flags.",
        "examples:\n"
        "  ign calibrate runs/mnist --data mnist --rate 0.01\n"
        "  ign calibrate mnist --data clean/ --out calibrated",
    )
    parser.add_argument(
        "--data", required=True, metavar="CLEAN",
        help="a folder or zip of clean images, or a named data set: images that the model was not"
        " trained on",
    )  # fmt: skip
    parser.add_argument(
        "--split", choices=SPLITS,
        help="part of the data (default: test if the model was trained on data of this name,"
        " otherwise all)",
    )  # fmt: skip
    parser.add_argument(
        "--rate",
        type=fraction,
        default=0.05,
        metavar="A",
        help="the largest share of clean images to flag",
    )
    parser.add_argument("--limit", type=natural, metavar="N", help="use the first N images only")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER",
        help="where to save the model (default: in its own folder)",
    )  # fmt: skip
    options = parse(parser, words)
    from ign import data
    from ign.anomaly import Calibration
    from ign.io.config import update_config

    out = new_folder(options.out, options.force) if options.out else _folder_of(options.model)
    model = load_model(options)
    if model.calibration and not options.force and not options.out:
        raise ValueError(f"{options.model}: is already calibrated; give --force or --out")
    name = Path(options.data).name
    split = options.split or ("test" if name == model.about.get("data") else "all")
    clean = data.load(
        options.data, split=split, limit=options.limit, progress=True, **model.load_options
    )
    scores = _scores(model, clean, options.batch_size)
    found = model.calibration = Calibration.fit(scores, options.rate, f"{name}, split {split}")
    if options.out:
        model.save_pretrained(out)
    else:
        update_config(out, calibration=found)
    echo(f"{found.images:,} clean images of {printable(found.data)}; saved in {out}")
    for kind, values in scores.items():
        over = f"flagged above {found.thresholds[kind]:.4g}"
        echo(f"{kind:13} median {values.median():.4g}  largest {values.max():.4g}  {over}")


def _folder_of(name: str) -> Path:
    """The folder of a local model.

    Raises:
        ValueError: The model is a packaged one or on the Hub.
        OSError: The folder cannot be written to.
    """
    from ign.core.files import check_writable
    from ign.io.packaged import CONFIG, locate

    if not name or not Path(name).exists():
        raise ValueError(f"{name}: is not a local model; give --out FOLDER to save a copy there")
    folder = locate(name)
    check_writable(folder / CONFIG)
    return folder


def _scores(model: "IGN", images: "ImageSet", count: int) -> "dict[str, Tensor]":
    import torch

    from ign.anomaly import SCORES

    parts = torch.arange(len(images)).split(count)
    found = [model.scores(images.batch(i), count) for i in parts]
    return {kind: torch.cat([scores[kind].cpu() for scores in found]) for kind in SCORES}
