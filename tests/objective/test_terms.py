"""One graph, two gradients: who gets them, how they are scaled, and what is left behind."""

import pytest
import torch
from objective.test_paper import batch, gradient_of, network
from reference import error

import ign.objective.terms
from ign import IGNObjective
from ign.objective import AdversarialObjective
from ign.objective.terms import Term, constant, through, weigh


def parts():
    """y from an inner weight, and a loss of a constant copy of y and an outer weight."""
    inner, outer = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (2.0, 3.0))
    y = inner * torch.tensor([1.0, -2.0, 4.0], dtype=torch.float64)
    y_bar = constant(y)
    return inner, outer, y, y_bar, (outer * y_bar).square().sum()


def test_only_the_inner_weight_gets_a_gradient():
    inner, outer, y, y_bar, loss = parts()
    result = through(y, y_bar, loss)
    assert torch.equal(result, loss)
    (0.25 * result).backward()
    assert torch.allclose(inner.grad, 0.25 * 2 * 9 * 2 * torch.tensor(21.0).double())
    assert outer.grad is None


def test_both_gradients_come_from_one_graph():
    inner, outer, y, y_bar, loss = parts()
    terms = [Term("a", 5.0, loss), Term("b", 7.0, loss, inner=True), Term("c", 0.0, loss / 0)]
    losses = weigh(terms, y, y_bar, y)
    losses.total.backward()
    assert torch.allclose(outer.grad, 5 * 2 * 3 * 4 * torch.tensor(21.0).double())
    assert torch.allclose(inner.grad, 7 * 2 * 9 * 2 * torch.tensor(21.0).double())
    assert torch.allclose(losses.total, 12 * loss)
    assert list(losses.terms) == ["a", "b", "c"]


def test_a_second_backward_pass_finds_the_same():
    inner, _, y, y_bar, loss = parts()
    total = loss + through(y, y_bar, loss)
    once = torch.autograd.grad(total, inner, retain_graph=True)
    assert torch.autograd.grad(total, inner) == once


def test_nothing_to_train_is_a_value():
    _, _, y, y_bar, loss = parts()
    with torch.no_grad():
        assert not through(y, y_bar, loss.detach()).requires_grad
    y = y.detach()
    assert not constant(y).requires_grad
    assert torch.equal(through(y, constant(y), loss), loss)


@pytest.mark.parametrize("kind", ["paper", "sample", "adversarial"])
def test_float16_has_its_gradient_where_the_loss_is_scaled(kind):
    """With weights so small that float16 loses the gradient unless the loss is scaled."""
    net, (x, z) = network("batch", gain=1.0).float(), (t.float() for t in batch(n=16))
    scale_of = "sample" if kind == "sample" else "x"
    objective = IGNObjective("l1", 2e-5, 2e-5, 2.5e-6, clamp_scale=scale_of)
    if kind == "adversarial":
        objective = AdversarialObjective(objective, 3e-7)
    wanted = gradient_of(objective(net, x, z).total, net)
    found = {}
    for scale in (1, 2.0**20):
        with torch.autocast("cpu", torch.float16):
            losses = objective(net, x, z)
        assert losses.samples.dtype == torch.float16
        found[scale] = gradient_of(losses.total * scale, net) / scale
    assert error(found[2.0**20], wanted) < 0.02
    assert error(found[1], wanted) > 0.1


def moves_the_parameters(y, y_bar, loss):
    return through(y, y_bar, loss) + loss - loss.detach()


def moves_nothing(y, y_bar, loss):
    return loss.detach()


def forgets_the_scale(y, y_bar, loss):
    (grad,) = torch.autograd.grad(loss, y_bar, retain_graph=True)
    y.register_hook(lambda other: other + grad)
    return loss.detach() + 0 * y.sum()


@pytest.mark.parametrize("fault", [moves_the_parameters, moves_nothing, forgets_the_scale])
def test_planted_fault_is_caught(fault, monkeypatch):
    net, (x, z) = network("batch"), batch()
    objective = AdversarialObjective(IGNObjective(), 7.0, 5.0)
    wanted = gradient_of(objective(net, x, z).total / 2, net)
    monkeypatch.setattr(ign.objective.terms, "through", fault)
    assert error(gradient_of(objective(net, x, z).total / 2, net), wanted) > 1e-3
