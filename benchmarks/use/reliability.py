"""Write docs/reliability.md from docs/results/reliability.json, which `make torture` writes.

python -m benchmarks.use.reliability [--check]
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import footer, markdown

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests"))

from torture.promises import PROMISES  # noqa: E402

RESULT, PAGE = ROOT / "docs" / "results" / "reliability.json", ROOT / "docs" / "reliability.md"
INTRODUCTION = """\
# Reliability

This page lists what `ign` guarantees in case of errors, and how often the tests tried it.
`make torture` tries all of it.
The tests are in `tests/torture`. Examples are drawn from fixed seeds, so a failure repeats.

Each command obeys these rules, and each row below includes them:

- The exit status is 0; or 1, where a run failed, an image could not be read or memory ran out,
  with the file or the run named; or 2, with one line on standard error. There is never a traceback,
  nor an error that `ign` did not expect, with its report in the folder of temporary files.
- Nothing outside `--out` is created, changed or deleted. Each command runs among files of somebody
  else, in its home folder, its temporary folder and its working folder; their contents,
  permissions and times are compared before and after. Caches are not counted: fonts and compiled
  code, which matplotlib and PyTorch keep, and decoded images, which `ign` keeps.
- No control character of a file name, a configuration or a model reaches a pipe.
- A command fails the test if it takes over two minutes, or more than 2 GiB of memory in addition
  to the memory of PyTorch.
"""


def table(found: dict[str, Any]) -> str:
    """Make a row for each guarantee."""
    rows = []
    for name, promise in PROMISES.items():
        tried, failed = found["rows"][name].values()
        kept = f"**{failed} tests fail**" if failed else "kept" if tried else "not tried"
        row = {"promise": promise.text, "what is tried": promise.tried}
        rows.append(row | {"tries": f"{tried:,} {promise.unit}", "result": kept})
    return markdown(rows, {})


def page(found: dict[str, Any]) -> str:
    """Make the whole page."""
    total = f"In all, {found['commands']:,} commands were run in folders that are compared."
    skipped = [f"- `{name}`" for name in found["skipped"]]
    left_out = ["", "Not tried on this machine:", "", *skipped] if skipped else []
    parts = [INTRODUCTION, table(found), "", total, *left_out, "", footer(found["about"]), ""]
    return "\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if the page is out of date"
    )
    check = parser.parse_args().check
    text = page(json.loads(RESULT.read_text(encoding="utf-8")))
    stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text
    if stale and not check:
        PAGE.write_text(text, encoding="utf-8")
    return int(stale and check)


if __name__ == "__main__":
    sys.exit(main())
