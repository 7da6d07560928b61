"""Tables and plots that compare evaluations."""

__all__ = ["Compared", "bars", "compare", "read", "scatter"]

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ign.core.json_file import read_json
from ign.core.text import printable
from ign.evaluate.report import NAME
from ign.evaluate.schema import check_results
from ign.evaluate.tables import METRICS, cell, label
from ign.view.plots import drawing

Results = Mapping[str, Any]
MAIN = ("frechet", "precision", "recall", "coverage", "drift")
SHARES = ("precision", "recall", "coverage")
DAGGERS = "†‡§¶"


class Compared(NamedTuple):
    """A table of several evaluations.

    Attributes:
        rows: A row of text for each set of samples.
        notes: A line for each mark in the table: the differences from the first evaluation.
        comparable: The names and measures of the evaluations that can be compared.
        main: The columns that matter most.
    """

    rows: list[dict[str, str]]
    notes: list[str]
    comparable: list[tuple[str, Mapping[str, Any]]]
    main: list[str]


def read(path: str | Path) -> dict[str, Any]:
    """Read ``results.json``.

    Args:
        path: The file, or a folder that contains it.

    Raises:
        ValueError: The file is missing, or does not hold the results of an evaluation.
    """
    path = Path(path) / NAME if Path(path).is_dir() else Path(path)
    if not path.exists():
        raise ValueError(f"{path}: no such file; give the {NAME} that ign evaluate wrote")
    found = read_json(path)
    try:
        return check_results(found)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def identity(results: Results) -> dict[str, Any]:
    """The settings that must be equal in two evaluations to compare them."""
    protocol = results["protocol"]
    real = protocol["real"]
    return {
        "features": printable(
            f"{protocol['features']['name']} {protocol['features']['sha256'][:8]}"
        ),
        "real set": printable(f"{real['images']:,} images {real['sha256'][:8]}"),
        "samples": f"{protocol['samples']:,}",
        "k": str(protocol["neighbours"]),
        "kernel": "{subsets} subsets of {size}".format(**protocol["kernel"]),
        "tolerance": str(protocol["tolerance"]),
    }


def compare(named: Mapping[str, Results]) -> Compared:
    """Compare the samples of several evaluations; those that cannot be compared get a mark.

    Args:
        named: Evaluations by name. The others are compared with the first one.

    Raises:
        ValueError: No evaluation is given.
    """
    if not named:
        raise ValueError("no results to compare")
    first = identity(next(iter(named.values())))
    rows: list[dict[str, str]] = []
    notes: list[str] = []
    comparable: list[tuple[str, Mapping[str, Any]]] = []
    for given, results in named.items():
        name, own = printable(given), identity(results)
        other = [f"{k} {own[k]}, not {first[k]}" for k in own if own[k] != first[k]]
        if other:
            mark = DAGGERS[len(notes) % len(DAGGERS)] * (len(notes) // len(DAGGERS) + 1)
            notes.append(f"{mark} not comparable: {'; '.join(other)}")
            name = f"{name} {mark}"
        for row in results["rows"]:
            if "applications" not in row:
                continue
            samples = printable(row["name"])
            rows.append({"model": name, "samples": samples, **_values(results, row)})
            comparable += [] if other else [(f"{name}, {samples}", row)]
    protocols = [results["protocol"] for results in named.values()]
    main = {label(m, protocol) for m in METRICS if m.key in MAIN for protocol in protocols}
    rows = _without_empty(rows)
    return Compared(
        rows, notes, comparable, [*list(rows[0])[:2], *(x for x in rows[0] if x in main)]
    )


def _values(results: Results, row: Mapping[str, Any]) -> dict[str, str]:
    return {label(m, results["protocol"]): cell(row, m, spread=False) for m in METRICS}


def _without_empty(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows without the columns that are empty in every row."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    names = [name for name in names if any(row.get(name) for row in rows)]
    return [{name: row.get(name, "") for name in names} for row in rows]


def bars(compared: Compared, path: Path) -> Path:
    """Draw bars of the main measures of the evaluations that can be compared."""
    metrics = [m for m in METRICS if m.key in MAIN]
    names = [name for name, _ in compared.comparable]
    height = 1.2 + 0.32 * len(names)
    with drawing(path, len(metrics), (2.6 * len(metrics) + 1.6, height)) as panels:
        for axes, metric in zip(panels, metrics, strict=True):
            values = [row.get(metric.key) or 0.0 for _, row in compared.comparable]
            colours = [f"C{i}" for i in range(len(values))]
            shown = axes.barh(range(len(values)), values, color=colours)
            axes.bar_label(shown, [metric.format.format(v) for v in values], padding=3, fontsize=8)
            axes.set(title=f"{metric.name} {metric.better}", yticks=range(len(values)))
            axes.set_yticklabels(names if axes is panels[0] else [])
            axes.margins(x=0.3)
            axes.invert_yaxis()
    return path


def scatter(compared: Compared, path: Path) -> Path:
    """Draw precision over recall and distance over drift for evaluations that can be compared."""
    panels = (("recall", "precision"), ("drift", "frechet"))
    names = {m.key: m.name for m in METRICS}
    with drawing(path, len(panels), (10, 4.2), shared=True) as drawn:
        for axes, keys in zip(drawn, panels, strict=True):
            for name, row in compared.comparable:  # a point needs both coordinates
                axes.plot(
                    *(_number(row.get(key)) for key in keys), "o", ms=8, alpha=0.7, label=name
                )
            rows = [row for _, row in compared.comparable]
            wide = [_wide([row[key] for row in rows if row.get(key) is not None]) for key in keys]
            scales = ["log" if many else "linear" for many in wide]
            axes.set(xlabel=names[keys[0]], ylabel=names[keys[1]])
            axes.set(xscale=scales[0], yscale=scales[1])
            limits = [_limits(key, [r.get(key) for r in rows], many)
                      for key, many in zip(keys, wide, strict=True)]  # fmt: skip
            axes.set(xlim=limits[0], ylim=limits[1])
    return path


def _limits(key: str, values: Sequence[float | None], logarithmic: bool) -> tuple[float, float]:
    """The limits of an axis, wide enough that close values look close.

    Shares span at least 0.2 and stay within [0, 1] up to a margin. Other values span at least a
    fifth of their size.
    """
    known = [value for value in values if value is not None] or [0.0, 1.0]
    low, high = min(known), max(known)
    if logarithmic:
        return low / 1.5, high * 1.5
    least = 0.2 if key in SHARES else 0.2 * max(abs(low), abs(high)) or 1.0
    more = max(least - (high - low), 0.3 * (high - low)) / 2
    low, high = low - more, high + more
    if key in SHARES:
        shift = max(-0.02 - low, 0) - max(high - 1.02, 0)
        low, high = max(low + shift, -0.02), min(high + shift, 1.02)
    return low, high


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _wide(values: Sequence[float]) -> bool:
    """Whether the values need a logarithmic scale."""
    return bool(values) and min(values) > 0 and max(values) > 10 * min(values)
