"""Thresholds of scores with a guaranteed false-positive rate."""

__all__ = ["LEVELS", "Calibration"]

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ign.anomaly.scores import SCORES
from ign.project import RESOLUTION

LEVELS = 1001
"""The number of quantiles of the clean scores that are kept."""


@dataclass(frozen=True)
class Calibration:
    r"""The scores of clean images, and the threshold above which an image is flagged.

    With :math:`s_{(1)} \le \dots \le s_{(n)}` the scores of n clean images that the model was
    not trained on, the threshold at the false-positive rate :math:`\alpha` is

    .. math:: t = s_{(k)}, \qquad k = \lceil (n + 1)(1 - \alpha) \rceil

    so that another clean image from the same source exceeds it with probability at most
    :math:`\alpha`, whatever the distribution of the scores (split conformal prediction).

    The last bits of a score depend on the batch size. A score that is above another one by no more
    than :data:`ign.project.RESOLUTION` therefore counts as equal to it.

    Args:
        rate: :math:`\alpha`.
        images: n.
        data: A description of the clean images.
        thresholds: t of each score.
        quantiles: For each kind of score, 1,001 evenly spaced quantiles of the clean scores.
        weights: The fingerprint of the weights that gave the scores; :class:`ign.IGN` sets it.

    References:
        Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005 (conformal
        prediction).
    """

    rate: float
    images: int
    data: str
    thresholds: Mapping[str, float]
    quantiles: Mapping[str, Sequence[float]]
    weights: str = ""

    @classmethod
    def fit(cls, scores: Mapping[str, Tensor], rate: float = 0.05, data: str = "") -> "Calibration":
        """Take thresholds and quantiles from the scores of clean images.

        Args:
            scores: (n,) for each kind.
            rate: The share of clean images that may be flagged, between 0 and 1.
            data: A description of the images.

        Raises:
            ValueError: The rate is outside (0, 1), a score is not finite, or there are fewer than
                (1 - rate) / rate images.
        """
        if not 0 < rate < 1:
            raise ValueError(f"rate {rate} must be above 0 and below 1")
        n = min(map(len, scores.values()))
        if not all(s.isfinite().all() for s in scores.values()):
            raise ValueError("a clean image has a score that is not finite")
        place = math.ceil((n + 1) * (1 - rate) - 1e-9)
        if place > n:
            least = math.ceil((1 - rate) / rate - 1e-9)
            raise ValueError(
                f"{n} clean images are too few for a rate of {rate}; give at least {least}"
            )
        ordered = {kind: s.double().sort().values for kind, s in scores.items()}
        levels = torch.linspace(0, 1, LEVELS, dtype=torch.float64)
        return cls(
            rate, n, data,
            {kind: s[place - 1].item() for kind, s in ordered.items()},
            {kind: s.quantile(levels).tolist() for kind, s in ordered.items()},
        )  # fmt: skip

    @classmethod
    def read(cls, values: Any, kinds: Collection[str] = tuple(SCORES)) -> "Calibration":
        """The calibration that a model's configuration holds.

        Args:
            values: The entries of the configuration.
            kinds: The kinds of score that it must hold.

        Raises:
            ValueError: An entry is missing, has another type, or is not finite.
        """
        try:
            made = cls(**values)
            numbers = [made.rate, *(made.thresholds[kind] for kind in kinds)]
            for kind in kinds:
                quantiles = made.quantiles[kind]
                if len(quantiles) != LEVELS or sorted(quantiles) != list(quantiles):
                    raise ValueError(f"calibration: needs {LEVELS} quantiles in ascending order")
                numbers += quantiles
            if not all(type(x) in (int, float) and math.isfinite(x) for x in numbers):
                raise ValueError("calibration: a number is missing or not finite")
        except (TypeError, KeyError, AttributeError, OverflowError) as error:
            raise ValueError(f"calibration: {type(error).__name__}: {error}") from None
        if not (0 < made.rate < 1 and type(made.images) is int and made.images > 0):
            raise ValueError("calibration: the rate or the number of images is wrong")
        if not (isinstance(made.data, str) and isinstance(made.weights, str)):
            raise ValueError("calibration: `data` and `weights` must be strings")
        return made

    def percentile(self, scores: Tensor, kind: str = "displacement") -> Tensor:
        """The percentage of clean images whose score is not larger, (B,), in steps of 0.1."""
        known = torch.tensor(self.quantiles[kind], dtype=torch.float64)
        upper = _upper(scores.double().cpu().contiguous())
        below = torch.searchsorted(known, upper, right=True)
        return (below - 1).clamp(min=0) * 100 / (LEVELS - 1)

    def flag(self, scores: Tensor, kind: str = "displacement") -> Tensor:
        """Which images are above the threshold, (B,) bool; a score of NaN is flagged."""
        threshold = torch.tensor(self.thresholds[kind], dtype=torch.float64)
        return ~(scores.double().cpu() <= _upper(threshold))


def _upper(scores: Tensor) -> Tensor:
    """The largest score that counts as equal to each."""
    return scores + RESOLUTION * scores.abs().clamp(min=1)
