"""The kernel divergence against its definition, and what its gradient does."""

import pytest
import torch

from ign import IGNObjective
from ign.nn import DCGANAutoencoder
from ign.objective import AdversarialObjective, MatchObjective
from ign.objective.match import kernel_divergence


def definition(y, x, held, h):
    """Sums written out; ``held`` is the constant copy of the outputs."""
    root = y[0].numel() ** 0.5

    def k(a, b):
        return torch.exp(-((a - b).square().sum() + 1e-8).sqrt() / (h * root))

    total = 0.0
    for i in range(len(y)):
        own = sum(k(y[i], held[j]) for j in range(len(y)) if j != i) / (len(y) - 1)
        total = total + own.log() - (sum(k(y[i], b) for b in x) / len(x)).log()
    return h * total / len(y)


def test_value_and_gradient_are_the_definition():
    g = torch.Generator().manual_seed(0)
    y = torch.rand(5, 1, 3, 3, generator=g, dtype=torch.float64).requires_grad_()
    x = torch.rand(7, 1, 3, 3, generator=g, dtype=torch.float64)
    for h in (0.05, 0.5):
        value, wanted = kernel_divergence(y, x, h), definition(y, x, y.detach(), h)
        assert torch.allclose(value, wanted, rtol=1e-9)
        found, right = (torch.autograd.grad(v, y)[0] for v in (value, wanted))
        assert torch.allclose(found, right, rtol=1e-8, atol=1e-10)


def test_zero_on_average_for_equal_distributions():
    g = torch.Generator().manual_seed(1)
    near = [kernel_divergence(*torch.rand(2, 200, 4, generator=g), 0.3).item() for _ in range(20)]
    far = kernel_divergence(
        torch.rand(200, 4, generator=g) + 1, torch.rand(200, 4, generator=g), 0.3
    )
    assert abs(sum(near) / 20) < 0.01 < far / 10


def test_outputs_move_to_the_data_and_apart():
    x = torch.tensor([[0.0], [1.0]], dtype=torch.float64).repeat(50, 1)
    y = torch.linspace(0.1, 0.4, 40, dtype=torch.float64)[:, None].clone().requires_grad_()
    optimizer = torch.optim.Adam([y], 0.02)
    for _ in range(300):
        optimizer.zero_grad()
        kernel_divergence(y, x, 0.3).backward()
        optimizer.step()
    assert (y < 0.3).sum() > 10
    assert (y > 0.7).sum() > 10


def test_objective_adds_the_term_with_its_weight():
    torch.manual_seed(0)
    network = DCGANAutoencoder(1, 8, 4, "none").double()
    x, z, anchors = torch.randn(3, 4, 1, 8, 8, dtype=torch.float64)
    plain = IGNObjective()(network, x, z)
    objective = MatchObjective(IGNObjective(), 3.0, 0.2)
    assert objective.one_pass
    for given in (None, anchors):
        losses = objective(network, x, z, given)
        wanted = kernel_divergence(network(z), x if given is None else given, 0.2)
        assert torch.allclose(losses.terms["match"], wanted.detach())
        assert torch.allclose(losses.total, plain.total + 3 * wanted)
        total = 20 * losses.rec + 20 * losses.idem + 2.5 * losses.tight + 3 * losses.terms["match"]
        assert torch.allclose(losses.total, total)
        found = torch.autograd.grad(losses.total, network.decoder[0].weight)[0]
        apart = [torch.autograd.grad(v, network.decoder[0].weight)[0]
                 for v in (IGNObjective()(network, x, z).total, 3 * wanted)]  # fmt: skip
        assert torch.allclose(found, sum(apart), rtol=1e-10)
    assert "match" not in plain.terms


def test_additions_compose():
    """The match term around the adversarial loss around the paper: the sum of the three."""
    torch.manual_seed(0)
    network = DCGANAutoencoder(1, 8, 4, "none").double()
    x, z = torch.randn(2, 8, 1, 8, 8, dtype=torch.float64)
    adversarial = AdversarialObjective(IGNObjective(), 2.0)
    objective = MatchObjective(AdversarialObjective(IGNObjective(), 2.0), 3.0)
    assert not objective.one_pass
    losses = objective(network, x, z, first=0)
    wanted = adversarial(network, x, z).total + 3 * kernel_divergence(network(z), x)
    assert torch.allclose(losses.total, wanted)
    assert list(losses.terms) == ["rec", "idem", "tight", "discriminator", "generator", "match"]


@pytest.mark.parametrize(("weight", "bandwidth"), [(-1.0, 0.1), (1.0, 0.0), (float("inf"), 0.1)])
def test_senseless_settings_are_refused(weight, bandwidth):
    with pytest.raises(ValueError, match=r"weight|bandwidth"):
        MatchObjective(IGNObjective(), weight, bandwidth)


@pytest.mark.parametrize("parts", [2, 3, 6])
def test_parts_that_know_all_outputs_have_the_mean_of_the_whole(parts):
    torch.manual_seed(0)
    y, x = torch.rand(6, 4, dtype=torch.float64, requires_grad=True), torch.rand(5, 4).double()
    pieces = [
        kernel_divergence(piece, x, 0.3, y, i * len(piece))
        for i, piece in enumerate(y.chunk(parts))
    ]
    whole, joined = kernel_divergence(y, x, 0.3), sum(pieces) / parts
    assert torch.allclose(joined, whole, rtol=1e-12)
    a, b = (torch.autograd.grad(v, y)[0] for v in (joined, whole))
    assert torch.allclose(a, b, rtol=1e-12)


def test_bad_arguments():
    for y, h in ((torch.zeros(1, 4), 0.1), (torch.zeros(3, 4), 0.0)):
        with pytest.raises(ValueError, match="2 outputs and a bandwidth above 0"):
            kernel_divergence(y, torch.zeros(3, 4), h)
