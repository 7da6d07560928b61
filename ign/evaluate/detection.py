r"""How well scores and maps find defects: measures of images and of pixels."""

__all__ = ["Curves", "aupimo", "aupro", "image_measures", "pixel_auroc", "wilson"]

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
LIMIT = 0.3
"""The largest false-positive rate of AUPRO."""
PIMO = (1e-5, 1e-4)
"""The range of false-positive rates of AUPIMO."""


@dataclass
class Curves:
    """Maps and masks of a test set, collected image by image.

    The values are kept as float32 and the masks as regions with numbers, which is enough for all
    measures of pixels.
    """

    values: list[Array] = field(default_factory=list)
    regions: list[Array] = field(default_factory=list)

    def add(self, values: Array, mask: Array | None = None) -> None:
        """Add a map (H, W) and its mask (H, W) bool; None for a good part.

        Raises:
            ValueError: The mask has another size.
        """
        if mask is not None and mask.shape != values.shape:
            raise ValueError(f"the mask is {mask.shape}, the map {values.shape}")
        self.values.append(np.asarray(values, np.float32))
        self.regions.append(np.zeros(values.shape, np.int32) if mask is None else connected(mask))


def connected(mask: Array) -> Array:
    """Number the connected regions of a mask from 1, with 8 neighbours, (H, W) bool to int32."""
    from scipy import ndimage

    labels: Array = ndimage.label(mask, np.ones((3, 3)))[0]
    return labels


def image_measures(scores: Sequence[float], bad: Sequence[bool]) -> dict[str, float]:
    """AUROC and average precision of image scores, as scikit-learn computes them.

    Args:
        scores: (n,).
        bad: (n,), whether each part has a defect; both kinds must be there.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    return {
        "auroc": float(roc_auc_score(bad, scores)),
        "average_precision": float(average_precision_score(bad, scores)),
    }


def pixel_auroc(curves: Curves) -> float:
    """The area under the ROC curve of all pixels of all images."""
    from sklearn.metrics import roc_auc_score

    values, bad = _joined(curves)
    return float(roc_auc_score(bad, values))


def aupro(curves: Curves, limit: float = LIMIT) -> float:
    r"""The area under the curve of the overlap per region against the false-positive rate.

    .. math:: \frac{1}{l} \int_0^l \mathrm{PRO}(f) \, df, \qquad
        \mathrm{PRO} = \frac{1}{R} \sum_r \frac{|\{m > t\} \cap C_r|}{|C_r|}

    with the connected regions C of the masks, and the share f of the other pixels above t.

    References:
        Bergmann et al., The MVTec Anomaly Detection Dataset, IJCV 2021.
    """
    weights, count = [], 0
    for region in curves.regions:
        sizes = np.bincount(region.ravel())
        count += len(sizes) - 1
        with np.errstate(divide="ignore"):
            weight = 1 / sizes
        weight[0] = 0
        weights.append(weight[region.ravel()])
    values, bad = _joined(curves)
    order = np.argsort(-values, kind="stable")
    last = np.flatnonzero(np.r_[values[order][1:] != values[order][:-1], True])
    false = np.r_[0, np.cumsum(~bad[order])[last] / max(1, int((~bad).sum()))]
    overlap = np.r_[0, np.cumsum(np.concatenate(weights)[order])[last] / count]
    inside = false <= limit
    x = np.r_[false[inside], limit]
    y = np.r_[overlap[inside], np.interp(limit, false, overlap)]
    return float(np.trapezoid(y, x) / limit)


def aupimo(curves: Curves, limits: tuple[float, float] = PIMO) -> float:
    r"""The mean over defective images of the recall, averaged over the logarithm of the rate.

    The rate is the mean over good images of their share of pixels above the threshold, from 1e-5
    to 1e-4.

    References:
        Bertoldo et al., AUPIMO, BMVC 2024 (arXiv 2401.01984).
    """
    good = [v for v, r in zip(curves.values, curves.regions, strict=True) if not r.any()]
    weights = np.concatenate([np.full(v.size, 1 / (v.size * len(good))) for v in good])
    values = np.concatenate([v.ravel() for v in good])
    order = np.argsort(-values, kind="stable")
    rate, ordered = np.cumsum(weights[order]), values[order]
    levels = np.geomspace(*limits, 100)
    places = np.clip(np.searchsorted(rate, levels * (1 + 1e-9), side="right"), 0, len(rate) - 1)
    thresholds = ordered[places]
    areas = []
    for value, region in zip(curves.values, curves.regions, strict=True):
        if region.any():
            inside = np.sort(value[region > 0])
            recall = 1 - np.searchsorted(inside, thresholds, side="right") / len(inside)
            x = np.log(levels)
            areas.append(np.trapezoid(recall, x) / (x[-1] - x[0]))
    return float(np.mean(areas))


def wilson(count: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    if not total:
        return 0.0, 1.0
    share, square = count / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / total + square / (4 * total)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def _joined(curves: Curves) -> tuple[Array, Array]:
    """All values, and whether each pixel is part of a defect."""
    values = np.concatenate([v.ravel() for v in curves.values])
    return values, np.concatenate([r.ravel() for r in curves.regions]) > 0
