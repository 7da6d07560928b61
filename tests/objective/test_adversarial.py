"""The adversarial losses in the code against their definition, in float64, in parts and joined."""

import copy

import pytest
import torch
import torch.nn.functional as F
from objective.test_paper import batch, gradient_of, network
from reference import error

from ign import IGNObjective
from ign.objective import AdversarialObjective, clamp
from ign.objective.distance import l1


@pytest.mark.parametrize("noisy", [True, False])
@pytest.mark.parametrize("tight", [2.5, 0.0])
def test_the_losses_are_the_definition(tight, noisy):
    """The definition written out, with a frozen copy of the network."""
    net, (x, z), noise = network("group"), batch(), batch(2)[1] if noisy else torch.zeros(())
    objective = AdversarialObjective(IGNObjective(tight_weight=tight), 7.0)
    losses = objective(net, x, z, noise=noise if noisy else None)
    found = gradient_of(losses.total, net)
    fixed, y = copy.deepcopy(net).requires_grad_(False), net(z)
    y_bar = y.detach()
    rec, idem = (net(x + noise) - x).abs().mean(), (fixed(y + noise) - y).abs().mean()
    drift_bar = (net(y_bar + noise) - y_bar).abs().mean()
    discriminator = (1 + (-net.encoder(x + noise)[:, 0]).exp()).log().mean()
    discriminator = discriminator + (1 + net.encoder(y_bar + noise)[:, 0].exp()).log().mean()
    generator = (1 + (-fixed.encoder(y + noise)[:, 0]).exp()).log().mean()
    bound, slope = clamp(losses.idem, losses.rec, 1.5)
    total = 20 * rec + 20 * idem - tight * slope * drift_bar + 7 * (discriminator + generator)
    assert error(found, gradient_of(total, net)) < 1e-12
    for name, wanted in {
        "rec": rec,
        "idem": idem,
        "tight": -bound,
        "discriminator": discriminator,
        "generator": generator,
    }.items():
        assert torch.allclose(losses.terms[name], wanted.detach()), name


@pytest.mark.parametrize("noisy", [True, False])
def test_the_losses_on_reconstructions_are_the_definition(noisy):
    """The definition written out: two of eight f(x) are outputs like f(z), but not for T."""
    net, (x, z), noise = network("batch"), batch(n=16), torch.zeros(())
    if noisy:
        noise = batch(2, n=16)[1]
    objective = AdversarialObjective(IGNObjective(), 7.0, 5.0)
    losses = objective(net, x, z, noise=noise if noisy else None)
    fixed, y, fx = copy.deepcopy(net).requires_grad_(False), net(z), net(x + noise)
    some = fx[[0, 8, 3, 11]]
    made, shown = torch.cat([y, some]), torch.cat([y + noise, some])
    code, outer = fixed.encoder(shown)[:, 0], net(shown.detach())
    rec, idem = l1(fx, x).mean(), l1(fixed(shown), made).mean()
    drift_bar = l1(outer, made.detach())[:16].mean()
    discriminator = F.softplus(-net.encoder(x + noise)[:, 0]).mean()
    discriminator = discriminator + F.softplus(net.encoder(shown.detach())[:, 0]).mean()
    generator, generator_rec = F.softplus(-code[:16]).mean(), F.softplus(-code[16:]).mean()
    slope = clamp(drift_bar.detach(), rec.detach(), 1.5)[1]
    total = (
        20 * rec
        + 20 * idem
        - 2.5 * slope * drift_bar
        + 7 * (discriminator + generator)
        + 5 * generator_rec
    )
    assert error(gradient_of(losses.total, net), gradient_of(total, net)) < 1e-12
    for name, wanted in {
        "idem": idem,
        "discriminator": discriminator,
        "generator": generator,
        "generator_rec": generator_rec,
    }.items():
        assert torch.allclose(losses.terms[name], wanted.detach()), name


@pytest.mark.parametrize("parts", [1, 2, 4, 8])
@pytest.mark.parametrize("noisy", [True, False])
def test_micro_batches_have_the_gradient_of_the_joined_batch(parts, noisy):
    """Reconstructions are chosen by their global index, whatever the size of a part."""
    net, (x, z) = network("group"), batch(n=16)
    noise = batch(2, n=16)[1] if noisy else None
    objective = AdversarialObjective(IGNObjective(clamp_ratio=None), 7.0, 5.0)
    wanted = gradient_of(objective(net, x, z, noise).total, net)
    size, total = 16 // parts, 0.0
    for first in range(0, 16, size):
        part = slice(first, first + size)
        noise_part = None if noise is None else noise[part]
        total = total + objective(net, x[part], z[part], noise_part, first).total / parts
    assert error(gradient_of(total, net), wanted) < 1e-12


def test_the_choice_of_reconstructions_matters():
    """Parts that all begin at index 0 have another gradient than the joined batch."""
    net, (x, z) = network("group"), batch(n=16)
    objective = AdversarialObjective(IGNObjective(clamp_ratio=None), 7.0, 5.0)
    wanted = gradient_of(objective(net, x, z).total, net)
    parts = zip(x.split(4), z.split(4), strict=True)
    total = sum(objective(net, *part, first=0).total / 4 for part in parts)
    assert error(gradient_of(total, net), wanted) > 1e-3


@pytest.mark.parametrize("n", [1, 5, 13])
def test_odd_batches_are_served(n):
    net, (x, z) = network("group"), batch(n=n)
    losses = AdversarialObjective(IGNObjective(), 1.0, 1.0)(net, x, z)
    assert all(torch.isfinite(term) for term in losses.terms.values())


@pytest.mark.parametrize("weights", [(0.0, 0.0), (-1.0, 0.0), (1.0, float("nan"))])
def test_senseless_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weight"):
        AdversarialObjective(IGNObjective(), *weights)


def test_a_network_without_a_code_is_refused():
    with pytest.raises(ValueError, match="with_code"):
        AdversarialObjective(IGNObjective(), 1.0)(torch.tanh, *batch())
