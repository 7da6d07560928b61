"""The names and formats of the measures, and tables of them."""

__all__ = ["METRICS", "Metric", "cell", "label", "markdown"]

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ign.view.markdown import escape


class Metric(NamedTuple):
    """A measure: its key in a row of results, its name, its format, and an arrow.

    The arrow points in the better direction. It is empty if neither direction is better.
    """

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
    """The name of a measure; only distances of Inception's features are called FID and KID."""
    official = OFFICIAL if protocol["features"]["name"] == "inception" else {}
    name = official.get(metric.key, metric.name).format(tolerance=protocol["tolerance"])
    return f"{name} {metric.better}".rstrip()


def cell(row: Mapping[str, Any], metric: Metric, spread: bool = True) -> str:
    """The value as text, with its standard deviation if it has one; empty for a missing value."""
    if row.get(metric.key) is None:
        return ""
    text = metric.format.format(row[metric.key])
    deviation = row.get(SPREAD.get(metric.key, ""))
    return f"{text} ± {metric.format.format(deviation)}" if spread and deviation else text


def markdown(
    rows: Sequence[Mapping[str, Any]], formats: Mapping[str, str], plain: bool = False
) -> str:
    """Write rows with the same keys as a Markdown table.

    Args:
        rows: The rows, at least one.
        formats: For the first word of a column's name, the format of its numbers.
        plain: Whether the cells are plain text, and not Markdown.
    """
    texts = [[*rows[0]], *([_text(k, v, formats) for k, v in row.items()] for row in rows)]
    if plain:
        texts = [[escape(text) for text in line] for line in texts]
    head, *lines = [f"| {' | '.join(line)} |" for line in texts]
    return "\n".join([head, f"|{'---|' * len(rows[0])}", *lines])


def _text(column: str, value: Any, formats: Mapping[str, str]) -> str:
    known = formats.get(column.split()[0], "{}")
    return value if isinstance(value, str) else known.format(value)
