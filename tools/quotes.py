"""Put the lines of code and the tables of numbers that a page names into the page.

python tools/quotes.py [--check]

A page names a function or class, and where it wants a part the words in its first and last line:

    <!-- code ign.objective.clamp -->
    <!-- code ign.objective.IGNObjective.forward: "with _role" to "y = network(z)" -->

A table is made of a result file by the function ``table`` of a module:

    <!-- table examples.tabular docs/results/tabular.json -->

Docstrings are left out. With --check nothing is written; 1 if a page is stale.
"""

import ast
import importlib
import inspect
import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.machine import footer  # noqa: E402

MARK = re.compile(r'<!-- code ([\w.]+)(?:: "(.+?)" to "(.+?)")? -->\n.*?<!-- end -->', re.DOTALL)


TABLE = re.compile(r"<!-- table ([\w.]+) (\S+) -->\n.*?<!-- end -->", re.DOTALL)


def find(path: str) -> Any:
    """The object of that path, such as ``ign.objective.IGNObjective.forward``.

    Raises:
        ModuleNotFoundError, AttributeError: There is none.
    """
    parts = path.split(".")
    found, taken = importlib.import_module(parts[0]), 1
    for part in parts[1:]:
        if not hasattr(found, part):
            importlib.import_module(".".join(parts[: taken + 1]))
        found, taken = getattr(found, part), taken + 1
    return inspect.unwrap(found)


def source(path: str, first: str | None = None, last: str | None = None) -> str:
    """The source of an object without its docstrings, or the lines from one to another of it.

    Raises:
        ValueError: No line holds the words.
    """
    text = textwrap.dedent(inspect.getsource(find(path)))
    lines: list[str | None] = list(text.splitlines())
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            for i in range(node.body[0].lineno - 1, node.body[0].end_lineno or 0):
                lines[i] = None
    kept = [line for line in lines if line is not None]
    if first and last:
        begin = next((i for i, line in enumerate(kept) if first in line), -1)
        end = next((i for i, line in enumerate(kept) if i >= begin and last in line), -1)
        if min(begin, end) < 0:
            raise ValueError(f"{path}: no lines from {first!r} to {last!r}")
        kept = kept[begin : end + 1]
    return textwrap.dedent("\n".join(kept)).strip("\n")


def quoted(found: re.Match[str]) -> str:
    """What stands between the marks, made anew."""
    path, first, last = found.groups()
    file = Path(inspect.getsourcefile(find(path)) or "").relative_to(ROOT)
    mark = found[0].partition("\n")[0]
    return f'{mark}\n```py title="{file}"\n{source(path, first, last)}\n```\n<!-- end -->'


def tabled(found: re.Match[str]) -> str:
    """The table between the marks and its circumstances, made anew."""
    result = json.loads((ROOT / found[2]).read_text(encoding="utf-8"))
    mark, table = found[0].partition("\n")[0], find(found[1]).table(result["rows"])
    return f"{mark}\n{table}\n\n{footer(result['about'])}\n<!-- end -->"


def main() -> int:
    stale = 0
    for page in sorted((ROOT / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        new = TABLE.sub(tabled, MARK.sub(quoted, text))
        if new != text:
            stale = 1
            print(f"{page.relative_to(ROOT)}: code has changed")
            if "--check" not in sys.argv:
                page.write_text(new, encoding="utf-8")
    return stale if "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
