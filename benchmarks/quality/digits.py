"""Are the samples of the demo digits, do they cover all ten classes, and are they not copies?

    python -m benchmarks.quality.digits [--model RUN] [--set steps=... match.weight=0] [--out F]

The script trains the preset ``digits``, or loads a trained model, and draws 1,000 samples f(z) with
seed 1 in evaluation mode. A support vector machine classifies them. Its probabilities come from
Platt scaling and pairwise coupling, and it was trained on the same 80 % of the digits at the same
size. For comparison, the table contains the held-out digits (the result of a perfect generator),
the samples after another projection, averages of two training digits, and Gaussian noise. The last
two are controls that should fail. The last column detects copies: it is the median distance to the
nearest training digit, divided by the same median of the held-out digits.
"""

import argparse
import tempfile
import time
import warnings
from typing import Any

import numpy as np
import torch
import yaml
from sklearn.svm import SVC
from torch import Tensor

import ign
from benchmarks import frozen
from benchmarks.machine import add_out, describe, publish
from ign import data

SAMPLES, SURE = 1000, 0.8


def load(size: int) -> tuple[data.ImageSet, data.ImageSet]:
    """Load the training and the held-out digits."""
    return data.load("digits", split="train", size=size), data.load(
        "digits", split="test", size=size
    )


def every(images: data.ImageSet) -> Tensor:
    """Return all images, (N, C, H, W) in [-1, 1]."""
    return images.batch(torch.arange(len(images)))


def classifier(train: data.ImageSet) -> SVC:
    """Train the support vector machine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return SVC(C=10, probability=True, random_state=0).fit(
            every(train).flatten(1).numpy(), train.labels.numpy()
        )


def judge(svm: SVC, images: Tensor, train: Tensor) -> dict[str, float]:
    """Measure how sure the classifier is, the shares of the classes, and the nearest distance."""
    p = svm.predict_proba(images.flatten(1).double().numpy())
    shares = np.bincount(p.argmax(1), minlength=10) / len(p)
    near = torch.cdist(images.flatten(1), train.flatten(1)).min(1).values.median().item()
    return {
        "sure": float((p.max(1) > SURE).mean()),
        "least_class": float(shares.min()),
        "largest_class": float(shares.max()),
        "nearest": near,
    }


def measure(model: ign.IGN) -> dict[str, Any]:
    """Measure the samples of a model and the controls."""
    train, test = load(model.shape[-1])
    svm, known, held_out = classifier(train), every(train), every(test)
    once, twice = model.sample_trajectory(SAMPLES, [1, 2], seed=1)
    half = torch.randperm(len(known), generator=torch.Generator().manual_seed(0))[:SAMPLES]
    sets = {
        "f(z)": once,
        "f(f(z))": twice,
        "held-out digits": held_out,
        "average of two digits": (known[half] + known[half.flip(0)]) / 2,
        "Gaussian noise": model.latents(torch.arange(SAMPLES)),
    }
    rows = {name: judge(svm, images, known) for name, images in sets.items()}
    for row in rows.values():
        row["nearest_ratio"] = row["nearest"] / rows["held-out digits"]["nearest"]
    accuracy = svm.score(held_out.flatten(1).numpy(), test.labels.numpy())
    return {"accuracy": float(accuracy), "rows": rows}


def table(found: dict[str, Any]) -> str:
    """Format the rows as Markdown."""
    lines = [
        f"| images | probability over {SURE} | smallest class | largest class | nearest, ratio |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, r in found["rows"].items():
        cells = f"{r['sure']:.1%} | {r['least_class']:.1%} | {r['largest_class']:.1%}"
        lines.append(f"| {name} | {cells} | {r['nearest_ratio']:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model")
    parser.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE")
    add_out(parser)
    options = parser.parse_args()
    chosen = {k: yaml.safe_load(v) for k, _, v in (s.partition("=") for s in options.set)}
    about: dict[str, Any] = describe()
    began = time.perf_counter()
    if options.model:
        model = ign.IGN.from_pretrained(options.model)
    else:
        with tempfile.TemporaryDirectory() as folder:
            model = frozen.train("digits", f"{folder}/run", **chosen)
        about["training_seconds"] = round(time.perf_counter() - began)
    found = measure(model)
    about |= {
        "samples": SAMPLES,
        "seed": 1,
        "classifier_accuracy": found["accuracy"],
        **model.about,
    }
    publish(table(found), {"about": about, **found}, options.out)


if __name__ == "__main__":
    main()
