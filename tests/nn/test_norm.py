"""Role-aware batch norm: what evaluation sees is what training saw."""

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from sklearn.datasets import load_digits
from torch import nn

from ign import IGN, IGNObjective, ModelError
from ign.core import random
from ign.nn import DCGANAutoencoder, RoleBatchNorm2d, batch_statistics, role
from ign.nn.norm import still
from ign.noise import GaussianNoise


def populations(norm: str, steps: int = 100):
    """A small network trained for a moment on digits, its noise, and noise images."""
    torch.manual_seed(0)
    network = DCGANAutoencoder(1, 16, 8, norm)
    objective, noise = IGNObjective(), GaussianNoise((1, 16, 16))
    digits = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 8 - 1
    digits = F.interpolate(digits, scale_factor=2)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, (0.5, 0.999))
    for step in range(steps + 40):
        x = digits[torch.arange(32 * step, 32 * step + 32) % len(digits)]
        z = noise.at(random.keys(0, "z", step, torch.arange(32)))
        if step == steps:  # running statistics trail the weights; let them arrive
            optimizer.param_groups[0]["lr"] = 0.0
        optimizer.zero_grad()
        objective(network, x, z).total.backward()
        optimizer.step()
    return network, noise, noise.at(random.keys(1, "z", 0, torch.arange(1000)))


def moment_distance(a: torch.Tensor, b: torch.Tensor) -> float:
    """Frechet distance between two sets of images taken as Gaussians with diagonal covariance."""
    a, b = a.flatten(1), b.flatten(1)
    spread = a.var(0) + b.var(0) - 2 * (a.var(0) * b.var(0)).sqrt()
    return ((a.mean(0) - b.mean(0)).square() + spread).sum().item()


def test_noise_role_in_evaluation_matches_batch_statistics():
    found = {}
    for norm in ("role", "batch"):
        network, noise, z = populations(norm)
        with torch.no_grad(), still(network):
            network.train()
            wanted = network(z)
        found[norm] = moment_distance(IGN(network, noise).sample(1000, seed=5), wanted)
        floor = moment_distance(wanted[:500], wanted[500:])
    assert found["role"] < 3 * floor
    assert found["batch"] > 10 * found["role"], "pooled statistics fit no population"


def test_statistics_are_kept_of_data_and_of_noise():
    norm = RoleBatchNorm2d(3)
    plain = {name: nn.BatchNorm2d(3) for name in ("data", "noise", "output")}
    for i, (name, one) in enumerate(plain.items()):
        for _ in range(4):
            x = torch.randn(5, 3, 4, 4) * (i + 1) + i
            with role(norm, name):
                assert torch.equal(norm(x), one(x))
    norm.eval()
    x = torch.randn(5, 3, 4, 4)
    for name in ("data", "noise"):
        with role(norm, name):
            assert torch.equal(norm(x), plain[name].eval()(x))
    assert torch.equal(norm(x), plain["data"](x)), "the role is data unless another is set"
    with role(norm, "output"):
        assert torch.equal(norm(x), plain["data"](x)), "an output is an image like any other"
    assert norm.num_batches_tracked.tolist() == [4, 4]


def with_outputs(state):
    """The state dict as version 0.1 wrote it: a third row, of outputs, in each statistic."""
    names = ("running_mean", "running_var", "num_batches_tracked")
    return {
        k: torch.cat([v, v[:1] + 7]) if k.endswith(names) else v.clone() for k, v in state.items()
    }


def test_state_dicts_with_statistics_of_outputs_load(tmp_path):
    torch.manual_seed(0)
    network = DCGANAutoencoder(1, 8, 4, "role")
    for _, buffer in network.named_buffers():
        buffer.copy_(torch.rand_like(buffer.float()) * 5)
    former = with_outputs(network.state_dict())
    other = DCGANAutoencoder(1, 8, 4, "role")
    other.load_state_dict(former)
    assert all(torch.equal(v, other.state_dict()[k]) for k, v in network.state_dict().items())
    model = IGN(network, GaussianNoise((1, 8, 8)))
    folder = model.save_pretrained(tmp_path)
    save_file({f"network.{k}": v for k, v in former.items()}, folder / "model.safetensors")
    again = IGN.from_pretrained(folder)
    assert torch.equal(again.sample(5, 2), model.sample(5, 2))
    save_file(
        {f"network.{k}": v[:1] if k.endswith("running_mean") else v for k, v in former.items()},
        folder / "model.safetensors",
    )
    with pytest.raises(ModelError, match=r"running_mean is \(1, \d+\) in the file and must be \(2"):
        IGN.from_pretrained(folder)


def test_role_context_restores_and_refuses():
    network = DCGANAutoencoder(1, 8, 4, "role")
    layer = next(m for m in network.modules() if isinstance(m, RoleBatchNorm2d))

    def fail():
        assert layer.role == "noise"
        with role(network, "output"):
            assert layer.role == "output"
        assert layer.role == "noise"
        raise RuntimeError

    with pytest.raises(RuntimeError), role(network, "noise"):
        fail()
    assert layer.role == "data"
    with pytest.raises(ValueError, match="role 'z' is unknown"), role(network, "z"):
        pass


@pytest.mark.parametrize("norm", ["batch", "role"])
def test_still_leaves_statistics(norm):
    network = DCGANAutoencoder(1, 8, 4, norm)
    before = {k: v.clone() for k, v in network.named_buffers()}
    x = torch.randn(4, 1, 8, 8)
    with still(network):
        quiet = network(x)
    assert all(torch.equal(v, before[k]) for k, v in network.named_buffers())
    assert torch.equal(network(x), quiet)
    assert not all(torch.equal(v, before[k]) for k, v in network.named_buffers())


@pytest.mark.parametrize("norm", ["batch", "role", "group", "none"])
def test_an_image_does_not_depend_on_its_batch(norm):
    network, noise, z = populations(norm, steps=5)
    model = IGN(network, noise)
    images = z[:256]
    together = model.project(images, 2, batch_size=256)
    alone = torch.cat([model.project(images[i : i + 1], 2) for i in range(0, 256, 15)])
    assert (together[::15] - alone).abs().max() < 1e-5


@pytest.mark.parametrize("norm", ["batch", "role"])
def test_batch_statistics_in_evaluation_are_those_of_training(norm):
    network, noise, z = populations(norm, steps=5)
    model, before = IGN(network, noise), {k: v.clone() for k, v in network.state_dict().items()}
    plain = model.project(z[:32], 2)
    with batch_statistics(network):
        found = model.project(z[:32], 2)
        half = model.project(z[:32], 2, batch_size=16)
    assert torch.equal(model.project(z[:32], 2), plain)
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
    assert not any(m.training for m in network.modules())
    with torch.no_grad():
        wanted = network.train()(network(z[:32]))
    assert torch.equal(found, wanted)
    assert not torch.allclose(found, plain, atol=1e-3)
    assert not torch.allclose(found, half, atol=1e-3), "an image depends on its batch"
