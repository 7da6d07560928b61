"""The page of the demo: samples, projections and training curves of a model."""

__all__ = ["page"]

import csv
from pathlib import Path

import torch
from torch import Tensor

from ign.core import random
from ign.data import ImageSet
from ign.evaluate.training_config import degradations, read_training
from ign.model import IGN
from ign.view import pictures
from ign.view.html import Section, write_page
from ign.view.plots import drawing


def page(model: IGN, held_out: ImageSet, run: Path) -> Path:
    """Write the page of a trained model and its pictures into the folder of its run.

    Args:
        model: The model.
        held_out: Held-out images.
        run: The folder of the run, with ``config.yaml`` and ``metrics.csv``.

    Returns:
        The page, ``index.html``.
    """
    once, twice = model.sample_trajectory(100, [1, 2])
    x = held_out.batch(torch.arange(12) * len(held_out) // 12)
    drawn = {
        "samples-f.png": pictures.grid(once),
        "samples-ff.png": pictures.grid(twice),
        "projections.png": _restored(model, x),
    }
    for name, picture in drawn.items():
        pictures.save(picture, run / name)
    _curves(run)
    sections = [
        Section(
            "f(z): digits from noise in one pass",
            "The first 100 samples of seed 0, each from one pass of noise through f.",
            ["samples-f.png"],
        ),
        Section(
            "f(f(z)): a second pass changes little",
            "The same samples after a second pass. The network learns to leave its outputs as they"
            " are.",
            ["samples-ff.png"],
        ),
        Section(
            "Noisy digits, projected",
            "Held-out digits with Gaussian noise of standard deviation 0.15, 0.3 and 0.6 in"
            f" [-1, 1], above their projections f(y). {degradations(model, read_training(run))}",
            ["projections.png"],
        ),
        Section(
            "Training",
            "The terms of the loss, and the measures of each check.",
            ["curves.png"],
            smooth=True,
        ),
    ]
    every, z = held_out.batch(torch.arange(len(held_out))), model.latents(torch.arange(100))
    facts = {
        "held-out digits, mean |f(x) - x| of pixels in [-1, 1]": model.drift(every).mean(),
        "samples, mean |f(f(z)) - f(z)|": (twice - once).abs().mean(),
        "noise, mean |f(z) - z|": (once - z).abs().mean(),
    }
    return write_page(
        run / "index.html",
        "Idempotent Generative Network",
        f"One network f, trained for {model.about.get('steps', 0):,} steps on"
        f" {model.about.get('training_images', 0):,} small digits. It leaves digits"
        " unchanged, f(x) = x, and maps other inputs onto them, f(f(z)) = f(z).",
        sections,
        {name: f"{value.item():.3f}" for name, value in facts.items()},
        f"ign figures {run} --data digits        # every figure of the paper, from this model\n"
        f"ign sample {run} -n 16 --applications 1 2 3 --out samples\n"
        "ign train mnist                        # 28x28 digits\n"
        "ign train --data path/to/your/images   # any folder or zip",
    )


def _restored(model: IGN, x: Tensor) -> pictures.Image.Image:
    """Draw rows of digits, noisy digits and their projections."""
    rows = [("held out", x)]
    for std in (0.15, 0.3, 0.6):
        noise = random.normal(random.keys(0, "demo", 0, torch.arange(len(x))), model.shape)
        noisy = x + std * noise
        rows += [(f"+ noise {std}", noisy), ("projected", model.project(noisy).cpu())]
    return pictures.sheet(rows)


def _curves(run: Path) -> None:
    """Plot the columns of ``metrics.csv`` over the steps."""
    with open(run / "metrics.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    panels = [
        (("rec", "idem", "tight"), "terms of the loss", ""),
        (("drift_held_out", "gap", "diversity"), "measures of the checks", "o"),
    ]
    with drawing(run / "curves.png", len(panels), (10, 3.6)) as figure:
        for axes, (names, title, mark) in zip(figure, panels, strict=True):
            for name in names:
                points = [(int(r["step"]), float(r[name])) for r in rows if r[name]]
                label = name.replace("_", " ")
                axes.plot(*zip(*points, strict=True), label=label, marker=mark, ms=4)
            axes.set(title=title, xlabel="step")
