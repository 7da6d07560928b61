"""The effect of quantizing the code: the same model with and without it.

    python -m benchmarks.quality.grid mnist --data DATA/mnist --out docs/results/grid.json
    python -m benchmarks.quality.grid runs/celeba --data DATA/celeba -n 1000 \
        --picture iterates.png --out docs/results/grid-faces.json

A model that quantizes its code (`network.rounding`) is evaluated twice in evaluation mode, with and
without the quantization. The table reports the Fréchet distance between f^k(z), for samples of
seed 0, and the held-out images, in the features of `ign evaluate`. *Resting* is the share of
samples that do not change in a single bit when the network is applied again, after 10 and after 100
applications. *reconstruction* is the mean |f(x) - x| of 1,000 held-out images in [-1, 1].
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.machine import add_out, describe, markdown, publish
from ign import IGN, data
from ign.data import ImageSet
from ign.evaluate import evaluate
from ign.view import pictures

APPLICATIONS = [1, 2, 10, 100]
FOLLOWED, HELD_OUT, SHOWN = 200, 1_000, 10
KINDS = {"grid": True, "no grid": False}
Row = dict[str, Any]


def table(rows: list[Row]) -> str:
    """Format the rows as Markdown."""
    return markdown(rows, {"FD": "{:.2f}", "resting": "{:.0%}", "reconstruction": "{:.4f}"})


@contextmanager
def grid(model: IGN, on: bool) -> Iterator[None]:
    """Copy the model with or without quantization."""
    network: Any = model.network
    step = network.rounding
    network.rounding = step if on else 0.0
    try:
        yield
    finally:
        network.rounding = step


def row(model: IGN, on: bool, test: ImageSet, train: ImageSet, samples: int) -> Row:
    """Measure the model with or without quantization."""
    with grid(model, on):
        found = evaluate(model, test, train, samples=samples, applications=APPLICATIONS).results
        far = [row["frechet"] for row in found["rows"] if row["name"].startswith("f")]
        held_out = test.batch(torch.arange(min(HELD_OUT, len(test))))
        z = model.latents(torch.arange(FOLLOWED), seed=0)
        after = [k for k in APPLICATIONS if k >= 10]
        chain = model.trajectory(z, sorted([*after, *(k + 1 for k in after)]), noise=True)
        still = [_same(a, b) for a, b in zip(chain[::2], chain[1::2], strict=True)]
        return {
            **{f"FD f^{k}(z)": fd for k, fd in zip(APPLICATIONS, far, strict=True)},
            **{f"resting at k = {k}": share for k, share in zip(after, still, strict=True)},
            "reconstruction": model.drift(held_out).mean().item(),
        }


def _same(a: Tensor, b: Tensor) -> float:
    return (a == b).flatten(1).all(1).float().mean().item()


def picture(model: IGN) -> Any:
    """Draw samples after several applications, without quantization above and with it below."""
    z, shown = model.latents(torch.arange(SHOWN), seed=0), [1, 3, 10, 30, 100, 300]
    rows = []
    for name, on in reversed(KINDS.items()):
        with grid(model, on):
            chain = model.trajectory(z, shown, noise=True)
        rows += [(f"{name}\nk = {k}", x) for k, x in zip(shown, chain, strict=True)]
    return pictures.sheet(rows, group=len(shown))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--data", required=True)
    parser.add_argument("-n", type=int, default=2000, help="samples")
    parser.add_argument(
        "--picture", type=Path, help="PNG file for samples with and without quantization"
    )
    add_out(parser)
    options = parser.parse_args()
    model = IGN.from_pretrained(options.model)
    if not getattr(model.network, "rounding", 0.0):
        raise SystemExit(
            f"{options.model}: its code is not quantized; train it with network.rounding"
        )
    if options.picture:
        pictures.save(picture(model), options.picture)
    train, test = (data.load(options.data, split=split) for split in ("train", "test"))
    rows = [{"code": name, **row(model, on, test, train, options.n)} for name, on in KINDS.items()]
    about = {**describe(), "samples": options.n, "followed": FOLLOWED}
    publish(
        table(rows), {"about": about | {"steps": model.about["steps"]}, "rows": rows}, options.out
    )


if __name__ == "__main__":
    main()
