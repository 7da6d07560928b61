"""The Fréchet distance: against scipy, torchmetrics and closed forms; its laws."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch

from ign.evaluate import frechet_distance


def normal(n, d, seed=0, scale=1.0, shift=0.0):
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(d, d, generator=generator, dtype=torch.float64)
    x = torch.randn(n, d, generator=generator, dtype=torch.float64)
    return x @ mix * scale + shift


def by_definition(a, b):
    """|m - m'|^2 + tr(S + S' - 2 (S S')^(1/2)) with scipy's square root of a matrix."""
    a, b = a.numpy(), b.numpy()
    s, t = (np.cov(x, rowvar=False).reshape(x.shape[1], -1) for x in (a, b))
    root = np.real(scipy.linalg.sqrtm(s @ t))
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s + t - 2 * root)


@pytest.mark.parametrize("d", [1, 5, 40])
def test_agrees_with_scipy_s_square_root(d):
    a, b = normal(300, d), normal(500, d, 1, 0.7, 0.5)
    assert frechet_distance(a, b) == pytest.approx(by_definition(a, b), rel=1e-6)


def test_agrees_with_torchmetrics():
    from torchmetrics.image.fid import FrechetInceptionDistance

    a, b = normal(300, 12), normal(400, 12, 1)
    metric = FrechetInceptionDistance(torch.nn.Identity(), normalize=True, input_img_size=(12,))
    metric.update(a, real=True)
    metric.update(b, real=False)
    assert frechet_distance(a, b) == pytest.approx(metric.compute().item(), rel=1e-6)


@pytest.mark.parametrize(("n", "d"), [(500, 20), (2, 3), (30, 200)])
def test_is_zero_for_equal_sets(n, d):
    """Also with fewer samples than dimensions, where covariances have no inverse."""
    a = normal(n, d)
    trace = a.var(0).sum().item()
    assert 0 <= frechet_distance(a, a) < 1e-12 * trace
    assert frechet_distance(a, a.flip(0)) < 1e-12 * trace


def test_laws():
    a, b = normal(200, 6), normal(300, 6, 1)
    found = frechet_distance(a, b)
    order = torch.randperm(200)
    assert frechet_distance(a[order], b) == pytest.approx(found, rel=1e-10)
    assert frechet_distance(b, a) == pytest.approx(found, rel=1e-10)
    assert frechet_distance(3 * a + 1, 3 * b + 1) == pytest.approx(9 * found, rel=1e-10)
    turn = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64)).Q
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(found, rel=1e-10)
    assert frechet_distance(a, a + 2) == pytest.approx(24, rel=1e-10)


def test_large_samples_of_two_normal_distributions_come_near_the_formula():
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(200_000, 2, generator=generator)
    b = torch.randn(200_000, 2, generator=generator) * torch.tensor([2.0, 0.5]) + 1
    wanted = 2 + (2 - 1) ** 2 + (0.5 - 1) ** 2
    assert frechet_distance(a, b) == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (torch.zeros(3, 2), torch.zeros(3, 4), "and the same D"),
        (torch.zeros(1, 2), torch.zeros(3, 2), "N at least 2"),
        (torch.zeros(3, 2, 2), torch.zeros(3, 2), r"\(3, 2, 2\) and \(3, 2\)"),
        (torch.zeros(3, 2), torch.tensor([[0.0, 0], [0, math.nan]]), "row 1 contain NaN"),
    ],
)
def test_what_are_no_features_is_refused(a, b, words):
    with pytest.raises(ValueError, match=words):
        frechet_distance(a, b)
