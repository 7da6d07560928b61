"""The IGN and its peers on MNIST: same layers, same data, same steps, same time.

    python benchmarks/mnist_methods.py --data DATA/mnist --out docs/results/mnist_methods.json

Each method and seed is one run: width 32, batch 64, one thread, float32, two runs side by side, a
constant learning rate, the average of the weights. It is evaluated after 3,000 steps and again
after 8 minutes of training (the steps that fit are told from the speed of the first 3,000; the run
goes on from its checkpoint), in evaluation mode, by `ign.evaluate.evaluate`: 10,000 samples against
the 10,000 test images, features `mnist`. *ign* is the preset `mnist` at the commit shown, *ign,
pixels* the one before it, which matched f(z) with the data in pixels, and *spectral noise* that
with noise of the data's frequency statistics; *listing* the paper's listing with plain batch norm,
as it evaluates, and with the statistics of each batch of 64 (*batch statistics*); DCGAN, VAE,
autoencoder and EBGAN are in `docs/baselines.md`. *FD* and *KD* are the Fréchet and the kernel
distance, *gap* the mean |f(f(z)) - f(z)|, *nearest* the distance of samples to the nearest training
image over that of test images, *images/s* f(z) in batches of 64, *floor* the FD of as many training
images. Seconds are the processor's, of training with loading and checks, so that what else the
machine does counts little. DCGAN's learning rate is the best of 5e-4, 1e-3, 1.5e-3 and 2e-3 at
3,000 steps of seed 0.
"""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from machine import add_out, describe, markdown, publish, side_by_side

import ign
from ign import IGN, data
from ign.evaluate import evaluate
from ign.nn import batch_statistics

FIRST, SECONDS, SAMPLES, SIDE_BY_SIDE = 3000, 480, 10_000, 2
RUNS = Path("runs/methods")
COMMON: dict[str, Any] = {
    "network.width": 32, "batch_size": 64, "decay": 0.0, "ema": 0.999, "trainer.precision": "32",
}  # fmt: skip
PIXELS: dict[str, Any] = {
    "objective.idem_weight": 5.0, "objective.tight_weight": 0.6, "match.weight": 30.0,
    "match.bandwidth": 0.1, "adversarial.weight": 0.0, "denoise": 0.0,
    "learning_rate": 1e-3,
}  # fmt: skip
METHODS: dict[str, dict[str, Any]] = {
    "ign": {},
    "ign, pixels": PIXELS,
    "ign, pixels, spectral noise": {**PIXELS, "noise": "spectral"},
    "listing": {"method": "listing", "learning_rate": 2e-4},
    "dcgan": {"method": "dcgan", "learning_rate": 1.5e-3},
    "vae": {"method": "vae"},
    "autoencoder": {"method": "autoencoder"},
    "ebgan": {"method": "ebgan"},
}
Row = dict[str, Any]


def slug(name: str) -> str:
    """The name as that of a folder."""
    return name.replace(", ", "-").replace(" ", "-")


def run(name: str, seed: int, source: str) -> list[Row]:
    """Train to both marks, and evaluate at each."""
    folder, rows = RUNS / f"{slug(name)}-{seed}", []
    options = {**COMMON, **METHODS[name], "seed": seed, "every": FIRST, "log_every": FIRST}
    began = time.process_time()
    model = ign.train("mnist", data=source, steps=FIRST, out=folder, force=True, **options)
    spent = time.process_time() - began
    rows += evaluated(model, name, seed, source, f"{FIRST:,} steps", spent)
    steps = round(FIRST * SECONDS / spent)
    if steps > FIRST:
        began = time.process_time()
        model = ign.train(resume=folder, steps=steps, every=steps)
        spent += time.process_time() - began
    return rows + list(evaluated(model, name, seed, source, f"{SECONDS // 60} minutes", spent))


def evaluated(
    model: IGN, name: str, seed: int, source: str, mark: str, spent: float
) -> Iterator[Row]:
    """The rows of a model at a mark; two of them where batch statistics are a choice."""
    real, train = (data.load(source, split=split) for split in ("test", "train"))
    variants = {name: nullcontext()}
    if name == "listing":
        variants = {
            name: nullcontext(),
            f"{name}, batch statistics": batch_statistics(model.network),
        }
    for variant, context in variants.items():
        with context:
            found = evaluate(model, real, train, samples=SAMPLES, features="mnist").results
            began = time.process_time()
            model.sample(1024)
            speed = 1024 / (time.process_time() - began)
        by_name = {row["name"]: row for row in found["rows"]}
        once, twice = by_name["f(z)"], by_name.get("f(f(z))", {})
        yield {
            "method": variant, "mark": mark, "seed": seed, "steps": model.about["steps"],
            "seconds": round(spent), "FD f(z)": once["frechet"], "FD ff(z)": twice.get("frechet"),
            "KD": once["kernel"], "precision": once["precision"], "recall": once["recall"],
            "coverage": once["coverage"], "nearest": once["nearest_ratio"],
            "gap": once.get("drift"), "images/s": round(speed),
            "floor": by_name["training images"]["frechet"], "commit": describe()["commit"],
        }  # fmt: skip


def table(rows: list[Row]) -> str:
    """The rows, the mean over seeds where there are several, in Markdown."""
    formats = {"FD": "{:.1f}"} | dict.fromkeys(("images/s", "seconds", "steps"), "{:,}")
    formats |= dict.fromkeys(("precision", "recall", "coverage", "nearest", "floor"), "{:.2f}")
    formats |= dict.fromkeys(("KD", "gap"), "{:.3f}")
    shown = sorted(rows, key=lambda row: row["mark"])
    return markdown([{k: "" if v is None else v for k, v in row.items()} for row in shown], formats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--one", nargs=2, metavar=("METHOD", "SEED"), help="one run, no table")
    add_out(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    RUNS.mkdir(parents=True, exist_ok=True)
    if options.one:
        name, seed = options.one[0], int(options.one[1])
        rows = run(name, seed, options.data)
        (RUNS / f"{slug(name)}-{seed}.json").write_text(
            json.dumps(rows, indent=2) + "\n", encoding="utf-8"
        )
        return
    wanted = [(name, seed) for seed in options.seeds for name in options.methods]
    left = [pair for pair in wanted if not (RUNS / f"{slug(pair[0])}-{pair[1]}.json").exists()]
    for name, seed, _ in side_by_side(__file__, options.data, left, SIDE_BY_SIDE):
        print(f"{name}, seed {seed}: done", flush=True)
    found = ((RUNS / f"{slug(name)}-{seed}.json").read_text("utf-8") for name, seed in wanted)
    rows = [row for text in found for row in json.loads(text)]
    about = {**describe(), "samples": SAMPLES, "side by side": SIDE_BY_SIDE}
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
