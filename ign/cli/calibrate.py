"""ign calibrate: thresholds from the scores of clean images."""

__all__ = ["run"]

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ign.cli.choices import SPLITS
from ign.cli.common import (
    fraction,
    is_inspector_name,
    load_model,
    natural,
    new_folder,
    parse,
    pick_device,
    verb,
)
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
    if is_inspector_name(options.model):
        _calibrate_parts(options)
        return
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


def _calibrate_parts(options: Namespace) -> None:
    """Calibrate a model of train inspect on good parts of a folder, a zip or a layout."""
    import torch

    from ign.data.layout import find_layout
    from ign.inspection import load_inspector, save_inspector
    from ign.inspection.reading import read_parts
    from ign.io.config import update_config

    out = new_folder(options.out, options.force) if options.out else _folder_of(options.model)
    inspector = load_inspector(options.model, pick_device(options.device))
    if inspector.calibration and not options.force and not options.out:
        raise ValueError(f"{options.model}: is already calibrated; give --force or --out")
    layout = find_layout(options.data)
    good = [part for part in layout.test if not part.defect] or layout.train
    used = "test/good" if layout.test else "all"
    echo(f"{printable(options.data)}: {layout.describe()}; {used} is used", error=True)
    found = [inspector.inspect(image[None]) for _, image in
             read_parts(good[: options.limit], inspector.value_range, "scoring")]  # fmt: skip
    scores = torch.cat([one.score for one in found])
    peaks = torch.stack([one.map.max() for one in found])
    name = f"{Path(options.data).name}, {used}"
    known = inspector.calibrate(scores, peaks, options.rate, name)
    if options.out:
        save_inspector(inspector, out)
    else:
        update_config(out, calibration=known)
    over = f"flagged above {known.thresholds['image']:.4g}"
    echo(f"{known.images:,} good images of {printable(name)}; {over}; saved in {out}")


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
