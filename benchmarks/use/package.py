"""Save a trained model in half precision as a model of the package.

    ign train mnist --data DATA/mnist --out runs/mnist
    python -m benchmarks.use.package mnist runs/mnist --data DATA/mnist

The script prints the size of the file, and the largest and the mean |difference| of a pixel in
[-1, 1] that half precision makes in 256 samples and in 256 projections of noise. With --data it
evaluates the saved model and writes the measures to the model card.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.machine import markdown
from ign import IGN
from ign.cli import main as ign
from ign.evaluate import card
from ign.io.packaged import PACKAGED, WEIGHTS

LIMIT = 8e6


def package(name: str, source: str) -> dict[str, float | str]:
    """Save the model under the name, and compare the saved model with the given one."""
    whole = IGN.from_pretrained(source)
    folder = whole.save_pretrained(PACKAGED / name, torch.float16)
    size = (folder / WEIGHTS).stat().st_size
    if size > LIMIT:
        raise SystemExit(f"{folder / WEIGHTS}: {size / 1e6:.1f} MB, over {LIMIT / 1e6:.0f} MB")
    half = IGN.from_pretrained(name)
    samples = (half.sample(256) - whole.sample(256)).abs()
    noise = whole.latents(torch.arange(256), seed=1)
    projections = (half.project(noise) - whole.project(noise)).abs()
    return {
        "model": name, "MB": size / 1e6,
        "samples max": samples.max().item(), "samples mean": samples.mean().item(),
        "projections max": projections.max().item(),
        "projections mean": projections.mean().item(),
    }  # fmt: skip


def describe(
    name: str, source: str, images: str, features: str | None, licence: str | None
) -> Path:
    """Write the card of the saved model: its measures, samples and projections."""
    model = IGN.from_pretrained(name)
    net = ["--features", features] if features else []
    with TemporaryDirectory() as out:
        if ign(["evaluate", name, "--data", images, "--out", out, *net]):
            raise SystemExit(f"{name}: not evaluated")
        return card.write(
            model, PACKAGED / name, name=name, results=out, run=card.run_of(source),
            licence=licence, **card.held_out(images, "test", model),
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", help="the name by which users load the model")
    parser.add_argument("model", help="a trained run or saved model")
    parser.add_argument("--data", help="the data that the model was trained on, for the card")
    parser.add_argument("--features", help="as in ign evaluate")
    parser.add_argument(
        "--licence", help="licence of the weights, such as mit (default: the licence of the data)"
    )
    options = parser.parse_args()
    formats = {"MB": "{:.1f}"} | dict.fromkeys(("samples", "projections"), "{:.4f}")
    print(markdown([package(options.name, options.model)], formats))
    if options.data:
        print(
            describe(options.name, options.model, options.data, options.features, options.licence)
        )


if __name__ == "__main__":
    main()
