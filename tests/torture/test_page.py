"""docs/reliability.md says what the result file says, and each promise is tried by a test."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

from torture.promises import FORGED, PROMISES

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "docs" / "results" / "reliability.json"


def test_page_is_that_of_the_result_file():
    command = [sys.executable, "-m", "benchmarks.use.reliability", "--check"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def test_each_promise_was_kept():
    rows = json.loads(RESULT.read_text(encoding="utf-8"))["rows"]
    assert rows.keys() == PROMISES.keys()
    assert {name for name, row in rows.items() if row["failed tests"] or not row["tried"]} == set()


def test_result_says_where_it_is_from():
    about = json.loads(RESULT.read_text(encoding="utf-8"))["about"]
    assert re.fullmatch("[0-9a-f]{7,40}", about["commit"])
    assert about["command"] == "make torture"
    assert {"processor", "cores", "python", "torch"} <= about.keys()


def test_each_promise_has_a_test_and_each_test_a_promise():
    marked = set()
    for file in Path(__file__).parent.glob("test_*.py"):
        if file.name == Path(__file__).name:
            continue
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                text = " ".join(ast.unparse(d) for d in node.decorator_list)
                found = re.search(r"mark\.promise\('(\w+)'\)", text)
                assert found, f"{file.name}: {node.name}"
                marked.add(found[1])
    assert marked | {"forged"} == PROMISES.keys()
    assert (ROOT / FORGED).is_file()
