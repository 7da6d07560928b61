"""The IGN and the baselines on MNIST, with the same layers and data, at equal steps and equal time.

    python -m benchmarks.quality.mnist_methods --data DATA/mnist [--out FILE.json]

Each method and seed is one run with width 32, batch size 64, one thread, float32, a constant
learning rate and a moving average of the weights. Two runs train side by side. A run is evaluated
after 3,000 steps, and again after 8 minutes of training: the number of steps for this time is
computed from the speed of the first 3,000 steps, and the run continues from its checkpoint. The
evaluation is `ign.evaluate.evaluate` in evaluation mode, which compares 10,000 samples with the
10,000 test images in the features `mnist`.

*ign* has the settings of the recipe `former` in the lab log, which was an earlier preset `mnist`.
*ign, pixels* is the frozen configuration `mnist-match`, which matches f(z) with the data in pixels,
and *spectral noise* is this configuration with noise that has the frequency statistics of the data.
*listing* is the listing of the paper with plain batch norm, in evaluation mode and with the
statistics of each batch of 64 (*batch statistics*). DCGAN, VAE, autoencoder and EBGAN are described
in `docs/baselines.md`. The learning rate of DCGAN was the best of 5e-4, 1e-3, 1.5e-3 and 2e-3 after
3,000 steps with seed 0, in runs that were not recorded.

*FD* and *KD* are the Fréchet distance and the kernel distance. *gap* is the mean |f(f(z)) - f(z)|.
*nearest* is the distance of samples to the nearest training image, divided by the same distance of
test images. *images/s* is the number of samples f(z) per second in batches of 64. *floor* is the FD
of as many training images. Seconds are processor time for training, which includes loading the data
and the checks and depends little on other processes.
"""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

import ign
from benchmarks import frozen
from benchmarks.machine import add_out, describe, markdown, publish, side_by_side
from ign import IGN, data
from ign.evaluate import evaluate
from ign.nn import batch_statistics

FIRST, SECONDS, SAMPLES, SIDE_BY_SIDE = 3000, 480, 10_000, 2
RUNS = Path("runs/methods")
COMMON: dict[str, Any] = {
    "network.width": 32, "batch_size": 64, "decay": 0.0, "ema": 0.999, "trainer.precision": "32",
}  # fmt: skip
FORMER: dict[str, Any] = {
    "objective.idem_weight": 10.0, "objective.tight_weight": 2.5, "match.weight": 0.0,
    "adversarial.weight": 0.3, "denoise": 1.0, "learning_rate": 2e-3,
}  # fmt: skip
METHODS: dict[str, dict[str, Any]] = {
    "ign": FORMER,
    "ign, pixels": {},
    "ign, pixels, spectral noise": {"noise": "spectral"},
    "listing": {"method": "listing", "learning_rate": 2e-4},
    "dcgan": {"method": "dcgan", "learning_rate": 1.5e-3},
    "vae": {"method": "vae"},
    "autoencoder": {"method": "autoencoder"},
    "ebgan": {"method": "ebgan"},
}
Row = dict[str, Any]


def slug(name: str) -> str:
    """Convert a name to the name of a folder."""
    return name.replace(", ", "-").replace(" ", "-")


def run(name: str, seed: int, source: str) -> list[Row]:
    """Train to both marks, and evaluate at each of them."""
    folder, rows = RUNS / f"{slug(name)}-{seed}", []
    options = {**COMMON, **METHODS[name], "seed": seed, "every": FIRST, "log_every": FIRST}
    began = time.process_time()
    model = frozen.train("mnist-match", folder, data=source, steps=FIRST, **options)
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
    """Make the rows of a model at a mark; two if batch statistics are evaluated as well."""
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
    """Format the rows as Markdown, sorted by mark."""
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
    parser.add_argument(
        "--one", nargs=2, metavar=("METHOD", "SEED"), help="run one method and seed only"
    )
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
    for name, seed, _ in side_by_side(__spec__.name, options.data, left, SIDE_BY_SIDE):
        print(f"{name}, seed {seed}: done", flush=True)
    found = ((RUNS / f"{slug(name)}-{seed}.json").read_text("utf-8") for name, seed in wanted)
    rows = [row for text in found for row in json.loads(text)]
    about = {**describe(), "samples": SAMPLES, "side by side": SIDE_BY_SIDE}
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
