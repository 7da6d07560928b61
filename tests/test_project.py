"""Projection on closed-form projectors, where every answer is known."""

import pytest
import torch
from torch import Tensor, nn

from ign.objective import drift
from ign.project import displacement, generate, project, trajectory


class Projector(nn.Module):
    """The orthogonal projection onto the images whose right half equals the left."""

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, y: Tensor) -> Tensor:
        left, right = y.chunk(2, dim=-1)
        return torch.cat([(left + right) / 2] * 2, dim=-1) * self.one


class Half(nn.Module):
    """y to y / 2, whose trajectory is 2^-k y."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.5))

    def forward(self, y: Tensor) -> Tensor:
        return y * self.factor


def images() -> Tensor:
    return torch.randn(5, 1, 4, 6, generator=torch.Generator().manual_seed(0))


def test_a_projector_is_idempotent_and_has_no_drift_on_its_manifold():
    y = images()
    once = project(Projector(), y)
    assert torch.allclose(project(Projector(), y, 7), once)
    assert torch.allclose(displacement(Projector(), once), torch.zeros(5), atol=1e-7)
    wanted = ((y[..., :3] - y[..., 3:]) / 2).abs().flatten(1).mean(1)
    assert torch.allclose(displacement(Projector(), y), wanted)
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
        generate(Half(), images(), 0)
    for ks in ([], [-1]):
        with pytest.raises(ValueError, match="must be 0 or more"):
            trajectory(Half(), images(), ks)


def test_a_failure_restores_the_mode():
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Dropout(0.5)).train()
    with pytest.raises(RuntimeError):
        project(network, images())
    assert network.training
