"""How far is an exported file from the model?

    python benchmarks/parity.py mnist digits runs/celeba --out docs/results/parity.json

`ign export` runs each file in its runtime (ONNX Runtime, or `torch.export`) on normal and uniform
noise, samples, spoilt samples and saturated images, in batches of 3 and of 1, and compares it with
the PyTorch model. Given is the largest difference of any value in [-1, 1]; of bytes, how much
further than half a level they are from the model's value. A file that differs by more than 1e-4 is
not written: small differences grow with each application. Half precision is compared with the model
of rounded weights, and `rounding` is the difference from the model of whole ones.
"""

import argparse
import math
import tempfile
from pathlib import Path
from typing import Any

from machine import add_out, describe, markdown, publish

import ign.export
from ign import IGN

LIMIT = ign.export.TOLERANCE
CASES: dict[str, dict[str, Any]] = {
    "f": {},
    "f, 2 applications": {"applications": 2},
    "f, 3 applications": {"applications": 3},
    "f, 10 applications": {"applications": 10},
    "f, 20 applications": {"applications": 20},
    "f, half precision": {"half": True},
    "f, bytes": {"uint8": True},
    "sampler": {"sampler": True},
    "f, torch": {"format": "torch"},
    "sampler, torch": {"format": "torch", "sampler": True},
}


def measure(model: IGN, options: dict[str, Any]) -> dict[str, Any]:
    """Size and differences of one file."""
    with tempfile.TemporaryDirectory() as folder:
        made = ign.export.export(model, Path(folder) / "file", **options)
        size = made.path.stat().st_size / 1e6
    return {
        "MB": size,
        "difference": made.difference,
        "rounding": made.rounding if options.get("half") else None,
        "written": "yes" if made.difference <= LIMIT else "no",
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown."""
    columns = ("model", "file", "MB", "difference", "rounding", "written")
    shown = [{k: "" if row[k] is None else row[k] for k in columns} for row in rows]
    return markdown(shown, {"MB": "{:.2f}", "difference": "{:.1e}", "rounding": "{:.1e}"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    add_out(parser)
    options = parser.parse_args()
    ign.export.TOLERANCE = math.inf  # what would be refused is measured too
    rows = [
        {"model": Path(name).name, "file": case, **measure(IGN.from_pretrained(name), chosen)}
        for name in options.models
        for case, chosen in CASES.items()
    ]
    import onnxruntime

    about = {**describe(), "onnxruntime": onnxruntime.__version__, "seed": 0}
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
