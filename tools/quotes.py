"""Insert quoted source code and tables of results into the pages of the docs.

python tools/quotes.py [--check]

A page names a function or class, optionally with words of the first and last line to quote:

    <!-- code ign.objective.clamp -->
    <!-- code ign.objective.IGNObjective.forward: "with _role" to "y = network(z)" -->

The function ``table`` of a module turns a result file into a table:

    <!-- table examples.tabular docs/results/tabular.json -->

Docstrings are left out. With --check nothing is written, and the exit status is 1 if a page is out
of date.
"""

import ast
import importlib
import inspect
import json
import re
import subprocess
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
    """Import the object of that path, such as ``ign.objective.IGNObjective.forward``.

    Raises:
        ModuleNotFoundError, AttributeError: The object does not exist.
    """
    parts = path.split(".")
    found = importlib.import_module(parts[0])
    for i, part in enumerate(parts[1:], 2):
        if not hasattr(found, part):
            importlib.import_module(".".join(parts[:i]))
        found = getattr(found, part)
    return inspect.unwrap(found)


def source(path: str, first: str | None = None, last: str | None = None) -> str:
    """Return the source of an object without its docstrings, or a range of its lines.

    Raises:
        ValueError: No line contains the words.
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


def formatted(code: str) -> str:
    """Format code with ruff; code that does not parse by itself is unchanged."""
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--quiet",
        "--stdin-filename",
        "quote.py",
        "-",
    ]
    done = subprocess.run(
        command, input=code, capture_output=True, text=True, cwd=ROOT, check=False
    )
    return code if done.returncode else done.stdout.rstrip("\n")


def quoted(found: re.Match[str]) -> str:
    """Return the mark with its quoted code."""
    path, first, last = found.groups()
    file = Path(inspect.getsourcefile(find(path)) or "").relative_to(ROOT)
    mark = found[0].partition("\n")[0]
    code = formatted(source(path, first, last))
    return f'{mark}\n```py title="{file}"\n{code}\n```\n<!-- end -->'


def tabled(found: re.Match[str]) -> str:
    """Return the mark with its table and the measurement conditions."""
    result = json.loads((ROOT / found[2]).read_text(encoding="utf-8"))
    mark, table = found[0].partition("\n")[0], find(found[1]).table(result["rows"])
    return f"{mark}\n{table}\n\n{footer(result['about'])}\n<!-- end -->"


def main() -> int:
    check = "--check" in sys.argv
    stale = False
    for page in sorted((ROOT / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        try:
            new = TABLE.sub(tabled, MARK.sub(quoted, text))
        except (AttributeError, ModuleNotFoundError, ValueError) as error:
            print(f"{page.relative_to(ROOT)}: {error}")
            stale = True
            continue
        if new != text:
            print(f"{page.relative_to(ROOT)}: {'out of date' if check else 'updated'}")
            stale = stale or check
            if not check:
                page.write_text(new, encoding="utf-8")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
