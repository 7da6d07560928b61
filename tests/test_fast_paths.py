"""The gradient of every fast path is the float64 listing's, within the precision's own error.

That error is measured on the listing itself, computed in the same precision.
"""

import copy

import pytest
import torch
from reference import Step, error, gradient, listing, statistics, step
from torch import nn

from ign import IGNObjective
from ign.nn import DCGANAutoencoder

SLACK = 1.5
"""How much larger than the listing's an error may be; each adds in an order of its own."""
CASES = [(norm, ratio) for norm in ("batch", "group", "none") for ratio in (None, 1.5, 0.05)]
"""The last ratio saturates the clamp."""


def network(norm: str) -> nn.Module:
    torch.manual_seed(0)
    net = DCGANAutoencoder(3, 16, 8, norm)
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(4 if p.ndim > 1 else 1)
    return net


def batch():
    g = torch.Generator().manual_seed(1)
    x = torch.rand(8, 3, 16, 16, generator=g) * 2 - 1
    return x, torch.randn(8, 3, 16, 16, generator=g)


def truth(norm: str, ratio: float | None) -> Step:
    """The listing in float64."""
    return listing(network(norm).double(), *(t.double() for t in batch()), ratio=ratio)


def allowed(norm: str, ratio: float | None, bfloat16: bool) -> float:
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        found = listing(network(norm), *batch(), ratio=ratio)
    return SLACK * error(found.gradient.double(), truth(norm, ratio).gradient)


@pytest.mark.parametrize("bfloat16", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("norm", "ratio"), CASES)
def test_one_pass(norm, ratio, order, bfloat16):
    net = network(norm).to(memory_format=order)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        found = step(IGNObjective(clamp_ratio=ratio), net, *batch())
    wanted = truth(norm, ratio)
    assert error(found.gradient.double(), wanted.gradient) <= allowed(norm, ratio, bfloat16)
    for name in ("total", "rec", "idem", "tight"):
        value = getattr(found, name)
        assert value.dtype == torch.float32
        assert value == pytest.approx(getattr(wanted, name).item(), rel=0.02 if bfloat16 else 1e-5)


def compiled(net: nn.Module, ratio: float | None, backend: str) -> Step:
    """A step whose objective is one graph."""
    net, objective = copy.deepcopy(net), IGNObjective(clamp_ratio=ratio)
    objective.compile(fullgraph=True, backend=backend)
    x, z = (t.to(next(net.parameters()).dtype) for t in batch())
    losses = objective(net, x, z)
    losses.total.backward()
    terms = (t.detach() for t in (losses.total, losses.rec, losses.idem, losses.tight))
    return Step(*terms, gradient(net), statistics(net))


@pytest.mark.parametrize(("norm", "ratio"), [("batch", 0.05), ("role", 1.5)])
def test_compiled_objective_is_the_same_in_double_precision(norm, ratio):
    net = network(norm).double()
    wanted = step(IGNObjective(clamp_ratio=ratio), net, *(t.double() for t in batch()))
    found = compiled(net, ratio, "aot_eager")
    assert error(found.gradient, wanted.gradient) < 1e-13
    assert found.total == pytest.approx(wanted.total.item(), rel=1e-13)
    for name, value in wanted.statistics.items():
        assert torch.allclose(found.statistics[name].double(), value.double(), rtol=1e-12), name


def test_objectives_of_several_weights_compile_in_one_process():
    """From the second value on, the compiler treats a weight as a symbol and not as a constant."""
    for weight in (2.5, 1.5, 0.7):
        net = network("role")
        objective = IGNObjective(idem_weight=8 * weight, tight_weight=weight)
        wanted = step(objective, net, *batch())
        fast = copy.deepcopy(net)
        objective.compile(fullgraph=True, backend="aot_eager")
        objective(fast, *batch()).total.backward()
        assert error(gradient(fast), wanted.gradient) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("bfloat16", [False, True], ids=["float32", "bfloat16"])
def test_generated_code_is_as_exact(bfloat16):
    torch.compiler.reset()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        found = compiled(network("batch").to(memory_format=torch.channels_last), 1.5, "inductor")
    wanted = truth("batch", 1.5).gradient
    assert error(found.gradient.double(), wanted) <= allowed("batch", 1.5, bfloat16)
