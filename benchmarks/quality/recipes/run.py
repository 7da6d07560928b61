"""Train and evaluate recipes; each recipe is a YAML file in this folder.

    python -m benchmarks.quality.recipes.run --data DATA/mnist [NAMES...] [--seeds 0 1]
    python -m benchmarks.quality.recipes.run --data DATA/celeba --preset celeba [NAMES...]

A file contains a hypothesis, a prediction, the options of `ign train PRESET` that differ from the
preset (`mnist` by default), the training time in seconds on one core, and what was found. Two short
runs measure the speed, from which the number of steps for this time is computed. By default, all
recipes of the preset are run. A run is skipped if `docs/results/recipes.csv` has its row with the
same options, and an interrupted run starts again. The evaluation is the same as in `ign evaluate`:
10,000 samples, drawn in evaluation mode, are compared with the test images, in the features of
digits or faces.
"""

import argparse
import csv
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import torch
import yaml

import ign
from benchmarks.machine import check_commit, describe, markdown, side_by_side
from ign import IGN, data
from ign.evaluate import evaluate
from ign.training.options import fields_of

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parents[2] / "docs" / "results" / "recipes.csv"
RUNS = Path("runs/recipes")
SAMPLES, HELD_OUT, FAR = 10_000, 2_000, 100
PROBES = {"mnist": (50, 550), "celeba": (20, 120)}
"""The numbers of steps of the two short runs that measure the speed, for each preset."""
Row = dict[str, Any]


def recipe(name: str) -> dict[str, Any]:
    """Read the file of a recipe."""
    return {"preset": "mnist"} | yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))


def names(*presets: str) -> list[str]:
    """List the names of all recipes, or of the recipes of some presets, in alphabetical order."""
    every = sorted(path.stem for path in HERE.glob("*.yaml"))
    return [name for name in every if recipe(name)["preset"] in (presets or PROBES)]


def digest(said: dict[str, Any]) -> str:
    """Return the options that determine a run; for an IGN they include the values of the preset."""
    options = {k: said.get(k) for k in ("seconds", "options")}
    if "method" not in said["options"]:
        options["options"] = fields_of(said["preset"]) | said["options"]
    return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:8]


def rows() -> list[Row]:
    """Read all measured rows."""
    if not RESULTS.exists():
        return []
    with RESULTS.open(newline="") as file:
        return list(csv.DictReader(file))


def keep(row: Row) -> None:
    """Add a row, and replace an earlier row with the same name and seed."""
    key = str(row["name"]), str(row["seed"])
    every = [r for r in rows() if (r["name"], r["seed"]) != key] + [row]
    every.sort(key=lambda r: (str(r["name"]), int(r["seed"])))
    part = RESULTS.with_suffix(".part")
    with part.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(every)
    part.replace(RESULTS)


def trained(said: dict[str, Any], seed: int, source: str, out: Path) -> tuple[IGN, float]:
    """Train a model, and measure the processor time."""
    options = {**said["options"], "seed": seed, "data": source}
    probes = PROBES[said["preset"]]
    quiet = {"every": 10**9, "log_every": 100, "force": True}

    def spent(steps: int) -> tuple[IGN, float]:
        began = time.process_time()
        model = ign.train(said["preset"], out=out, **options | quiet | {"steps": steps})
        return model, time.process_time() - began

    begun, more = (spent(steps)[1] for steps in probes)
    each = (more - begun) / (probes[1] - probes[0])
    return spent(round((said["seconds"] - begun) / each))


def run(name: str, seed: int, source: str) -> Row:
    """Train and evaluate."""
    model, spent = trained(recipe(name), seed, source, RUNS / f"{name}-{seed}")
    model.save_pretrained(RUNS / f"{name}-{seed}-model")
    return measured(name, seed, source, model, spent)


def measured(name: str, seed: int, source: str, model: IGN, spent: float) -> Row:
    """Evaluate."""
    train_set, test = (data.load(source, split=split) for split in ("train", "test"))
    found = evaluate(model, test, train_set, samples=SAMPLES).results
    by_name = {row["name"]: row for row in found["rows"]}
    once, twice = by_name["f(z)"], by_name.get("f(f(z))", {})
    held_out = test.batch(torch.arange(HELD_OUT))
    drift = float(model.drift(held_out).mean()) if twice else ""
    far = steadiness(model, test, train_set) if twice else ""
    return {
        "name": name, "seed": seed, "steps": model.about["steps"], "seconds": round(spent),
        "FD": round(once["frechet"], 3), "FD ff": round(twice["frechet"], 3) if twice else "",
        "precision": round(once["precision"], 4), "recall": round(once["recall"], 4),
        "coverage": round(once["coverage"], 4), "nearest": round(once["nearest_ratio"], 3),
        "reconstruction": drift and round(drift, 5), "f^100": far, "options": digest(recipe(name)),
        "commit": describe()["commit"],
    }  # fmt: skip


def steadiness(model: IGN, test: data.ImageSet, train: data.ImageSet) -> float:
    """Divide the Fréchet distance of f^100(z) by the distance of f(z), on fewer samples."""
    found = evaluate(model, test, train, samples=HELD_OUT, applications=[1, FAR]).results
    distance = {row["name"]: row.get("frechet") for row in found["rows"]}
    return round(distance[f"f^{FAR}(z)"] / distance["f(z)"], 2)


def table(preset: str) -> str:
    """Format all rows of a preset as Markdown."""
    mine = names(preset)
    formats = dict.fromkeys(("FD", "precision", "recall", "coverage", "nearest"), "{:.2f}")
    formats |= {"reconstruction": "{:.4f}", "steps": "{:,}"}
    shown = [
        {k: v if k == "commit" else number(v) for k, v in row.items() if k != "options"}
        for row in rows()
        if row["name"] in mine
    ]
    return markdown(shown, formats) if shown else "Not measured yet."


def against(one: str = "mnist", other: str = "dcgan-5e-4") -> str:
    """Compare two recipes, with the range over the seeds, as Markdown."""
    names = {one: "IGN, f(z)", other: "DCGAN, rate 5e-4"}
    shown = []
    for name, label in names.items():
        mine = [row for row in rows() if row["name"] == name]
        cells = {"12 minutes on one core": label, "seeds": len(mine)}
        for measure in ("FD", "precision", "recall", "coverage", "f^100"):
            values = [float(row[measure]) for row in mine if row[measure]]
            ends = dict.fromkeys(f"{end(values):.2f}" for end in (min, max) if values)
            cells[measure] = " to ".join(ends)
        shown.append(cells)
    return markdown(shown, {})


def number(word: str) -> Any:
    """Convert a value of the CSV file to a number if possible."""
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def log() -> str:
    """Write the hypothesis, prediction, options and findings of each recipe that has rows."""
    parts, measured = [], {row["name"] for row in rows()}
    for name in names():
        if name not in measured:
            continue
        said = recipe(name)
        options = ", ".join(f"`{k} {v}`" for k, v in said["options"].items()) or "none"
        found = said.get("found", "Not evaluated yet.")
        parts.append(
            f"### {name}\n\n**Hypothesis.** {said['hypothesis']} **Prediction.**"
            f" {said['prediction']} **Options.** {options}. **Found.** {found}"
        )
    tables = f"{table('mnist')}\n\nFaces, width 24:\n\n{table('celeba')}"
    return f"{tables}\n\n" + "\n\n".join(parts)


def wanted(
    chosen: list[str], seeds: list[int] | None, preset: str = "mnist"
) -> list[tuple[str, int]]:
    """List the runs that have no row yet."""
    known = {(row["name"], row["seed"], row["options"]) for row in rows()}
    chosen = chosen or names(preset)
    every = [(name, seed) for name in chosen for seed in seeds or recipe(name)["seeds"]]
    return [(n, s) for n, s in every if (n, str(s), digest(recipe(n))) not in known]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[[], *names()], metavar="NAMES")
    parser.add_argument("--data", required=True, help="MNIST's idx files, or a folder of faces")
    parser.add_argument("--preset", choices=PROBES, default="mnist", help="whose recipes")
    parser.add_argument(
        "--seeds", type=int, nargs="+", help="seeds to use instead of the seeds in the file"
    )
    parser.add_argument("--side-by-side", type=int, default=2, metavar="N", help="runs at a time")
    parser.add_argument("--one", nargs=2, metavar=("NAME", "SEED"), help=argparse.SUPPRESS)
    parser.add_argument(
        "--dirty", action="store_true", help="write the results despite uncommitted changes"
    )
    options = parser.parse_args()
    if not options.one:
        try:
            check_commit(RESULTS)
        except argparse.ArgumentTypeError as error:
            parser.error(str(error))
    torch.set_num_threads(1)
    if options.one:
        name, seed = options.one
        print(json.dumps(run(name, int(seed), options.data)))
        return
    left = wanted(options.names, options.seeds, options.preset)
    for *_, said in side_by_side(__spec__.name, options.data, left, options.side_by_side):
        keep(json.loads(said.splitlines()[-1]))


if __name__ == "__main__":
    main()
