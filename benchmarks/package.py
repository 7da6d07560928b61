"""Put a trained model into the package, in half precision, under a name that users load it by.

    ign train mnist --data DATA/mnist --out runs/mnist
    python benchmarks/package.py mnist runs/mnist --data DATA/mnist

It prints how large the file is and how far half precision moves the samples and the projections
of noise: the largest and the mean |difference| of a pixel, of [-1, 1], over 256 of each. With
--data it evaluates what was saved, and the card beside it holds the measures.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from machine import markdown

from ign import IGN
from ign.cli import main as ign
from ign.evaluate import card
from ign.io.packaged import PACKAGED, WEIGHTS

LIMIT = 8e6


def package(name: str, source: str) -> dict[str, float | str]:
    """Save the model under the name, and compare what was saved with what was given."""
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
    """Write the card of what was saved: its measures, samples and projections."""
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
    parser.add_argument("name", help="what users shall call it")
    parser.add_argument("model", help="a trained run or saved model")
    parser.add_argument("--data", help="what it was trained on, for the card")
    parser.add_argument("--features", help="as in ign evaluate")
    parser.add_argument("--licence", help="of the weights, such as mit; else that of the data")
    options = parser.parse_args()
    formats = {"MB": "{:.1f}"} | dict.fromkeys(("samples", "projections"), "{:.4f}")
    print(markdown([package(options.name, options.model)], formats))
    if options.data:
        print(
            describe(options.name, options.model, options.data, options.features, options.licence)
        )


if __name__ == "__main__":
    main()
