r"""Samples of a model, and the drift when the network is applied to them again."""

__all__ = ["Samples", "draw_samples"]

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ign.data import to_uint8
from ign.evaluate.outputs import check_finite
from ign.model import BATCH, IGN
from ign.objective.distance import l1
from ign.project import applied


class Samples(NamedTuple):
    r"""Samples, and the drift of each, a mean absolute difference of values in [-1, 1].

    Attributes:
        images: :math:`f^k(z)` for each k, (N, C, H, W) uint8, rounded to the nearest level.
        drifts: :math:`|f^{k+1}(z) - f^k(z)|` for each k, (N,), before rounding; empty for a
            generator that takes no images.
        noise: :math:`|f(z) - z|`, (N,).
    """

    images: dict[int, Tensor]
    drifts: dict[int, Tensor]
    noise: Tensor


def draw_samples(
    model: IGN,
    n: int,
    applications: Sequence[int] = (1, 2),
    seed: int = 0,
    batch_size: int = BATCH,
    advance: Callable[[int], object] = int,
) -> Samples:
    r"""Draw samples in evaluation mode, and apply the network once more to each.

    A generator that does not accept images gives :math:`f(z)` only, and no drift.

    Args:
        model: The model.
        n: The number of samples, at least 1.
        applications: The values of k, each at least 1.
        seed: The seed of the samples.
        batch_size: The number of samples in one pass through the network.
        advance: Called after each batch with the number of its samples.

    Raises:
        ValueError: A sample holds NaN or infinity, or ``n`` or a k is below 1.
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
        at = {
            k: check_finite(x, applied(k, "z"), start) for k, x in zip(wanted, parts, strict=True)
        }
        noise.append(l1(at[1], model.latents(torch.arange(start, start + count), seed)).cpu())
        for k in ks:
            images[k].append(to_uint8(at[k]).cpu())
            drifts[k] += [l1(at[k + 1], at[k]).cpu()] if again else []
        advance(count)
    return Samples(
        {k: torch.cat(v) for k, v in images.items()},
        {k: torch.cat(v) for k, v in drifts.items() if v},
        torch.cat(noise),
    )
