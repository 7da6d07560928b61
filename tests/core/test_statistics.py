"""Diversity, ratios and comparisons with a bound."""

import math

import pytest
import torch

from ign.core.statistics import below, diversity, ratio


def test_diversity_is_the_mean_distance_between_two_samples():
    x = torch.randn(20, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    flat = x.flatten(1)
    wanted = sum((a - b).norm() for a in flat for b in flat) / (20 * 19)
    assert diversity(x) == pytest.approx(wanted.item(), rel=1e-5)
    assert diversity(x[:1]) == diversity(x[:0]) == 0
    assert diversity(x[:1].expand(9, -1, -1, -1)) == 0


@pytest.mark.parametrize("reference", [0.0, math.inf, math.nan, -1.0])
def test_a_ratio_needs_a_reference(reference):
    assert ratio(3.0, reference) is None
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(0.0, 2.0) == 0


def test_the_last_bits_do_not_decide():
    values = 0.02 * (1 + torch.tensor([-1e-2, -1e-4, -1e-6, 0, 1e-6], dtype=torch.float64))
    assert below(values, 0.02).tolist() == [True, True, False, False, False]
    assert below(torch.tensor([0.0]), 1e-30).tolist() == [True]
    assert below(torch.tensor([0.0]), 0.0).tolist() == [False]
