"""How much does an exported file differ from the model?

    python -m benchmarks.use.parity mnist digits --out docs/results/parity.json

`ign export` runs each file in its runtime (ONNX Runtime or `torch.export`) on normal and uniform
noise, samples, degraded samples and saturated images, in batches of 3 and of 1, and compares the
outputs with the outputs of the PyTorch model. The table reports the largest difference of any value
in [-1, 1]. For bytes it is the distance to the value of the model beyond half a level, which is the
rounding. A file with a difference above 1e-4 is not written: small differences grow with each
application. A file in half precision is compared with the model whose weights are rounded, and
`rounding` is its difference from the model whose weights are not rounded.
"""

import argparse
import math
import tempfile
from pathlib import Path
from typing import Any

import ign.export
from benchmarks.machine import add_out, describe, markdown, publish
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
    """Measure the size and the differences of one file."""
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
    """Format the rows as Markdown."""
    columns = ("model", "file", "MB", "difference", "rounding", "written")
    shown = [{k: "" if row[k] is None else row[k] for k in columns} for row in rows]
    return markdown(shown, {"MB": "{:.2f}", "difference": "{:.1e}", "rounding": "{:.1e}"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    add_out(parser)
    options = parser.parse_args()
    ign.export.TOLERANCE = math.inf  # files that the command refuses are measured too
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
