r"""How far an image is from the data: scores, maps of where, and what is usual among clean images.

The network moves an image towards the data; how far it moves it is a score that needs no
anomalies to train on.
"""

__all__ = [
    "COLUMNS",
    "SCORES",
    "Calibration",
    "Seen",
    "look",
    "score",
    "score_map",
    "scores",
    "words",
]

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ign.objective.distance import Distance, find_distance
from ign.project import trajectory

SCORES = {"displacement": (1, 0), "residual": (2, 1)}
"""The scores, each between two numbers of applications."""

COLUMNS = ("file", "score", "percentile", "flag")
"""The columns of a table of scores; the last three are :func:`words`."""

LEVELS = 1001
"""How many quantiles of the clean scores are kept."""


def score(
    network: nn.Module, y: Tensor, kind: str = "displacement", distance: str | Distance = "l1"
) -> Tensor:
    r"""How far the network moves each image.

    .. math:: \mathrm{displacement}(y) = D(f(y), y), \qquad
        \mathrm{residual}(y) = D(f(f(y)), f(y))

    Args:
        network: The network f.
        y: Images, (B, C, H, W) in [-1, 1].
        kind: ``displacement`` or ``residual``.
        distance: D, as in :class:`ign.objective.IGNObjective`.

    Returns:
        (B,), at least 0; small on the data.

    Raises:
        ValueError: The kind is unknown.

    References:
        Shocher et al., 2024, Section 2.1 (arXiv 2311.01462), for the drift. How well either tells
        anomalies is measured in ``docs/results.md``.
    """
    after, before = _both(network, y, kind)
    return find_distance(distance)(after, before)


def score_map(network: nn.Module, y: Tensor, kind: str = "displacement") -> Tensor:
    """Where an image is moved: the absolute difference behind :func:`score`, mean over channels.

    Returns:
        (B, H, W), whose mean is the score where D is L1. Of vectors, which have no channels, it
        is (B, D).
    """
    return _moved(*_both(network, y, kind))


class Seen(NamedTuple):
    """What two applications at most tell of images.

    Attributes:
        score: As :func:`ign.anomaly.score`, (B,).
        map: As :func:`score_map`, (B, H, W).
        projected: f(y), (B, C, H, W).
    """

    score: Tensor
    map: Tensor
    projected: Tensor


def look(
    network: nn.Module, y: Tensor, kind: str = "displacement", distance: str | Distance = "l1"
) -> Seen:
    """Score, map and projection of each image, the network applied once for all three.

    The arguments, and what is raised, are those of :func:`score`.
    """
    after, before = _both(network, y, kind)
    projected = after if SCORES[kind][0] == 1 else before
    return Seen(find_distance(distance)(after, before), _moved(after, before), projected)


def scores(network: nn.Module, y: Tensor, distance: str | Distance = "l1") -> dict[str, Tensor]:
    """Every kind of :func:`score`, (B,) each, from one trajectory."""
    d, steps = find_distance(distance), sorted({k for pair in SCORES.values() for k in pair})
    found = dict(zip(steps, trajectory(network, y, steps), strict=True))
    return {kind: d(found[after], found[before]) for kind, (after, before) in SCORES.items()}


def _moved(after: Tensor, before: Tensor) -> Tensor:
    moved = (after - before).abs()
    return moved if moved.ndim == 2 else moved.mean(1)


def _both(network: nn.Module, y: Tensor, kind: str) -> list[Tensor]:
    if kind not in SCORES:
        raise ValueError(f"score {kind!r} is unknown; choose {' or '.join(SCORES)}")
    return trajectory(network, y, SCORES[kind])


@dataclass(frozen=True)
class Calibration:
    r"""What scores are usual among clean images, and the score over which an image is flagged.

    With :math:`s_{(1)} \le \dots \le s_{(n)}` the scores of n clean images that the model was
    not trained on, the threshold at the false-positive rate :math:`\alpha` is

    .. math:: t = s_{(k)}, \qquad k = \lceil (n + 1)(1 - \alpha) \rceil

    so that another clean image from the same source exceeds it with probability at most
    :math:`\alpha`, whatever the distribution of the scores.

    Args:
        rate: :math:`\alpha`.
        images: n.
        data: What the clean images were.
        thresholds: t of each score.
        quantiles: For each kind of score, 1,001 evenly spaced quantiles of the clean scores.

    References:
        Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005 (conformal
        prediction).
    """

    rate: float
    images: int
    data: str
    thresholds: Mapping[str, float]
    quantiles: Mapping[str, Sequence[float]]

    @classmethod
    def fit(cls, scores: Mapping[str, Tensor], rate: float = 0.05, data: str = "") -> "Calibration":
        """Learn from the scores of clean images.

        Args:
            scores: (n,) for each kind.
            rate: The share of clean images that may be flagged, between 0 and 1.
            data: What the images were.

        Raises:
            ValueError: A rate outside (0, 1), scores that are not finite, or too few of them for
                the rate: it takes n of at least (1 - rate) / rate.
        """
        if not 0 < rate < 1:
            raise ValueError(f"rate {rate} must be above 0 and below 1")
        n = min(map(len, scores.values()))
        if not all(s.isfinite().all() for s in scores.values()):
            raise ValueError("a clean image has a score that is not finite")
        place = math.ceil((n + 1) * (1 - rate) - 1e-9)
        if place > n:
            least = math.ceil((1 - rate) / rate - 1e-9)
            raise ValueError(f"{n} clean images are too few for a rate of {rate}; {least} will do")
        ordered = {kind: s.double().sort().values for kind, s in scores.items()}
        levels = torch.linspace(0, 1, LEVELS, dtype=torch.float64)
        return cls(
            rate, n, data,
            {kind: s[place - 1].item() for kind, s in ordered.items()},
            {kind: s.quantile(levels).tolist() for kind, s in ordered.items()},
        )  # fmt: skip

    @classmethod
    def read(cls, values: Any) -> "Calibration":
        """The calibration that a model's configuration holds.

        Raises:
            ValueError: It is none.
        """
        try:
            made = cls(**values)
            whole = all(
                len(made.quantiles[kind]) == LEVELS and math.isfinite(made.thresholds[kind])
                for kind in SCORES
            )
        except (TypeError, KeyError) as error:
            raise ValueError(f"calibration: {error}") from None
        if not whole:
            raise ValueError("calibration: a threshold or quantiles are missing")
        return made

    def percentile(self, scores: Tensor, kind: str = "displacement") -> Tensor:
        """The percentage of clean images with a score at most this, (B,), in steps of 0.1."""
        known = torch.tensor(self.quantiles[kind], dtype=torch.float64)
        below = torch.searchsorted(known, scores.double().cpu().contiguous(), right=True)
        return (below - 1).clamp(min=0) * 100 / (LEVELS - 1)

    def flag(self, scores: Tensor, kind: str = "displacement") -> Tensor:
        """Which images are over the threshold, (B,) bool; a score that is no number is."""
        return ~(scores.double().cpu() <= self.thresholds[kind])


def words(
    scores: Tensor, kind: str = "displacement", known: Calibration | None = None
) -> list[tuple[str, str, str]]:
    """Scores (B,) as a table shows them: score, percentile and flag of each.

    The last two are empty without a calibration.
    """
    told = [f"{score:.6g}" for score in scores.tolist()]
    if known is None:
        return [(score, "", "") for score in told]
    percentiles, flags = known.percentile(scores, kind), known.flag(scores, kind)
    return [
        (score, f"{percentile:.1f}", str(int(flag)))
        for score, percentile, flag in zip(told, percentiles.tolist(), flags.tolist(), strict=True)
    ]
