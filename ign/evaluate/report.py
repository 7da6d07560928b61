"""An evaluation to read: a table on the terminal, and a page."""

__all__ = ["page", "save", "table", "title"]

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from rich.table import Table
from torch import Tensor

from ign.core.files import atomic
from ign.data import to_float
from ign.evaluate.protocol import TRAIN, Evaluation
from ign.evaluate.tables import METRICS, cell, label
from ign.project import applied
from ign.view import pictures
from ign.view.html import Block, write
from ign.view.plots import drawing

NAME = "results.json"
SHOWN = 100
Results = Mapping[str, Any]


def save(results: Results, folder: Path) -> Path:
    """Write ``results.json``, whole or not at all."""
    with atomic(folder / NAME) as path:
        path.write_text(
            json.dumps(results, indent=2, allow_nan=False, ensure_ascii=False) + "\n",
            encoding="utf-8",
        )
    return folder / NAME


def title(results: Results) -> str:
    """What was measured against what, in one line."""
    protocol = results["protocol"]
    real, net = protocol["real"], protocol["features"]
    name = " ".join(filter(None, [real.get("source"), real.get("split")]))
    return (
        f"{protocol['samples']:,} samples of seed {protocol['seed']} against"
        f" {real['images']:,} held-out images{f' ({name})' if name else ''};"
        f" features {net['name']} {net['sha256'][:8]}, k = {protocol['neighbours']}"
    )


def cells(results: Results, spread: bool) -> list[list[str]]:
    """The measures as lines of text: headings, then a name and a value for each set of images."""
    rows, protocol = results["rows"], results["protocol"]
    lines = [["", *(row["name"] for row in rows)]]
    for metric in METRICS:
        values = [cell(row, metric, spread) for row in rows]
        if any(values):
            lines.append([label(metric, protocol), *values])
    return lines


def table(results: Results) -> Table:
    """The measures for the terminal."""
    head, *lines = cells(results, spread=False)
    shown = Table(box=None)
    for i, name in enumerate(head):
        shown.add_column(name.replace(" images", "\nimages"), justify="right" if i else "left")
    for line in lines:
        shown.add_row(*line)
    return shown


def page(evaluation: Evaluation, name: str, folder: Path) -> Path:
    """Write ``index.html`` and its pictures.

    Args:
        evaluation: What was found.
        name: What the model is called.
        folder: Where.

    Returns:
        The page.
    """
    results = evaluation.results
    blocks = [Block(
        "Measures",
        "Arrows say which way is better; a ratio to the held-out images is best at 1. As many"
        " training images as samples show what a perfect generator would get. Drift is the mean"
        " |f(y) − y|, nearest the distance to the nearest training image, classes off the total"
        " variation of the classes' shares.",
        table=cells(results, spread=True),
    )]  # fmt: skip
    for k, samples in evaluation.samples.items():
        file = f"samples-f{k}.png"
        pictures.save(pictures.grid(to_float(samples[:SHOWN])), folder / file)
        text = f"The first {min(SHOWN, len(samples))} of seed {results['protocol']['seed']}."
        blocks.append(Block(f"Samples {applied(k, 'z')}", text + " None is left out.", [file]))
    if evaluation.copies:
        pictures.save(_pairs(evaluation.copies), folder / "nearest.png")
        text = "The first samples, and under each the training image that is nearest in pixels."
        blocks.append(Block("Copies?", text, ["nearest.png"]))
    blocks += [*_classes(results, folder), *_drift(evaluation, folder)]
    blocks.append(Block("Protocol", "", table=[["", ""], *_facts(results)]))
    notes = [*results["alarms"], *results["warnings"]]
    lead = ". ".join([title(results), *notes]) + "."
    return write(folder / "index.html", f"Evaluation of {name}", lead, blocks)


def _pairs(copies: Mapping[int, Tensor]) -> pictures.Image.Image:
    rows = []
    for k, (samples, nearest) in copies.items():
        rows += [(applied(k, "z"), to_float(samples)), ("nearest", to_float(nearest))]
    return pictures.sheet(rows, group=2)


def _classes(results: Results, folder: Path) -> list[Block]:
    """Bars of the classes, where the net has any."""
    rows = [row for row in results["rows"] if "classes" in row]
    if not rows:
        return []
    names = results["protocol"]["features"]["classes"]
    with drawing(folder / "classes.png", shared=True) as axes:
        width = 0.8 / len(rows)
        for i, row in enumerate(rows):
            places = [j + (i - (len(rows) - 1) / 2) * width for j in range(len(names))]
            axes.bar(places, row["classes"], width, label=row["name"])
        axes.set(xticks=range(len(names)), xticklabels=names, ylabel="share")
    text = "The share of images that the net puts in each class."
    return [Block("Classes", text, ["classes.png"], smooth=True)]


def _drift(evaluation: Evaluation, folder: Path) -> list[Block]:
    """Histograms of the drift, over its logarithm, where there is any but that of noise."""
    if len(evaluation.drifts) < 2:
        return []
    tolerance = evaluation.results["protocol"]["tolerance"]
    with drawing(folder / "drift.png", shared=True) as axes:
        logs = {name: drift.clamp(min=1e-6).log10() for name, drift in evaluation.drifts.items()}
        ends = torch.cat(list(logs.values()))
        bins = torch.linspace(ends.min().item(), ends.max().item() + 1e-6, 80)
        for name, values in logs.items():
            counts = torch.histc(values, 79, bins[0].item(), bins[-1].item())
            style = {"alpha": 1.0} if name == TRAIN else {"fill": True, "alpha": 0.5}
            heights, edges = (counts / counts.max()).tolist(), (10**bins).tolist()
            axes.stairs(heights, edges, label=name, **style)
        axes.axvline(tolerance, color="0.4", ls=":", label="tolerance")
        axes.set(xscale="log", xlabel="|f(y) − y|", ylabel="images, over the peak")
    text = "How far the network moves images: the mean absolute difference of values in [-1, 1]."
    return [Block("Drift", text, ["drift.png"], smooth=True)]


def _facts(results: Results) -> list[list[str]]:
    """What defines the numbers, a line each."""
    facts = {**results["protocol"], "model": results["model"], **results["about"]}
    lines = []
    for name, value in facts.items():
        inner = value.items() if isinstance(value, Mapping) else [("", value)]
        for key, part in inner:
            if not isinstance(part, Mapping):
                text = ", ".join(map(str, part)) if isinstance(part, list) else str(part)
                lines.append([f"{name} {key}".strip().replace("_", " "), text])
    return lines
