"""An evaluation as a file, as a table in the terminal, and as an HTML page."""

__all__ = ["page", "remove_earlier", "save", "table", "title"]

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from rich.table import Table
from rich.text import Text
from torch import Tensor

from ign.core.files import atomic
from ign.core.text import printable
from ign.data import to_float
from ign.evaluate.protocol import TRAIN, Evaluation
from ign.evaluate.tables import METRICS, cell, label
from ign.project import applied
from ign.view import pictures
from ign.view.html import Section, write_page
from ign.view.plots import drawing

NAME = "results.json"
WRITTEN = (NAME, "index.html", "samples-f[0-9]*.png", "nearest.png", "classes.png", "drift.png")
"""The files of an evaluation."""
SHOWN = 100
Results = Mapping[str, Any]


def save(results: Results, folder: Path) -> Path:
    """Write ``results.json`` atomically; the files of an earlier evaluation are removed.

    Args:
        results: The numbers and what defines them.
        folder: The folder, which is created if it is missing.

    Returns:
        The file.
    """
    text = json.dumps(results, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    with atomic(folder / NAME) as path:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")  # as JSON escapes them
        remove_earlier(folder)
    return folder / NAME


def remove_earlier(folder: Path) -> None:
    """Remove the files that an earlier evaluation wrote into a folder."""
    for pattern in WRITTEN:
        for path in folder.glob(pattern):
            path.unlink()


def title(results: Results) -> str:
    """Describe in one line which images were compared with which."""
    protocol = results["protocol"]
    real, net = protocol["real"], protocol["features"]
    name = " ".join(filter(None, [real.get("source"), real.get("split")]))
    return printable(
        f"{protocol['samples']:,} samples of seed {protocol['seed']} against"
        f" {real['images']:,} held-out images{f' ({name})' if name else ''};"
        f" features {net['name']} {net['sha256'][:8]}, k = {protocol['neighbours']}"
    )


def cells(results: Results, spread: bool) -> list[list[str]]:
    """The measures as rows of text: headings, then a name and a value for each set of images."""
    rows, protocol = results["rows"], results["protocol"]
    lines = [["", *(printable(row["name"]) for row in rows)]]
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
        heading = Text(name.replace(" images", "\nimages"))
        shown.add_column(heading, justify="right" if i else "left")
    for line in lines:
        shown.add_row(*map(Text, line))
    return shown


def page(evaluation: Evaluation, name: str, folder: Path) -> Path:
    """Write ``index.html`` and its pictures.

    Args:
        evaluation: The evaluation.
        name: The name of the model.
        folder: The folder.

    Returns:
        The page.
    """
    results = evaluation.results
    sections = [Section(
        "Measures",
        "Arrows point in the better direction. A ratio is best at 1, the value of the held-out"
        " images. The column of the training images shows the values of a perfect generator."
        " Drift is the mean |f(y) − y|. The nearest ratio compares the distances to the nearest"
        " training image. Classes off is the total variation of the shares of the classes.",
        table=cells(results, spread=True),
    )]  # fmt: skip
    for k, samples in evaluation.samples.items():
        file = f"samples-f{k}.png"
        pictures.save(pictures.grid(to_float(samples[:SHOWN])), folder / file)
        text = f"The first {min(SHOWN, len(samples))} of seed {results['protocol']['seed']}."
        sections.append(
            Section(f"Samples {applied(k, 'z')}", text + " No sample is left out.", [file])
        )
    if evaluation.copies:
        pictures.save(_pairs(evaluation.copies), folder / "nearest.png")
        text = (
            "The first samples, and below each sample the training image nearest to it in pixels."
        )
        sections.append(Section("Nearest training images", text, ["nearest.png"]))
    sections += [*_classes(results, folder), *_drift(evaluation, folder)]
    sections.append(Section("Protocol", "", table=[["", ""], *_facts(results)]))
    notes = [*results["alarms"], *results["warnings"]]
    lead = ". ".join([title(results), *notes]) + "."
    return write_page(folder / "index.html", f"Evaluation of {name}", lead, sections)


def _pairs(copies: Mapping[int, Tensor]) -> pictures.Image.Image:
    rows = []
    for k, (samples, nearest) in copies.items():
        rows += [(applied(k, "z"), to_float(samples)), ("nearest", to_float(nearest))]
    return pictures.sheet(rows, group=2)


def _classes(results: Results, folder: Path) -> list[Section]:
    """Bars of the shares of the classes, if the net has classes."""
    rows = [row for row in results["rows"] if "classes" in row]
    if not rows:
        return []
    names = [printable(name) for name in results["protocol"]["features"]["classes"]]
    with drawing(folder / "classes.png", shared=True) as axes:
        width = 0.8 / len(rows)
        for i, row in enumerate(rows):
            places = [j + (i - (len(rows) - 1) / 2) * width for j in range(len(names))]
            axes.bar(places, row["classes"], width, label=row["name"])
        axes.set(xticks=range(len(names)), xticklabels=names, ylabel="share")
    text = "The share of images that the feature net assigns to each class."
    return [Section("Classes", text, ["classes.png"], smooth=True)]


def _drift(evaluation: Evaluation, folder: Path) -> list[Section]:
    """Histograms of the drift on a logarithmic axis, if more than the drift of noise is known."""
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
    text = "How far the network moves images: mean |f(y) − y| of values in [-1, 1]."
    return [Section("Drift", text, ["drift.png"], smooth=True)]


def _facts(results: Results) -> list[list[str]]:
    """The settings that define the numbers, one row each."""
    facts = {**results["protocol"], "model": results["model"], **results["about"]}
    lines = []
    for name, value in facts.items():
        inner = value.items() if isinstance(value, Mapping) else [("", value)]
        for key, part in inner:
            if not isinstance(part, Mapping):
                text = ", ".join(map(str, part)) if isinstance(part, list) else str(part)
                lines.append([f"{name} {key}".strip().replace("_", " "), text])
    return lines
