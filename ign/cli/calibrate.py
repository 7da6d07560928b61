"""ign calibrate: what scores are usual among clean images."""

__all__ = ["run"]

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ign import data
from ign.anomaly import SCORES, Calibration
from ign.cli.common import fraction, fresh_folder, load_model, natural, parse, verb
from ign.data.splits import SPLITS
from ign.io.config import update_config
from ign.io.packaged import locate
from ign.model import IGN


def run(words: Sequence[str]) -> None:
    """Score clean images and save with the model what was found."""
    parser = verb(
        "calibrate",
        "Learn from clean images which scores are usual, and over which one to flag an image. At"
        " most the share --rate of clean images like these is flagged. It is saved with the model;"
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
        help="which part of them (default: test where the model was trained on data of that name,"
        " else all)",
    )  # fmt: skip
    parser.add_argument(
        "--rate",
        type=fraction,
        default=0.05,
        metavar="A",
        help="largest share of clean images to flag",
    )
    parser.add_argument("--limit", type=natural, metavar="N", help="take the first N images only")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER",
        help="save the model there (default: in its own place)",
    )  # fmt: skip
    options = parse(parser, words)
    out = fresh_folder(options.out, options.force) if options.out else _place(options.model)
    model = load_model(options)
    if model.calibration and not options.force and not options.out:
        raise ValueError(f"{options.model}: is calibrated; give --force, or another --out")
    name = Path(options.data).name
    split = options.split or ("test" if name == model.about.get("data") else "all")
    clean = data.load(
        options.data, split=split, size=model.shape[-1], gray=model.shape[0] == 1,
        limit=options.limit, progress=True,
    )  # fmt: skip
    scores = _scores(model, clean, options.batch_size)
    found = model.calibration = Calibration.fit(scores, options.rate, f"{name}, split {split}")
    if options.out:
        model.save_pretrained(out)
    else:
        update_config(out, calibration=model.calibration)
    print(f"{found.images:,} clean images of {found.data}; saved in {out}")
    for kind, values in scores.items():
        over = f"flagged over {found.thresholds[kind]:.4g}"
        print(f"{kind:13} median {values.median():.4g}  largest {values.max():.4g}  {over}")


def _place(name: str) -> Path:
    """Where to save in place.

    Raises:
        ValueError: The model is not the user's own.
    """
    if not Path(name).exists():
        raise ValueError(f"{name}: is no path; give --out FOLDER for a model of your own")
    return locate(name)


def _scores(model: IGN, images: data.ImageSet, count: int) -> dict[str, Tensor]:
    parts = torch.arange(len(images)).split(count)
    found = [model.scores(images.batch(i), count) for i in parts]
    return {kind: torch.cat([scores[kind].cpu() for scores in found]) for kind in SCORES}
