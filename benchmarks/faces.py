"""How near samples of faces are to faces: what `ign evaluate` says of a run.

    ign train celeba --network.width 24 --learning_rate 0.001 --steps 8000 --out runs/celeba
    python benchmarks/faces.py runs/celeba --data DATA/celeba --out docs/results/faces.json

Samples of seed 0 against the images of CelebA's validation split, in evaluation mode, in the
features of faces, beside as many training images. Nearest is the distance of samples to the nearest
training image over that of held-out images: below 1 for copies.
"""

import argparse
from typing import Any

from machine import add_out, describe, markdown, publish

from ign import IGN, data
from ign.evaluate import evaluate

SHOWN = {
    "frechet": "FD", "precision": "precision", "recall": "recall", "coverage": "coverage",
    "nearest_ratio": "nearest",
}  # fmt: skip
Row = dict[str, Any]


def table(rows: list[Row]) -> str:
    """The rows in Markdown."""
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
