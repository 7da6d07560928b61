"""ign evaluate: how good a model is, by numbers that say what they are."""

__all__ = ["run"]

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ign import data
from ign.cli.common import fresh_folder, load_model, natural, parse, seed, verb
from ign.io.packaged import locate

WIDTH = 120


def run(words: Sequence[str]) -> None:
    """Write OUT/results.json, on wish OUT/index.html, and show the table."""
    options = _options(words)
    from ign.evaluate import evaluate, load_net
    from ign.evaluate.report import page, save, table, title

    out = fresh_folder(options.out, options.force)
    model = load_model(options)
    net = options.features and load_net(options.features, model.device, progress=True)
    channels, size, _ = model.shape
    real, train = (
        data.load(options.data, split=split, size=size, gray=channels == 1, progress=True)
        for split in (options.split, "train")
    )
    found = evaluate(
        model, real, train,
        samples=options.samples, applications=options.applications, features=net,
        seed=options.seed, neighbours=options.neighbours, tolerance=options.tolerance,
        batch_size=options.batch_size, progress=True,
    )  # fmt: skip
    results = found.results
    results["model"] = {"path": str(locate(options.model)), **results["model"]}
    for name, split in (("real", options.split), ("train", "train")):
        results["protocol"][name] |= {"source": options.data, "split": split}
    results["about"]["command"] = shlex.join(["ign", "evaluate", *words])
    saved = save(results, out)
    shown = page(found, options.model, out) if options.html else None
    console = Console(markup=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH
    print(f"{title(results)}\n")
    console.print(table(results), highlight=False)
    for kind in ("alarms", "warnings"):
        for text in results[kind]:
            print(f"{kind[:-1]}: {text}", file=sys.stderr)
    print(f"\n{saved}" + (f"\nlook at {shown}" if shown else ""))


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = verb(
        "evaluate",
        "Measure how good a model's samples are. Fréchet and kernel distance, precision, recall,"
        " density and coverage against held-out images, and how little the model changes what it"
        " made. Writes OUT/results.json with everything that defines the numbers.",
        "example:\n  ign evaluate runs/mnist --data mnist --out evaluation --html",
    )
    parser.add_argument(
        "--data", required=True, metavar="DATA",
        help="what the model was trained on: a named data set, a folder or a zip",
    )  # fmt: skip
    parser.add_argument(
        "--split", default="test", choices=("val", "test"), help="the held-out part"
    )
    parser.add_argument(
        "--samples", "-n", type=natural, default=10_000, metavar="N", help="how many samples"
    )
    parser.add_argument(
        "--applications", "-k", type=natural, nargs="+", default=[1, 2], metavar="K",
        help="how often the network is applied: f(z), f(f(z)), ...",
    )  # fmt: skip
    parser.add_argument(
        "--features", metavar="NET",
        help="mnist, faces, inception, or a file NAME.safetensors or NAME.pt (default: mnist for"
        " gray images of 28x28 pixels, faces for colour of 64x64)",
    )  # fmt: skip
    parser.add_argument("--seed", type=seed, default=0, help="of samples and subsets")
    parser.add_argument(
        "--neighbours", type=natural, default=5, metavar="K",
        help="which neighbour the balls of precision and coverage reach to",
    )  # fmt: skip
    parser.add_argument(
        "--tolerance", type=float, default=0.02, metavar="D",
        help="the drift under which a sample counts as at rest",
    )  # fmt: skip
    parser.add_argument("--html", action="store_true", help="write OUT/index.html with pictures")
    parser.add_argument(
        "--out", type=Path, default=Path("evaluation"), metavar="FOLDER", help="where to write"
    )
    return parse(parser, words)
