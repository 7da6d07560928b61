"""Projection on closed-form projectors, where every answer is known."""

import gc
import math
import weakref

import pytest
import torch
from projectors import Half, Projector, images
from torch import Tensor, nn

from ign.anomaly import score
from ign.objective import drift
from ign.project import project, stability, trajectory


def test_a_projector_is_idempotent_and_has_no_drift_on_its_manifold():
    y = images()
    once = project(Projector(), y)
    assert torch.allclose(project(Projector(), y, 7), once)
    assert torch.allclose(score(Projector(), once), torch.zeros(5), atol=1e-7)
    wanted = ((y[..., :3] - y[..., 3:]) / 2).abs().flatten(1).mean(1)
    assert torch.allclose(score(Projector(), y), wanted)
    assert torch.allclose(drift(Projector(), y), wanted)


def test_trajectory_is_the_power():
    y = images()
    ks = [5, 0, 2, 60, 2]
    for k, found in zip(ks, trajectory(Half(), y, ks), strict=True):
        assert torch.allclose(found, y * 0.5**k)


def test_projection_is_differentiable():
    y = images().requires_grad_()
    network = Half()
    project(network, y, 3).sum().backward()
    assert torch.allclose(y.grad, torch.full_like(y, 0.125))
    assert torch.allclose(network.factor.grad, (3 * 0.25 * y).sum(), rtol=1e-4)


def test_at_least_one_application_of_noise():
    with pytest.raises(ValueError, match="must be 1 or more"):
        trajectory(Half(), images(), [0], noise=True)
    for ks in ([], [-1]):
        with pytest.raises(ValueError, match="must be 0 or more"):
            trajectory(Half(), images(), ks)


def test_a_failure_restores_the_mode():
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Dropout(0.5)).train()
    with pytest.raises(RuntimeError):
        project(network, images())
    assert network.training


def test_an_image_rests_where_an_application_moves_it_by_less_than_the_tolerance():
    y = images()
    sizes = torch.tensor([1.0, 2.0, 8.0, 0.1, 0.0])
    y = y / y.abs().flatten(1).mean(1)[:, None, None, None] * sizes[:, None, None, None]
    rested = project(Half(), y, 100, tolerance=0.2)
    # application k moves an image of mean size s by s / 2^k: the first k with s / 2^k < 0.2
    for image, start, size in zip(rested, y, sizes.tolist(), strict=True):
        k = max(1, math.floor(math.log2(size / 0.2)) + 1) if size else 1
        assert torch.allclose(image, start / 2**k)
    assert torch.allclose(project(Half(), y, 2, tolerance=0.2)[2], y[2] / 4), "k is still a bound"
    alone = torch.cat([project(Half(), one[None], 100, tolerance=0.2) for one in y])
    assert torch.equal(rested, alone)
    assert torch.equal(project(Half(), y, 0, tolerance=0.2), y)


@pytest.mark.parametrize("options", [{"applications": -1}, {"applications": 2, "tolerance": -1.0}])
def test_negative_numbers_are_refused(options):
    with pytest.raises(ValueError, match="must be"):
        project(Half(), images(), **({"tolerance": 0.1} | options))


def test_stability_is_what_the_closed_form_says():
    y = images().double()
    y = torch.cat([y, torch.zeros_like(y[:1])])
    ks = [3, 1, 7]
    found = stability(Half().double(), y, ks, floor=12.0)
    size, power = y.abs().flatten(1).mean(1), y.square().flatten(1).mean(1)
    assert found.applications == (3, 1, 7)
    for row, k in enumerate(ks):
        assert torch.allclose(found.drift[row], size / 2 ** (k + 1))
        assert torch.allclose(found.moved[row], size * (1 - 2.0**-k))
        error = power * (0.5 - 2.0**-k) ** 2
        assert torch.allclose(found.psnr[row], 10 * (4 / error).log10())
    likeness = [10 * (4 / (power * (0.5 - 2.0**-k) ** 2)).log10() for k in range(1, 8)]
    first = [next((k for k, p in enumerate(x, 1) if p < 12), 0) for x in zip(*likeness)]  # noqa: B905
    assert found.diverged.tolist() == first
    assert first[-1] == 0, "what never moves never diverges"
    assert len(set(first)) > 1


def test_a_projector_never_diverges_and_an_explosion_does():
    y = images()
    assert stability(Projector(), y, [300]).diverged.eq(0).all()
    explosive = Half()
    explosive.factor.data.fill_(1e30)
    assert stability(explosive, y, [9]).diverged.eq(2).all()
    assert torch.equal(
        stability(Half(), y, [5], noise=True).psnr, stability(Half(), y, [5]).psnr
    ), "a network without roles ignores them"


def test_stability_keeps_a_few_batches_however_large_k_is():
    alive: list[int] = []
    made: list[weakref.ref[Tensor]] = []

    class Counting(Half):
        def forward(self, y: Tensor) -> Tensor:
            result = super().forward(y)
            made.append(weakref.ref(result))
            gc.collect()
            alive.append(sum(x() is not None for x in made))
            return result

    stability(Counting(), images(), [1, 60])
    assert len(made) == 61
    assert max(alive) <= 4


def test_a_move_of_the_tolerance_is_rest_up_to_the_last_bits():
    """Every image moves by 1/4 or by a few units in the last place more."""
    y = torch.full((4, 1, 4, 6), 0.5) * (1 + torch.arange(4) * 1e-7)[:, None, None, None]
    assert torch.equal(project(Half(), y, 50, tolerance=0.25), y / 2)
    assert torch.equal(project(Half(), y, 50, tolerance=0.2499), y / 4)


def test_the_former_name_of_iterates_warns():
    from ign.project import iterates

    with pytest.warns(DeprecationWarning, match=r"ign.project.walk is now ign.project.iterates"):
        from ign.project import walk
    assert walk is iterates
