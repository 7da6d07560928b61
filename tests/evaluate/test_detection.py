"""Measures of detection, against scikit-learn, SciPy and their definitions."""

import numpy as np
import pytest
from scipy.ndimage import label
from sklearn.metrics import average_precision_score, roc_auc_score

from ign.evaluate.detection import (
    Curves,
    aupimo,
    aupro,
    connected,
    image_measures,
    pixel_auroc,
    wilson,
)


@pytest.fixture
def curves():
    drawn, made = np.random.default_rng(0), Curves()
    for i in range(6):
        mask = drawn.random((24, 30)) > 0.85 if i % 2 else None
        values = drawn.random((24, 30)).round(2) + (0 if mask is None else 0.4 * mask)
        made.add(values, mask)
    return made


def test_regions_are_connected_with_eight_neighbours():
    drawn = np.random.default_rng(1)
    for share in (0.1, 0.4, 0.6, 0.9, 1.1, -0.1):
        mask = drawn.random((31, 17)) < share
        found, (wanted, count) = connected(mask), label(mask, np.ones((3, 3)))
        assert len(np.unique(found[mask])) == count
        assert (found > 0).tolist() == mask.tolist()
        pairs = {*zip(found[mask].tolist(), wanted[mask].tolist(), strict=True)}
        assert len(pairs) == count


def test_auroc_and_precision_are_scikit_learns(curves):
    values = np.concatenate([v.ravel() for v in curves.values])
    bad = np.concatenate([r.ravel() for r in curves.regions]) > 0
    assert pixel_auroc(curves) == pytest.approx(roc_auc_score(bad, values), abs=1e-12)
    found = image_measures(values[:99].tolist(), bad[900:999].tolist())
    assert found["auroc"] == roc_auc_score(bad[900:999], values[:99])
    assert found["average_precision"] == average_precision_score(bad[900:999], values[:99])


def test_aupro_is_its_definition(curves):
    """Every threshold in turn, the overlaps counted region by region."""
    good = np.concatenate([v[r == 0] for v, r in zip(curves.values, curves.regions, strict=True)])
    regions = [
        v[r == n]
        for v, r in zip(curves.values, curves.regions, strict=True)
        for n in range(1, r.max() + 1)
    ]
    levels = np.unique(np.concatenate([v.ravel() for v in curves.values]))[::-1]
    false = np.array([0, *((good >= t).mean() for t in levels)])
    overlap = np.array([0, *(np.mean([(r >= t).mean() for r in regions]) for t in levels)])
    for limit in (0.05, 0.3, 1.0):
        inside = false <= limit
        x, y = (
            np.r_[false[inside], limit],
            np.r_[overlap[inside], np.interp(limit, false, overlap)],
        )
        assert aupro(curves, limit) == pytest.approx(np.trapezoid(y, x) / limit, abs=1e-9)


def test_aupimo_is_its_definition(curves):
    good = [v for v, r in zip(curves.values, curves.regions, strict=True) if not r.any()]
    limits, wanted = (0.01, 0.2), []
    levels = np.geomspace(*limits, 100)
    thresholds = []
    for level in levels:
        values = np.unique(np.concatenate([v.ravel() for v in good]))
        rates = np.array([np.mean([(v > t).mean() for v in good]) for t in values])
        thresholds.append(values[np.flatnonzero(rates <= level * (1 + 1e-9))[0]])
    for value, region in zip(curves.values, curves.regions, strict=True):
        if region.any():
            recall = [(value[region > 0] > t).mean() for t in thresholds]
            x = np.log(levels)
            wanted.append(np.trapezoid(recall, x) / (x[-1] - x[0]))
    assert aupimo(curves, limits) == pytest.approx(np.mean(wanted), abs=0.02)


def test_a_perfect_and_a_blind_map():
    mask = np.zeros((20, 20), bool)
    mask[4:9, 3:8] = True
    for values, wanted in ((mask.astype(float), 1.0), (np.ones((20, 20)), 0.15)):
        curves = Curves()
        curves.add(values, mask)
        curves.add(np.zeros((20, 20)) + values.min())
        assert aupro(curves) == pytest.approx(wanted, abs=1e-6)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match="the mask is"):
        Curves().add(np.zeros((3, 4)), np.zeros((4, 3), bool))


def test_the_interval_of_a_share():
    low, high = wilson(5, 100)
    assert (low, high) == (pytest.approx(0.0215, abs=1e-4), pytest.approx(0.1118, abs=1e-4))
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 50)[0] == 0.0
