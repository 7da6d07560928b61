"""Write docs/mutants.md from the mutants that `make mutants` has tested.

python tools/mutants.py [--record] [--check]

mutmut changes one expression of a module at a time and runs the tests. A mutant survives if no test
fails. With --record, the counts and the surviving mutants of all modules that were tested to the
end are written to docs/results/mutants.json; other modules keep their earlier results. With --check
nothing is written, and the exit status is 1 if the page is out of date.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.machine import describe, markdown  # noqa: E402

RESULT, PAGE = ROOT / "docs" / "results" / "mutants.json", ROOT / "docs" / "mutants.md"
SURVIVED, UNTESTED = (0,), (5, 33)
"""The exit statuses of the tests by which mutmut records a survivor, or a mutant without tests."""
INTRODUCTION = """\
# Mutants

Do the tests notice a fault? `make mutants` changes one expression at a time in the modules on which
the results of the library depend: the objective, the noise, the norms, the scores, the files of a
model and the random numbers. It runs their tests with [mutmut](https://mutmut.readthedocs.io). A
mutant survives if no test fails. The check takes hours, and continues where it was interrupted.
`python tools/mutants.py --record` then updates this page.

The table lists the modules that were tested to the end. Other modules have not been tested yet.
"""


def change(name: str) -> str:
    """Return the changed lines of a mutant."""
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", "show", name], capture_output=True, text=True, check=True
    )
    lines = [line for line in done.stdout.splitlines() if line[:1] in "+-"]
    return "\n".join(line for line in lines if line[:3] not in ("+++", "---"))


def recorded() -> dict[str, Any]:
    """Return the counts and survivors of each module that was tested to the end."""
    found: dict[str, Any] = {}
    for file in sorted((ROOT / "mutants").rglob("*.py.meta")):
        codes = json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
        if not codes or None in codes.values():
            continue
        alive = [name for name, code in codes.items() if code in (*SURVIVED, *UNTESTED)]
        module = file.relative_to(ROOT / "mutants").with_suffix("").as_posix()
        found[module] = {
            "mutants": len(codes), "commit": describe()["commit"],
            "survivors": {name.rpartition(".")[2]: change(name) for name in alive},
        }  # fmt: skip
    return found


def page(modules: dict[str, Any]) -> str:
    """Format the page."""
    rows = [
        {"module": f"`{name}`", "mutants": found["mutants"], "survived": len(found["survivors"]),
         "share": len(found["survivors"]) / found["mutants"], "commit": found["commit"]}
        for name, found in modules.items()
    ]  # fmt: skip
    parts = [INTRODUCTION, markdown(rows, {"share": "{:.0%}"}), "", "## Survivors", ""]
    for name, found in modules.items():
        shown = "\n\n".join(f"# {mutant}\n{lines}" for mutant, lines in found["survivors"].items())
        parts += [f"### {name}", "", f"```diff\n{shown}\n```" if shown else "None.", ""]
    return "\n".join(parts)


def main() -> int:
    modules = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    if "--record" in sys.argv:
        modules |= recorded()
        RESULT.write_text(
            json.dumps(modules, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    text = page(modules)
    stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text
    if stale and "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    return int(stale and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
