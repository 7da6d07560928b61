"""Stateless random numbers: distribution, independence, and values fixed for good."""

import math

import pytest
import torch
from scipy import stats

from ign.core import random

KEYS = [-2374905516147251809, -2383030537812092612]
NORMAL = [[0.134161, 0.489605, -0.246905], [1.179127, -0.965386, 0.309319]]


def draw(n: int, shape=(), seed=0, stream="noise", step=0, start=0):
    return random.normal(random.keys(seed, stream, step, torch.arange(start, start + n)), shape)


def test_normal_numbers_are_normal():
    x = draw(2000, (501,)).flatten()
    assert stats.kstest(x.numpy()[:200_000], "norm").pvalue > 1e-3
    assert abs(x.mean()) < 4 / math.sqrt(len(x))
    assert x.var().item() == pytest.approx(1, abs=0.01)
    assert stats.kurtosis(x.numpy()) == pytest.approx(0, abs=0.02)
    assert x.abs().max() > 4.5
    assert torch.isfinite(x).all()


def test_uniform_numbers_are_uniform_and_open():
    u = random.uniform(random.keys(3, "flip", 9, torch.arange(200_000)))
    assert stats.kstest(u.numpy(), "uniform").pvalue > 1e-3
    assert 0 < u.min() < u.max() < 1


@pytest.mark.parametrize("change", [{"seed": 1}, {"stream": "flip"}, {"step": 1}, {"start": 1000}])
def test_neighbouring_keys_are_independent(change):
    a, b = draw(1000, (100,)), draw(1000, (100,), **change)
    correlation = torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]
    assert abs(correlation) < 4 / math.sqrt(100_000)
    x = a.flatten()
    assert abs(torch.corrcoef(torch.stack([x[1:], x[:-1]]))[0, 1]) < 4 / math.sqrt(100_000)
    rows = torch.corrcoef(a[:50])
    assert (rows - torch.eye(50)).abs().max() < 5 / math.sqrt(100)


def test_steps_and_indices_do_not_meet():
    keys = torch.cat([random.keys(0, "noise", s, torch.arange(1000)) for s in range(200)])
    assert len(keys.unique()) == len(keys)


def test_values_never_change():
    """A seed is part of a result; a change of these numbers is a change of every sample."""
    key = random.keys(0, "sample", 0, torch.arange(2))
    assert key.tolist() == KEYS
    assert torch.allclose(random.normal(key, (3,)), torch.tensor(NORMAL), atol=1e-6)


def test_permutation_is_one():
    order = random.permutation(1000, 5, 2)
    assert torch.equal(order.sort().values, torch.arange(1000))
    assert torch.equal(order, random.permutation(1000, 5, 2))
    assert not torch.equal(order, random.permutation(1000, 5, 3))
    assert not torch.equal(order, random.permutation(1000, 6, 2))


def test_uniform_values_and_orders_never_change():
    """The lowest bit of a uniform number is set, since it is in the middle of its interval."""
    u = random.uniform(random.keys(0, "noise", 0, torch.arange(3)), (2,))
    wanted = [[13190967, 12310533], [10307003, 4577447], [10126997, 167083]]
    assert (u.double() * 2**24).tolist() == wanted
    assert random.permutation(8, 0, 0).tolist() == [1, 0, 6, 3, 4, 2, 7, 5]
    assert random.permutation(8, 1, 2).tolist() == [4, 5, 2, 3, 0, 1, 7, 6]


def test_numbers_are_drawn_where_their_keys_are():
    """Only shapes can be checked on the device meta, which computes nothing."""
    key = random.keys(0, "noise", 0, torch.arange(3, device="meta"))
    assert random.normal(key, (3,)).device.type == "meta"


def test_a_seed_of_64_bits_is_not_rounded_by_the_type_of_the_indices():
    small = torch.arange(2, dtype=torch.int32)
    assert torch.equal(
        random.keys(2**40, "noise", 0, small), random.keys(2**40, "noise", 0, small.long())
    )
