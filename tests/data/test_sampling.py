import pytest
import torch

from ign.core import random
from ign.data import order


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_every_epoch_is_a_permutation(n):
    stream = order(n, seed=3, start=0, count=4 * n).view(4, n)
    assert torch.equal(stream.sort(dim=1).values, torch.arange(n).expand(4, n))
    for epoch, row in enumerate(stream):
        assert torch.equal(row, random.permutation(n, 3, epoch))


@pytest.mark.parametrize("count", [0, 1, 3, 7, 10, 25])
def test_any_window_is_a_slice_of_the_stream(count):
    stream = order(7, seed=1, start=0, count=50)
    for start in range(25):
        window = order(7, seed=1, start=start, count=count)
        assert window.dtype == torch.int64
        assert torch.equal(window, stream[start : start + count])


def test_epochs_and_seeds_differ():
    a, b = order(50, 0, 0, 100).view(2, 50)
    assert not torch.equal(a, b)
    assert not torch.equal(a, order(50, 1, 0, 50))


def test_what_a_caller_changes_is_not_seen_by_the_next():
    order(9, 0, 0, 9).zero_()
    assert len(order(9, 0, 0, 9).unique()) == 9


@pytest.mark.parametrize(("n", "start", "count"), [(0, 0, 1), (5, -1, 2), (5, 0, -1)])
def test_impossible_windows_are_refused(n, start, count):
    with pytest.raises(ValueError, match="no order"):
        order(n, 0, start, count)
