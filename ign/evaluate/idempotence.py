r"""Does applying the network again change anything, and are samples still many?"""

__all__ = ["Walk", "alarms", "diversity", "walk"]

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ign.data import to_float, to_uint8
from ign.evaluate.observed import finite
from ign.model import BATCH, IGN
from ign.objective.distance import l1
from ign.project import applied

RARE = 0.1
"""The share of its frequency among real images below which a class counts as lost."""
UNIFORM = 0.5
"""The share of the real images' diversity below which samples count as collapsed."""
COPIED = 0.5
"""The ratio of distances to training images below which samples count as copies."""


class Walk(NamedTuple):
    r"""Samples and how far the network moves them.

    Attributes:
        samples: :math:`f^k(z)` for each k, (N, C, H, W) uint8, rounded to the nearest level.
        drifts: :math:`|f^{k+1}(z) - f^k(z)|` for each k, (N,), before rounding; empty where the
            network cannot be applied again.
        noise: :math:`|f(z) - z|`, (N,).
    """

    samples: dict[int, Tensor]
    drifts: dict[int, Tensor]
    noise: Tensor


def walk(
    model: IGN,
    n: int,
    applications: Sequence[int] = (1, 2),
    seed: int = 0,
    batch_size: int = BATCH,
    advance: Callable[[int], object] = int,
) -> Walk:
    r"""Draw samples and apply the network once more to each; distances are mean and absolute.

    Of a generator that cannot be given images there is :math:`f(z)` alone, and no drift.

    Args:
        model: The model, which samples in evaluation mode.
        n: How many.
        applications: Each k, at least 1.
        seed: Of the samples.
        batch_size: How many pass through the network at a time.
        advance: Told after each batch how many there were.

    Raises:
        ValueError: A sample holds NaN or infinity, or n or k is below 1.
    """
    again = model.projects
    ks = sorted(set(applications)) if again else [1]
    wanted = sorted({1, *ks, *(k + 1 for k in ks if again)})
    images: dict[int, list[Tensor]] = {k: [] for k in ks}
    drifts: dict[int, list[Tensor]] = {k: [] for k in ks}
    noise: list[Tensor] = []
    for start in range(0, max(n, 1), batch_size):
        count = min(batch_size, n - start)
        parts = model.sample_trajectory(count, wanted, seed, max(count, 1), start)
        at = {k: finite(x, applied(k, "z"), start) for k, x in zip(wanted, parts, strict=True)}
        noise.append(l1(at[1], model.latents(torch.arange(start, start + count), seed)).cpu())
        for k in ks:
            images[k].append(to_uint8(at[k]).cpu())
            drifts[k] += [l1(at[k + 1], at[k]).cpu()] if again else []
        advance(count)
    return Walk(
        {k: torch.cat(v) for k, v in images.items()},
        {k: torch.cat(v) for k, v in drifts.items() if v},
        torch.cat(noise),
    )


def diversity(images: Tensor) -> float:
    """The mean Euclidean distance of two images of (N, C, H, W) uint8; 0 where there is one."""
    return torch.pdist(to_float(images).flatten(1)).mean().item() if len(images) > 1 else 0.0


def alarms(
    row: Mapping[str, Any], real: Mapping[str, Any], classes: Sequence[str] = ()
) -> list[str]:
    """What is wrong with samples that a mean would hide: lost classes, no diversity, copies.

    Args:
        row: The measures of samples, as :meth:`ign.evaluate.Reference.measure` finds them.
        real: Those of the real images.
        classes: The names of the classes.

    Returns:
        A sentence for each.
    """
    found = []
    shares = zip(classes, row.get("classes", ()), real.get("classes", ()), strict=False)
    lost = [f"{name!r} ({share:.1%} of {wanted:.1%})" for name, share, wanted in shares
            if share < RARE * wanted]  # fmt: skip
    if lost:
        found.append(f"collapse: hardly any samples of {', '.join(lost)}")
    if row["diversity"] < UNIFORM:
        found.append(f"collapse: the diversity is {row['diversity']:.2f} of the real images'")
    if row.get("nearest_ratio", 1) < COPIED:
        found.append(
            f"copies: training images are {row['nearest_ratio']:.2f} times as near as to real ones"
        )
    return found
