"""How close are samples of faces to real faces? These are the results of `ign evaluate` for a run.

    ign train celeba --network.width 24 --learning_rate 0.001 --steps 8000 --out runs/celeba
    python -m benchmarks.quality.faces runs/celeba --data DATA/celeba --out docs/results/faces.json

Samples of seed 0, drawn in evaluation mode, are compared with the images of the validation split of
CelebA, in the features of the net `faces`. As many training images are measured for comparison.
*Nearest* is the distance of samples to the nearest training image, divided by the same distance of
held-out images. It is below 1 if the samples are copies of training images.
"""

import argparse
from typing import Any

from benchmarks.machine import add_out, describe, markdown, publish
from ign import IGN, data
from ign.evaluate import evaluate

SHOWN = {
    "frechet": "FD", "precision": "precision", "recall": "recall", "coverage": "coverage",
    "nearest_ratio": "nearest",
}  # fmt: skip
Row = dict[str, Any]


def table(rows: list[Row]) -> str:
    """Format the rows as Markdown."""
    return markdown(rows, dict.fromkeys(SHOWN.values(), "{:.2f}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--data", required=True)
    parser.add_argument("-n", type=int, default=4500, help="samples")
    add_out(parser)
    options = parser.parse_args()
    model = IGN.from_pretrained(options.model)
    train, test = (data.load(options.data, split=split) for split in ("train", "test"))
    found = evaluate(model, test, train, samples=options.n).results
    rows = [
        {"images": row["name"], **{label: row.get(name, "") for name, label in SHOWN.items()}}
        for row in found["rows"]
        if row.get("frechet") is not None
    ]
    about = {**describe(), "samples": options.n, "steps": model.about["steps"]}
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
