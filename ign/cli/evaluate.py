"""ign evaluate: measure the samples of a model, and record the settings of the measurement."""

__all__ = ["run"]

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ign.cli.common import (
    is_inspector_name,
    load_model,
    natural,
    parse,
    pick_device,
    positive,
    seed,
    verb,
)
from ign.core.folder import output_folder
from ign.core.terminal import console_on, echo
from ign.core.text import printable

WIDTH = 120


def run(words: Sequence[str]) -> None:
    """Write OUT/results.json, with --html also OUT/index.html, and show the table."""
    options = _options(words)
    if is_inspector_name(options.model):
        _evaluate_parts(options, words)
        return
    with output_folder(options.out, options.force) as out:
        results = _evaluate(options, words, out.work)
    _show(results)
    page = f"\nlook at {options.out / 'index.html'}" if options.html else ""
    echo(f"\n{options.out / 'results.json'}{page}")


def _evaluate(options: argparse.Namespace, words: Sequence[str], out: Path) -> dict[str, Any]:
    """Evaluate, and write the results and the page."""
    from ign import data
    from ign.evaluate import evaluate, load_net
    from ign.evaluate.report import page, save
    from ign.io.packaged import locate

    model = load_model(options)
    net = options.features and load_net(options.features, model.device, progress=True)
    splits = dict.fromkeys((options.split, "train"))
    parts = data.load_splits(options.data, splits, progress=True, **model.load_options)
    real, train = parts[options.split], parts["train"]
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
    save(results, out)
    if options.html:
        page(found, options.model, out)
    return results


def _evaluate_parts(options: argparse.Namespace, words: Sequence[str]) -> None:
    """Evaluate a model of train inspect on a layout, and write results and page."""
    from ign.data.layout import find_layout
    from ign.evaluate.parts import alarms, evaluate_parts, page, table
    from ign.evaluate.report import save
    from ign.inspection import load_inspector

    inspector = load_inspector(options.model, pick_device(options.device))
    layout = find_layout(options.data)
    echo(f"{printable(options.data)}: {layout.describe()}", error=True)
    with output_folder(options.out, options.force) as out:
        found = evaluate_parts(inspector, layout)
        found.results["about"] = {
            "command": shlex.join(["ign", "evaluate", *words]), "model": inspector.about,
            "backbone": inspector.backbone, "size": inspector.features.size,
        }  # fmt: skip
        save(found.results, out.work)
        page(found, inspector, str(options.model), out.work)
    console = console_on()
    if not console.is_terminal:
        console.width = WIDTH
    console.print(table(found.results))
    echo(alarms(found.results))
    echo(f"\n{options.out / 'results.json'}\nlook at {options.out / 'index.html'}")


def _show(results: dict[str, Any]) -> None:
    """Print the table, and the alarms and warnings on standard error."""
    from ign.evaluate.report import table, title

    console = console_on()
    if not console.is_terminal:
        console.width = WIDTH
    echo(f"{title(results)}\n")
    console.print(table(results))
    for kind in ("alarms", "warnings"):
        for text in results[kind]:
            echo(f"{kind[:-1]}: {text}", error=True)


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = verb(
        "evaluate",
        "Measure the quality of a model's samples. The measures are Fréchet and kernel distance,"
        " precision, recall, density and coverage against held-out images, and the drift. Writes"
        " OUT/results.json, which includes all settings that define the numbers. For a model of"
        " ign train inspect, --data is a layout with test/good and test/DEFECT, measured by"
        " AUROC, average precision, F1, AUPRO and AUPIMO; the other options do not apply.",
        "examples:\n  ign evaluate runs/mnist --data mnist --out evaluation --html\n"
        "  ign evaluate runs/parts --data parts/ --out evaluation",
    )
    parser.add_argument(
        "--data", required=True, metavar="DATA",
        help="the data that the model was trained on: a named data set, a folder or a zip",
    )  # fmt: skip
    parser.add_argument(
        "--split", default="test", choices=("val", "test"), help="the held-out part"
    )
    parser.add_argument(
        "--samples", "-n", type=natural, default=10_000, metavar="N", help="number of samples"
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
    parser.add_argument("--seed", type=seed, default=0, help="seed of samples and subsets")
    parser.add_argument(
        "--neighbours", type=natural, default=5, metavar="K",
        help="the nearest neighbour that sets the radius for precision and coverage",
    )  # fmt: skip
    parser.add_argument(
        "--tolerance", type=positive, default=0.02, metavar="D",
        help="a sample with a smaller drift counts as a fixed point",
    )  # fmt: skip
    parser.add_argument("--html", action="store_true", help="write OUT/index.html with pictures")
    parser.add_argument(
        "--out", type=Path, default=Path("evaluation"), metavar="FOLDER", help="where to write"
    )
    return parse(parser, words)
