"""The evaluation protocol of a model."""

__all__ = ["Evaluation", "evaluate"]

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ign.core import terminal
from ign.core.statistics import below
from ign.data import ImageSet, to_float
from ign.evaluate.alarms import alarms
from ign.evaluate.inception import Net, load_net
from ign.evaluate.machine import describe
from ign.evaluate.outputs import digest
from ign.evaluate.reference import Reference, default_net
from ign.evaluate.sampling import Samples, draw_samples
from ign.evaluate.schema import FORMAT
from ign.model import BATCH, IGN
from ign.project import applied

FEW = 2048
"""With fewer images the covariance of the 2,048 features of Inception is singular."""
HELD_OUT, TRAIN, NOISE = "held-out images", "training images", "noise"


@dataclass
class Evaluation:
    """The result of an evaluation.

    Attributes:
        results: All numbers with the settings that define them, the contents of ``results.json``.
        samples: For each k the samples, (N, C, H, W) uint8.
        drifts: For each row of the results the drift of each image, (N,).
        copies: For each k the first samples and the nearest training image of each,
            (2, n, C, H, W) uint8; empty without training images.
    """

    results: dict[str, Any]
    samples: dict[int, Tensor]
    drifts: dict[str, Tensor]
    copies: dict[int, Tensor]


def evaluate(
    model: IGN,
    real: ImageSet | Tensor,
    train: ImageSet | Tensor | None = None,
    *,
    samples: int = 10_000,
    applications: Sequence[int] = (1, 2),
    features: Net | str | Path | None = None,
    seed: int = 0,
    neighbours: int = 5,
    tolerance: float = 0.02,
    cache: str | os.PathLike[str] | None = None,
    batch_size: int = BATCH,
    progress: bool = False,
) -> Evaluation:
    r"""Measure a model by the protocol in ``docs/evaluation.md``.

    Samples :math:`f^k(z)` are drawn in evaluation mode, rounded to bytes and compared with the
    real images. The same number of training images is measured too, which shows the values of a
    perfect generator. The drift is the mean absolute difference :math:`|f(y) - y|`.

    Args:
        model: The model.
        real: Held-out images: an image set, or (N, C, H, W) in [-1, 1], of the model's shape.
        train: The training images, in the same form; None to skip the measures that need them.
        samples: The number of samples for each k. Below 2,048 the results contain a warning.
        applications: The values of k, each at least 1.
        features: A feature net, or a name for :func:`ign.evaluate.load_net`; None for
            :func:`ign.evaluate.default_net`.
        seed: The seed of the samples and of random subsets.
        neighbours: k of :func:`ign.evaluate.manifold`.
        tolerance: The drift below which an image counts as a fixed point, above 0.
        cache: The folder for cached features; None for ``IGN_CACHE`` or ``~/.cache/ign``.
        batch_size: The number of images in one pass through a network.
        progress: Whether to show progress bars.

    Returns:
        The numbers with the settings that define them, the samples and their drifts.

    Raises:
        ValueError: Images of another shape or range, too few samples or images, or a sample that
            holds NaN or infinity.
        ModelError: The feature net does not exist or cannot be loaded.
    """
    began = time.perf_counter()
    _check(model, real, train, samples, neighbours, tolerance)
    with terminal.progress(shown=progress) as bar:
        if features is None or isinstance(features, str | Path):
            features = load_net(features or default_net(model.shape), model.device, progress)
        reference = Reference(
            real, train, features,
            neighbours=neighbours, seed=seed, cache=cache, batch_size=batch_size, bar=bar,
        )  # fmt: skip
        advance = reference.task("samples", samples)
        drawn = draw_samples(model, samples, applications, seed, batch_size, advance)
        rows, copies = _sample_rows(reference, drawn)
        fixed, drifts = _fixed_rows(reference, model, samples)
    drifts = {applied(k, "z"): x for k, x in drawn.drifts.items()} | drifts
    drifts[NOISE] = drawn.noise
    rows = _with_drift([*rows, *fixed, {"name": NOISE}], drifts, tolerance)
    protocol = {"samples": samples, "tolerance": tolerance, **reference.facts()}
    found = {
        "format": FORMAT,
        "model": _facts(model),
        "protocol": protocol,
        "rows": rows,
        "alarms": _alarms(rows, protocol["features"].get("classes", ())),
        "warnings": _warnings(samples, reference, model),
        "about": describe(device=model.device),
        "seconds": round(time.perf_counter() - began, 1),
    }
    return Evaluation(found, drawn.images, drifts, copies)


def _check(
    model: IGN, real: ImageSet | Tensor, train: ImageSet | Tensor | None,
    samples: int, neighbours: int, tolerance: float,
) -> None:  # fmt: skip
    """Check arguments that would otherwise raise an error only after minutes."""
    for images, what in ((real, "real"), (train, "training")):
        shape = model.shape if images is None else tuple(images.shape)[-3:]
        if shape != model.shape:
            raise ValueError(f"{what} images are {shape}; this model's are {model.shape}")
    if not 1 <= neighbours < min(samples, len(real)):
        raise ValueError(
            f"neighbours {neighbours} must be at least 1 and less than the {samples} samples and"
            f" {len(real)} real images"
        )
    if not tolerance > 0:
        raise ValueError(f"tolerance {tolerance} must be above 0")


def _sample_rows(
    reference: Reference, drawn: Samples
) -> tuple[list[dict[str, Any]], dict[int, Tensor]]:
    """A row for each k, and the first samples with the nearest training images."""
    rows, copies = [], {}
    for k, images in drawn.images.items():
        name = applied(k, "z")
        row = {"name": name, "applications": k, **reference.measure(images, name)}
        if reference.train is not None:
            row["nearest_ratio"], copies[k] = reference.nearest_training(images)
        rows.append(row)
    return rows, copies


def _fixed_rows(
    reference: Reference, model: IGN, n: int
) -> tuple[list[dict[str, Any]], dict[str, Tensor]]:
    """The rows of n training images and of the real set, and the drifts of both."""
    rows: list[dict[str, Any]] = []
    sets = {HELD_OUT: reference.real}
    if reference.train is not None:
        sets = {TRAIN: reference.train[reference.subset(len(reference.train), n)], **sets}
        rows.append({"name": TRAIN, **reference.measure(sets[TRAIN], TRAIN, fixed=True)})
    row = {"name": HELD_OUT, "images": len(reference.real)}
    rows.append(row | reference.image_statistics(reference.real, reference.real_outputs))
    drifts = {}
    for name, images in sets.items() if model.projects else ():
        advance, parts = reference.task(f"drift of {name}", len(images)), []
        for part in images.split(reference.batch_size):
            parts.append(model.drift(to_float(part), len(part), "l1").cpu())
            advance(len(part))
        drifts[name] = torch.cat(parts)
    return rows, drifts


def _with_drift(
    rows: Sequence[dict[str, Any]], drifts: dict[str, Tensor], tolerance: float
) -> list[dict[str, Any]]:
    """Add to each row the mean drift and the share of images with a drift below the tolerance."""
    found = []
    for row in rows:
        if row["name"] not in drifts:
            found.append(row)
            continue
        drift = drifts[row["name"]].double()
        still = below(drift, tolerance).double().mean().item()
        found.append({**row, "drift": drift.mean().item(), "still": still})
    return found


def _facts(model: IGN) -> dict[str, Any]:
    return {
        "sha256": digest(list(model.state_dict().values())),
        "shape": list(model.shape),
        "distance": str(model.distance),
        "about": model.about,
    }


def _alarms(rows: Sequence[dict[str, Any]], classes: Sequence[str]) -> list[str]:
    real = next(row for row in rows if row["name"] == HELD_OUT)
    samples = (row for row in rows if "applications" in row)
    return [f"{row['name']}: {alarm}" for row in samples for alarm in alarms(row, real, classes)]


def _warnings(samples: int, reference: Reference, model: IGN) -> list[str]:
    """The reasons why numbers are missing or should not be cited."""
    found = (
        []
        if model.projects
        else ["this model does not accept images, so only f(z) is measured, without a drift"]
    )
    few = [
        f"{n:,} {what}"
        for n, what in ((samples, "samples"), (len(reference.real), "real images"))
        if n < FEW
    ]
    if few:
        which = " and ".join(few)
        found.append(
            f"{which}: under {FEW:,} the Fréchet distance depends on the count, so do not cite it"
        )
    return found + reference.warnings()
