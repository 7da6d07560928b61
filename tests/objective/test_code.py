"""Idempotence of the code: values and gradients against the definition in float64."""

import copy

import pytest
import torch
import torch.nn.functional as F
from objective.test_paper import gradient_of
from reference import error

from ign.nn import DCGANAutoencoder
from ign.objective import AdversarialObjective, CodeObjective, IGNObjective

WEIGHTS = {"rec_weight": 20.0, "idem_weight": 5.0, "tight_weight": 0.0}


def network(norm="role", code_norm=True, rounding=0.0):
    torch.manual_seed(0)
    made = DCGANAutoencoder(1, 8, 8, norm, rounding, "group", code_norm).double()
    with torch.no_grad():
        for p in made.parameters():
            p.mul_(5 if p.ndim > 1 else 1)
    return made


def batch(n=16):
    generator = torch.Generator().manual_seed(1)
    x, z, noise = torch.randn(3, n, 1, 8, 8, generator=generator, dtype=torch.float64)
    return x.tanh(), z, noise * (torch.arange(n) % 2)[:, None, None, None]


def objective(weight=3.0, own_weight=2.0, on_reconstructions=0.0, **weights):
    adversarial = AdversarialObjective(IGNObjective(**WEIGHTS | weights), 0.3, on_reconstructions)
    return CodeObjective(adversarial, weight, own_weight)


def definition(f, x, z, noise, on_reconstructions=0.0):
    """Each term by itself, with a frozen copy of the network and a pass of its own."""
    frozen, n = copy.deepcopy(f).requires_grad_(False), len(x)
    target, y = f.with_code(z)
    target = target[:, 1:].detach()

    def both(network, y):
        code, out = network.with_code(torch.cat([y, x]) + torch.cat([noise, noise]))
        return code, (out - torch.cat([y, x])).abs().flatten(1).mean(1)

    code, drift = both(f, y.detach())
    inner, inner_drift = both(frozen, y)
    outer_terms = (
        20 * drift[n:].mean() + 2 * drift[:n].mean()
        + 3 * (code[:n, 1:] - target).square().mean()
        + 0.3 * (F.softplus(-code[n:, 0]).mean() + F.softplus(code[:n, 0]).mean())
    )  # fmt: skip
    inner_terms = (
        5 * inner_drift[:n].mean()
        + 3 * (inner[:n, 1:] - target).square().mean()
        + 0.3 * F.softplus(-inner[:n, 0]).mean()
    )
    if on_reconstructions:
        chosen = [0, 8, 3, 11]
        others = [i for i in range(n) if i not in chosen]
        fx = f.with_code(torch.cat([y.detach(), x]) + torch.cat([noise, noise]))[1][n:][chosen]
        found = frozen.with_code(torch.cat([fx, y.detach()[others]]))[0][:4]
        error = (found[:, 1:] - code[n:, 1:][chosen].detach()).square().mean()
        outer_terms = outer_terms + 0.75 * error
        outer_terms = outer_terms + on_reconstructions * F.softplus(-found[:, 0]).mean()
    return outer_terms + inner_terms


@pytest.mark.parametrize("on_reconstructions", [0.0, 0.4])
@pytest.mark.parametrize("norm", ["role", "batch", "group"])
def test_the_gradient_is_the_definition(norm, on_reconstructions):
    f, (x, z, noise) = network(norm), batch()
    wanted = gradient_of(definition(f, x, z, noise, on_reconstructions), f)
    losses = objective(on_reconstructions=on_reconstructions)(f, x, z, noise)
    assert error(gradient_of(losses.total, f), wanted) < 1e-12


def test_the_code_of_fixed_points_has_no_error():
    """Where the encoder finds the code of each sample again, f(f(z)) is f(z) and the term is 0."""

    class Exact(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.tensor(1.0, dtype=torch.float64))

        def encode(self, x):
            return self.with_code(x)[0]

        def with_code(self, x):
            code = torch.cat([x.flatten(1)[:, :1], x.flatten(1) * self.scale], 1)
            return code, code[:, 1:].view_as(x)

    x, z, _ = batch()
    losses = objective()(Exact(), x, z)
    assert losses.terms["code"] == 0
    assert losses.terms["idem"] == 0


def test_code_norm_gives_codes_of_data_and_noise_one_scale():
    f, (x, z, _) = network(), batch(64)
    for images in (x, 7 * z + 3):
        code = f.with_code(images)[0]
        torch.testing.assert_close(code[:, 1:].var(0, correction=0), torch.ones(15).double(),
                                   atol=2e-2, rtol=0)  # fmt: skip
        assert code[:, 1:].mean(0).abs().max() < 1e-12
    assert f.with_code(x)[0][:, 0].std().item() != pytest.approx(1.0, abs=1e-3)


def test_the_batch_norm_sees_data_and_samples_together():
    f, (x, z, _) = network(), batch()
    f.train()
    objective()(f, x, z)
    norm = f.encoder[-1].norm
    assert norm.num_batches_tracked.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("options", "weights", "words"),
    [
        ({"weight": -1.0}, {}, "code_weight"),
        ({"own_weight": float("nan")}, {}, "own_weight"),
        ({}, {"tight_weight": 0.1}, "tight_weight of 0"),
    ],
)
def test_senseless_settings_are_refused(options, weights, words):
    with pytest.raises(ValueError, match=words):
        objective(**options, **weights)


def test_a_network_with_options_comes_back_from_its_config():
    f = network(rounding=0.5)
    again = DCGANAutoencoder(**f.config)
    again.double().load_state_dict(f.state_dict())
    f.eval(), again.eval()
    x, _, _ = batch()
    assert torch.equal(f(x), again(x))
    assert DCGANAutoencoder(1, 8).config.keys() == {"channels", "size", "width", "norm", "rounding"}
