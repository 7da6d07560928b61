"""Precision, recall, density, coverage and nearest images: by definition, and on made clouds."""

import pytest
import torch

from ign.data import to_float
from ign.evaluate import manifold, nearest
from ign.evaluate.neighbours import ROWS


def cloud(n, d=3, seed=0, centre=0.0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=generator, dtype=torch.float64) * scale + centre


def by_definition(x, y, k):
    """Balls to the k-th neighbour, the point itself not counted, one by one."""

    def reach(s, i):
        return sorted((s[i] - s[j]).norm().item() for j in range(len(s)) if j != i)[k - 1]

    near = [reach(x, i) for i in range(len(x))]
    far = [reach(y, j) for j in range(len(y))]
    inside = [[(x[i] - y[j]).norm().item() <= near[i] for i in range(len(x))]
              for j in range(len(y))]  # fmt: skip
    recalled = [any((x[i] - y[j]).norm().item() <= far[j] for j in range(len(y)))
                for i in range(len(x))]  # fmt: skip
    precision = sum(map(any, inside)) / len(y)
    density = sum(map(sum, inside)) / (k * len(y))
    coverage = sum(map(any, zip(*inside, strict=True))) / len(x)
    return precision, sum(recalled) / len(x), density, coverage


@pytest.mark.parametrize("k", [1, 3, 5])
def test_by_definition(k):
    x, y = cloud(40), cloud(30, seed=1, centre=1.2, scale=0.8)
    found = manifold(x, y, k)
    assert found == pytest.approx(by_definition(x, y, k), abs=1e-12)
    assert 0 < found.coverage < 1


def test_tables_of_any_length():
    """More rows than are held at a time give what one table does."""
    x, y = cloud(ROWS + 300), cloud(2 * ROWS + 1, seed=1)
    square, within = torch.cdist(x, y), [torch.cdist(s, s) for s in (x, y)]
    near, far = (t.topk(6, largest=False).values[:, -1] for t in within)
    hit = square <= near[:, None]
    wanted = (
        hit.any(0).double().mean(), (square <= far).any(1).double().mean(),
        hit.sum() / (5 * len(y)), hit.any(1).double().mean(),
    )  # fmt: skip
    assert manifold(x, y) == pytest.approx([w.item() for w in wanted], abs=1e-6)


@pytest.mark.parametrize("far", [0.0, 1e6])
def test_equal_sets(far):
    """Also with many equal points, and far from the origin, where differences are rounded."""
    x = cloud(200, centre=far)
    order = torch.randperm(200)
    assert manifold(x, x[order]) == pytest.approx((1, 1, 6 / 5, 1))
    doubled = torch.cat([x, x[:100], x[:50], x[:50], x[:50], x[:50], x[:50]])
    found = manifold(doubled, doubled.flip(0))
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)


def test_order_does_not_matter():
    x, y = cloud(150), cloud(120, seed=1, centre=0.5)
    found = manifold(x, y)
    assert manifold(x[torch.randperm(150)], y[torch.randperm(120)]) == pytest.approx(found)


def test_independent_sets_of_one_distribution_have_density_one():
    found = manifold(cloud(3000, 2), cloud(3000, 2, seed=1))
    assert found.density == pytest.approx(1, abs=0.03)
    assert found.coverage == pytest.approx(1 - 2**-5, abs=0.015)


def test_a_lost_mode_lowers_recall_and_coverage_alone():
    real = torch.cat([cloud(300), cloud(300, seed=1, centre=50)])
    both = torch.cat([cloud(300, seed=2), cloud(300, seed=3, centre=50)])
    whole, half = manifold(real, both), manifold(real, cloud(600, seed=2))
    assert half.precision == pytest.approx(whole.precision, abs=0.05)
    assert half.recall == pytest.approx(whole.recall / 2, abs=0.05)
    assert half.coverage == pytest.approx(whole.coverage / 2, abs=0.05)


def test_outliers_lower_precision_and_density_alone():
    real, samples = cloud(600), cloud(600, seed=1)
    samples[:300] = cloud(300, seed=2, centre=1e3, scale=0.1)
    pure, mixed = manifold(real, cloud(600, seed=1)), manifold(real, samples)
    assert mixed.precision == pytest.approx(pure.precision / 2, abs=0.05)
    assert mixed.density == pytest.approx(pure.density / 2, abs=0.05)
    assert mixed.recall == pytest.approx(pure.recall, abs=0.1)


def test_one_point_for_all_samples_is_precise_and_recalls_nothing():
    real = cloud(300)
    found = manifold(real, real[:1].expand(300, -1))
    assert found.precision == 1
    assert found.recall <= 1 / 300
    assert found.coverage < 0.1


@pytest.mark.parametrize("k", [0, 6, 9])
def test_there_must_be_a_kth_neighbour(k):
    with pytest.raises(ValueError, match="less than 9 and 6"):
        manifold(cloud(9), cloud(6), k)


def test_nearest_images_by_definition():
    generator = torch.Generator().manual_seed(0)
    shape = (ROWS + 50, 1, 4, 4)
    among = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    images = torch.randint(0, 256, (20, 1, 4, 4), dtype=torch.uint8, generator=generator)
    images[0], images[1] = among[3], among[-1]
    distance, place = nearest(images, among)
    table = torch.cdist(to_float(images).flatten(1).double(), to_float(among).flatten(1).double())
    assert torch.equal(place, table.argmin(1))
    assert torch.allclose(distance.double(), table.min(1).values / 4, atol=1e-6)
    assert place[:2].tolist() == [3, ROWS + 49]
    assert distance[:2].tolist() == [0, 0]


def test_equal_images_can_be_skipped():
    """Only the images that are equal to the query itself are skipped."""
    generator = torch.Generator().manual_seed(0)
    among = torch.randint(0, 256, (ROWS + 50, 1, 4, 4), dtype=torch.uint8, generator=generator)
    among[-1] = among[3]
    images = torch.cat([among[3:4], among[7:8]])
    among[9] = images[0]
    among[9, 0, 0, 0] ^= 1
    distance, place = nearest(images, among, skip_equal=True)
    assert place[0] == 9
    assert distance[0] == pytest.approx(2 / 255 / 4)
    table = (to_float(images[1:]) - to_float(among)).square().flatten(1).mean(1).sqrt()
    table[7] = torch.inf
    assert place[1] == table.argmin()
    alone = nearest(images[:1], images[:1].expand(5, -1, -1, -1), skip_equal=True)[0]
    assert alone.tolist() == [torch.inf]


@pytest.mark.parametrize("sizes", [(2, 2, 3), (0, 2, 1), (2, 0, 1)])
def test_nearest_images_are_there_and_of_one_shape(sizes):
    n, m, channels = sizes
    with pytest.raises(ValueError, match="cannot be compared"):
        nearest(torch.zeros(n, 1, 4, 4).byte(), torch.zeros(m, channels, 4, 4).byte())
