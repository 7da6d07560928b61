"""ign compare: compare evaluations."""

__all__ = ["run"]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ign.cli.parser import Parser, parse
from ign.core.folder import output_folder
from ign.core.terminal import console_on, echo
from ign.core.text import printable

if TYPE_CHECKING:
    from ign.evaluate.comparison import Compared

WIDTH = 140
"""Narrower terminals show only the main columns."""


def run(words: Sequence[str]) -> None:
    """Show the table and write OUT/comparison.md, OUT/bars.png and OUT/scatter.png."""
    parser = Parser(
        prog="ign compare",
        description="Compare evaluations. An evaluation that differs from the first one in"
        " features, real images, number of samples or k is marked in the table and left out of the"
        " plots. Writes OUT/comparison.md, OUT/bars.png and OUT/scatter.png.",
        epilog="example:\n  ign compare ours=runs/mnist/evaluation dcgan=runs/dcgan/evaluation",
    )
    parser.add_argument(
        "results", nargs="+", metavar="RESULTS",
        help="results.json of `ign evaluate`, or its folder; NAME=RESULTS to name it",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("comparison"), metavar="FOLDER", help="where to write"
    )
    options = parse(parser, words, "force")

    with output_folder(options.out, options.force) as out:
        compared = _compare(options.results, out.work)
    _show(compared)
    echo("\n".join([*compared.notes, ""]))
    echo(f"{options.out}/comparison.md, bars.png, scatter.png")


def _compare(results: Sequence[str], out: Path) -> "Compared":
    """Write the table and the plots."""
    from ign.evaluate.comparison import bars, compare, scatter
    from ign.evaluate.tables import markdown

    compared = compare(_named(results))
    bars(compared, out / "bars.png")
    scatter(compared, out / "scatter.png")
    text = "\n\n".join([markdown(compared.rows, {}, plain=True), *compared.notes])
    (out / "comparison.md").write_bytes(f"{text}\n".encode("utf-8", "backslashreplace"))
    return compared


def _show(compared: "Compared") -> None:
    """Print the table; a narrow terminal shows only the main columns."""
    from rich.table import Table

    console = console_on()
    if not console.is_terminal:
        console.width = WIDTH
    columns = compared.main if console.width < WIDTH else list(compared.rows[0])
    shown = Table(box=None, collapse_padding=True)
    for i, name in enumerate(columns):
        shown.add_column(name, justify="right" if i > 1 else "left")
    for row in compared.rows:
        shown.add_row(*(printable(str(row[name])) for name in columns))
    console.print(shown)


def _named(given: Sequence[str]) -> Mapping[str, Any]:
    """The results by the name that was given, or by their path.

    Raises:
        ValueError: Two results have the same name.
    """
    from ign.evaluate.comparison import read

    found: dict[str, Any] = {}
    for text in given:
        name, sign, path = text.partition("=")
        if not sign or Path(text).exists():
            name, path = text.removesuffix("/results.json").rstrip("/"), text
        if name in found:
            raise ValueError(f"{name} is given twice; name each: NAME=RESULTS")
        found[name] = read(path)
    return found
