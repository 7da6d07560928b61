"""The measures by name, and tables of them."""

__all__ = ["METRICS", "Metric", "cell", "label", "markdown"]

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Metric(NamedTuple):
    """A measure: its key in a row of results, its name, its format, and which way is better."""

    key: str
    name: str
    format: str
    better: str = ""


METRICS = (
    Metric("frechet", "Fréchet distance", "{:.2f}", "↓"),
    Metric("kernel", "kernel distance", "{:.4f}", "↓"),
    Metric("inception_score", "Inception Score", "{:.2f}", "↑"),
    Metric("precision", "precision", "{:.3f}", "↑"),
    Metric("recall", "recall", "{:.3f}", "↑"),
    Metric("density", "density", "{:.3f}", "↑"),
    Metric("coverage", "coverage", "{:.3f}", "↑"),
    Metric("class_distance", "classes off", "{:.1%}", "↓"),
    Metric("diversity", "diversity ratio", "{:.2f}"),
    Metric("nearest_ratio", "nearest ratio", "{:.2f}"),
    Metric("drift", "drift", "{:.4f}", "↓"),
    Metric("still", "drift < {tolerance}", "{:.1%}", "↑"),
)

SPREAD = {"kernel": "kernel_std", "inception_score": "inception_score_std"}
OFFICIAL = {"frechet": "FID", "kernel": "KID"}


def label(metric: Metric, protocol: Mapping[str, Any]) -> str:
    """The measure's name; FID and KID are those of Inception's features alone."""
    official = OFFICIAL if protocol["features"]["name"] == "inception" else {}
    name = official.get(metric.key, metric.name).format(tolerance=protocol["tolerance"])
    return f"{name} {metric.better}".rstrip()


def cell(row: Mapping[str, Any], metric: Metric, spread: bool = True) -> str:
    """The value in words, with its standard deviation where it has one; empty where it is none."""
    if row.get(metric.key) is None:
        return ""
    text = metric.format.format(row[metric.key])
    deviation = row.get(SPREAD.get(metric.key, ""))
    return f"{text} ± {metric.format.format(deviation)}" if spread and deviation else text


def markdown(rows: Sequence[Mapping[str, Any]], formats: Mapping[str, str]) -> str:
    """Rows of equal keys in Markdown; numbers in the format of their column's first word."""
    lines = [f"| {' | '.join(rows[0])} |", f"|{'---|' * len(rows[0])}"]
    for row in rows:
        cells = [
            v if isinstance(v, str) else formats.get(k.split()[0], "{}").format(v)
            for k, v in row.items()
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
