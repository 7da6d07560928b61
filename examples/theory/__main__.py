"""Run every experiment of docs/theory.md, and write its numbers, pictures and tables.

python -m examples.theory [--steps 1000] [--out docs/results/theory.json]
python -m examples.theory --page    # the tables of docs/theory.md from the result file alone
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import describe, footer
from examples.theory import experiments, page, pictures


def run(steps: int, folder: Path) -> dict[str, Any]:
    """Run all experiments, and write the pictures to the folder."""
    about = {
        **describe(),
        "command": " ".join(["python -m examples.theory", *sys.argv[1:]]),
        "seed": experiments.SEED,
        "steps of each training": steps,
    }
    found: dict[str, Any] = {"about": about}
    for name in ("alphabet", "alternation", "descent"):
        found[name] = _shown(name, list(getattr(experiments, name)()))
    networks = {}
    for name in ("indicator", "trained", "ablation"):
        pairs = list(getattr(experiments, name)(steps))
        found[name] = _shown(name, [row for row, _ in pairs])
        networks[name] = [network for _, network in pairs]
    pictures.draw(found, networks, folder)
    about["seconds of a core"] = round(time.process_time())
    print(footer(about))
    return found


def _shown(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, which are also printed."""
    print(f"{name}\n\n{page.table({name: rows}, name)}\n", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=1000, help="steps of each training")
    parser.add_argument("--out", type=Path, default=page.RESULT)
    parser.add_argument("--pictures", type=Path, default=page.ROOT / "docs" / "pictures")
    parser.add_argument("--page", action="store_true", help="only write the tables of the page")
    options = parser.parse_args()
    if not options.page:
        found = run(options.steps, options.pictures)
        options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if options.out == page.RESULT:
        page.PAGE.write_text(page.filled(page.PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
