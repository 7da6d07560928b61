"""The kernel distance: against its definition and torchmetrics; its laws."""

import pytest
import torch

from ign.evaluate import kernel_distance


def normal(n, d=4, seed=0, shift=0.0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64) + shift


def test_one_subset_of_all_by_its_definition():
    """The kernel's sums written out; a subset of all is the set, whatever its order."""
    a, b = normal(7), normal(7, seed=1, shift=0.3)

    def k(x, y):
        return (x @ y / 4 + 1) ** 3

    wanted = sum(k(a[i], a[j]) + k(b[i], b[j]) for i in range(7) for j in range(7) if i != j) / 42
    wanted -= 2 * sum(k(x, y) for x in a for y in b) / 49
    mean, std = kernel_distance(a, b, subsets=1)
    assert mean == pytest.approx(wanted.item(), rel=1e-12)
    assert std == 0
    assert kernel_distance(a.flip(0), b, 3)[0] == pytest.approx(mean, rel=1e-12)


def test_agrees_with_torchmetrics():
    from torchmetrics.image.kid import KernelInceptionDistance

    a, b = normal(600), normal(600, seed=1, shift=0.5)
    metric = KernelInceptionDistance(torch.nn.Identity(), subsets=30, subset_size=300)
    metric.update(a, real=True)
    metric.update(b, real=False)
    mean, std = kernel_distance(a, b, 30, 300)
    other, spread = (x.item() for x in metric.compute())
    assert mean == pytest.approx(other, abs=std)
    assert std == pytest.approx(spread, rel=0.5)


def test_without_bias():
    """Two samples of one distribution: 0 within its error, on either side of it."""
    found = [kernel_distance(normal(200, seed=i), normal(200, seed=100 + i), 1)[0]
             for i in range(40)]  # fmt: skip
    values = torch.tensor(found)
    assert abs(values.mean()) < 3 * values.std() / 40**0.5
    assert values.min() < 0 < values.max()
    assert kernel_distance(normal(200), normal(200, seed=1, shift=1), 1)[0] > 10 * values.std()


def test_subsets_are_those_of_the_seed():
    a, b = normal(100), normal(120, seed=1)
    first = kernel_distance(a, b, 5, 20)
    assert kernel_distance(a, b, 5, 20) == first
    assert kernel_distance(a, b, 5, 20, seed=1) != first
    for x, y in ((a, b[:20]), (a[:20], b)):
        assert kernel_distance(x, y, 5, 20, seed=1) != pytest.approx(kernel_distance(x, y, 5, 20))
    assert first[1] > 0


@pytest.mark.parametrize(("subsets", "size"), [(0, 10), (3, 1)])
def test_senseless_subsets_are_refused(subsets, size):
    with pytest.raises(ValueError, match="at least 1, and size"):
        kernel_distance(normal(9), normal(9), subsets, size)
