"""The cost of a training step apart from its arithmetic: data loading, training loop and logging.

    python -m benchmarks.speed.pipeline --mnist data/mnist --celeba data/celeba/celeba64-train.zip

Steps of the frozen configurations `mnist` and `celeba` (with width 24) are measured in four ways,
one after the other in each round. "bare loop" is a loop with the objective, Adam and the moving
average on one fixed batch. "fixed batch" is `ign train` with the same batch at every step,
including Lightning, the log and the progress bar. The other two are `ign train` without changes,
with the images in memory, or mapped into memory from a file. The time of a step is taken from the
log of the run, without the first steps and the checks. The table reports medians over rounds, and
the median over rounds of the ratio to the fixed batch.
"""

import argparse
import contextlib
import functools
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from benchmarks import frozen
from benchmarks.machine import add_out, markdown, publish, timed
from ign import data
from ign.training.module import Training
from ign.training.precision import precision_of
from ign.training.setup import load_images, make_model

WARM = 10
PRESETS: dict[str, dict[str, Any]] = {"mnist": {}, "celeba": {"network.width": 24}}
LOAD = data.load
Row = dict[str, Any]


def trained(preset: str, options: dict[str, Any], out: Path) -> float:
    """Measure the seconds of a step of ``ign train`` from its record."""
    with contextlib.redirect_stderr(io.StringIO()):
        frozen.train(preset, out, every=10**9, log_every=WARM, **options)
    lines = (out / "metrics.csv").read_text(encoding="utf-8").splitlines()
    rows = [dict(zip(lines[0].split(","), x.split(","), strict=True)) for x in lines[1:]]
    first, last = rows[0], rows[-1]
    steps = int(last["step"]) - int(first["step"])
    return (float(last["seconds"]) - float(first["seconds"])) / steps


def bare(preset: str, options: dict[str, Any]) -> float:
    """Measure the seconds of a step in a plain loop."""
    config = frozen.configuration(preset, options)
    images, _ = load_images(config)
    model, method = make_model(config, images, None)
    module = Training(model, method, images, config)
    model.network.train()
    batch = module.batch(0, 0, config.batch_size)
    optimizer = torch.optim.Adam(model.network.parameters(), config.learning_rate, fused=True)
    half = precision_of(config.trainer) == "bf16-mixed"
    for step in range(config.steps):
        if step == WARM:
            began = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast(module.device.type, torch.bfloat16, enabled=half):
            (update,) = method.losses(model.network, batch)
        update.loss.backward()
        optimizer.step()
        module.average.update(model.network, step)
    return (time.perf_counter() - began) / (config.steps - WARM)


@contextlib.contextmanager
def fixed() -> Iterator[None]:
    """Use the batch and the anchors of the first step at every step."""
    plain = Training.batch
    first = functools.cache(lambda self, count: plain(self, 0, 0, count))
    with patch.object(Training, "batch", lambda self, step, begin, count: first(self, count)):
        yield


def held(cache: str, limit: float) -> Any:
    """Keep sources in memory or, if the limit is 0, map them from the cache folder."""

    def load(*words: Any, **options: Any) -> data.ImageSet:
        return LOAD(*words, **options | {"memory_limit": limit}, cache=None if limit else cache)

    return patch("ign.data.load", load)


def compare(preset: str, source: str, steps: int, rounds: int, folder: Path) -> list[Row]:
    """Measure all four in turn."""
    options = {"data": source, "steps": WARM + steps, **PRESETS[preset]}
    places = (folder / f"{preset}-{n}" for n in range(10**6))
    train: Callable[[], float] = lambda: trained(preset, options, next(places))  # noqa: E731
    memory, mapped = 1e12, 0
    ways: dict[str, tuple[list[Any], Callable[[], float]]] = {
        "bare loop": ([memory], lambda: bare(preset, options)),
        "fixed batch": ([memory, fixed], train),
        "in memory": ([memory], train),
        "memory-mapped": ([mapped], train),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, ((limit, *around), call) in ways.items():
            with contextlib.ExitStack() as stack:
                stack.enter_context(held(str(folder / "cache"), limit))
                for context in around:
                    stack.enter_context(context())
                times[name].append(call())
    rows = []
    for name, found in times.items():
        ratios = [a / b for a, b in zip(found, times["fixed batch"], strict=True)]
        rows.append({
            "preset": preset, "loop and data": name, "ms a step": 1e3 * statistics.median(found),
            "of the fixed batch": statistics.median(ratios),
        })  # fmt: skip
    return rows


def table(rows: list[Row]) -> str:
    """Format the rows as Markdown."""
    return markdown(rows, {"ms": "{:,.1f}", "of": "{:.3f}"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mnist")
    parser.add_argument("--celeba")
    parser.add_argument(
        "--steps", type=int, default=40, help="steps of each run; the first 10 are not counted"
    )
    parser.add_argument("--rounds", type=int, default=5)
    add_out(parser)
    options = parser.parse_args()
    rows: list[Row] = []
    about = timed()
    with tempfile.TemporaryDirectory() as folder:
        for preset in PRESETS:
            if source := getattr(options, preset):
                rows += compare(preset, source, options.steps, options.rounds, Path(folder))
    about |= {"rounds": options.rounds, "steps": options.steps}
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
