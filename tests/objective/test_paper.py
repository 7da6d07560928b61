"""The objective against the paper's listing, in float64, and the faults that others shipped."""

import copy
import re
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
import torch
from reference import agrees, error, gradient, listing, step
from torch import nn

import ign.objective.one_pass
import ign.objective.paper
from ign import IGNObjective
from ign.nn import DCGANAutoencoder
from ign.objective import (
    AdversarialObjective,
    clamp,
    drift,
    frozen,
    idempotence,
    paper_losses,
    reconstruction,
    tightness,
)
from ign.objective.distance import distance_name, find_distance, l1, l2

RATIOS = (None, 1.5, 0.05)


def network(norm: str, gain: float = 5.0) -> nn.Module:
    """A small network in float64 whose outputs are far from zero."""
    torch.manual_seed(0)
    net = DCGANAutoencoder(1, 8, 8, norm).double()
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(gain if p.ndim > 1 else 1.0)
    return net


def batch(seed: int = 1, n: int = 6):
    g = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 1, 8, 8, generator=g, dtype=torch.float64) * 2 - 1
    return x, torch.randn(n, 1, 8, 8, generator=g, dtype=torch.float64)


@pytest.mark.parametrize("one_pass", [True, False])
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("distance", ["l1", "l2"])
@pytest.mark.parametrize("norm", ["none", "batch", "group"])
def test_objective_is_the_listing(norm, distance, ratio, one_pass):
    net, (x, z) = network(norm), batch()
    objective = IGNObjective(distance, clamp_ratio=ratio, one_pass=one_pass)
    assert agrees(step(objective, net, x, z), listing(net, x, z, distance, ratio=ratio))


@pytest.mark.parametrize("one_pass", [True, False])
@pytest.mark.parametrize("norm", ["none", "batch", "group"])
@pytest.mark.parametrize("wanted", [1.0, 8.0, 20.0])
def test_saturated_clamp_keeps_the_idempotence_gradient(norm, wanted, one_pass):
    net, (x, z) = network(norm), batch()
    plain = listing(net, x, z, ratio=None)
    ratio = (plain.idem / (wanted * plain.rec)).item()
    reference = listing(net, x, z, ratio=ratio)
    objective = IGNObjective(clamp_ratio=ratio, one_pass=one_pass)
    assert agrees(step(objective, net, x, z), reference)
    without = step(IGNObjective(idem_weight=0, clamp_ratio=ratio), net, x, z)
    assert error(without.gradient, reference.gradient) > 1e-3


@pytest.mark.parametrize("one_pass", [True, False])
def test_role_norm_trains_as_batch_norm_does(one_pass):
    batch_norm, role_norm = network("batch"), network("role")
    role_norm.load_state_dict(
        {
            k: v
            for k, v in batch_norm.state_dict().items()
            if k in dict(role_norm.named_parameters())
        },
        strict=False,
    )
    x, z = batch()
    wanted = listing(batch_norm, x, z)
    assert (
        error(step(IGNObjective(one_pass=one_pass), role_norm, x, z).gradient, wanted.gradient)
        < 1e-12
    )


@pytest.mark.parametrize(
    "weights", [(1.0, 0.0, 0.1), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 1.0)]
)
@pytest.mark.parametrize("norm", ["none", "batch"])
def test_zero_weights(norm, weights):
    net, (x, z) = network(norm), batch()
    objective = IGNObjective("l2", *weights, clamp_ratio=None)
    assert agrees(step(objective, net, x, z), listing(net, x, z, "l2", weights, None))


def test_only_total_carries_a_gradient_and_is_the_weighted_sum():
    x, z = batch()
    for options in ({}, {"one_pass": False}, {"clamp_scale": "z"}, {"clamp_scale": "sample"}):
        objective = IGNObjective("l1", 3.0, 5.0, 0.7, 1.2, **options)
        losses = objective(network("batch"), x, z)
        assert losses.total.requires_grad
        assert not any(t.requires_grad for t in (losses.rec, losses.idem, losses.tight))
        total = 3 * losses.rec + 5 * losses.idem + 0.7 * losses.tight
        assert torch.allclose(losses.total.detach(), total, rtol=1e-12)
        assert losses.tight < 0 < losses.idem


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("norm", ["none", "batch", "group"])
def test_the_paper_written_out_is_the_listing(norm, ratio):
    net, (x, z) = network(norm), batch()

    def objective(network, x, z):
        return paper_losses(network, x, z, "l2", (3.0, 2.0, 0.5), ratio)

    assert agrees(step(objective, net, x, z), listing(net, x, z, "l2", (3.0, 2.0, 0.5), ratio))


def test_terms_can_be_added():
    net, (x, z) = network("none"), batch()
    losses = IGNObjective()(net, x, z)
    extended = losses.add("mean", 3.0, losses.samples.mean())
    assert torch.allclose(extended.total, losses.total + 3 * net(z).mean())
    assert list(extended.terms) == ["rec", "idem", "tight", "mean"]
    assert not extended.terms["mean"].requires_grad
    assert list(losses.terms) == ["rec", "idem", "tight"]


def test_the_names_of_version_0_1_say_where_they_went():
    net, (x, z) = network("none"), batch()
    with pytest.raises(TypeError, match=r"match_weight.*MatchObjective"):
        IGNObjective(match_weight=1.0)
    with pytest.raises(TypeError, match="no argument 'rec_wieght'"):
        IGNObjective(rec_wieght=1.0)
    losses = AdversarialObjective(IGNObjective(), 1.0)(net, x, z)
    with pytest.warns(DeprecationWarning, match=r'losses.terms\["discriminator"\]'):
        tell = losses.tell
    assert tell == losses.terms["discriminator"]
    with pytest.raises(AttributeError, match="nonsense"):
        _ = losses.nonsense


def test_terms_are_the_definitions():
    net, (x, z) = network("none"), batch()
    fz = net(z)
    assert torch.equal(reconstruction(net, x), l1(net(x), x).mean())
    assert torch.equal(idempotence(net, z), l1(net(fz), fz).mean())
    assert torch.equal(tightness(net, z), -l1(net(fz), fz).mean())
    assert drift(net, x, "l2").shape == (6,)

    inner = copy.deepcopy(net)
    idempotence(inner, z).backward()
    outer = copy.deepcopy(net)
    tightness(outer, z).backward()
    rec = copy.deepcopy(net)
    reconstruction(rec, x).backward()
    total = 20 * gradient(rec) + 20 * gradient(inner) + 2.5 * gradient(outer)
    assert error(total, listing(net, x, z, ratio=None).gradient) < 1e-12


def test_clamp_is_equation_14():
    d, s = torch.tensor(0.7, dtype=torch.float64), torch.tensor(0.2, dtype=torch.float64)
    for a in (0.05, 0.5, 1.5):
        at = d.clone().requires_grad_()
        wanted = a * s * torch.tanh(at / (a * s))
        wanted.backward()
        value, slope = clamp(d, s, a)
        assert torch.allclose(value, wanted.detach(), rtol=1e-14)
        assert abs(slope - at.grad) <= 1e-14 + 1e-12 * at.grad
        assert value < a * s + 1e-15
    assert clamp(d, s, None) == (d, 1)
    assert torch.isfinite(torch.stack(clamp(d, torch.zeros_like(s), 1.5))).all()
    assert clamp(d.float(), s.float(), 1e-3)[1] == torch.tensor(1e-8)


def test_clamp_scales():
    net, (x, z) = network("none"), batch()
    fx, fz = net(x), net(z)
    d_x, d_z, d_y = l1(fx, x), l1(fz, z), l1(net(fz), fz)
    bound = {"x": d_x.mean(), "z": d_z.mean()}
    for name, s in bound.items():
        tight = IGNObjective(clamp_scale=name, clamp_ratio=0.7)(net, x, z).tight
        assert torch.allclose(tight, -0.7 * s * torch.tanh(d_y.mean() / (0.7 * s)))
    tight = IGNObjective(clamp_scale="sample", clamp_ratio=0.7)(net, x, z).tight
    assert torch.allclose(tight, -(0.7 * d_x * torch.tanh(d_y / (0.7 * d_x))).mean())
    same = [
        step(IGNObjective(clamp_scale="z", one_pass=p), net, x, z).gradient for p in (True, False)
    ]
    assert error(*same) < 1e-12


def test_frozen_leaves_no_trace():
    net, (x, _) = network("batch"), batch()
    net.decoder[0].weight.requires_grad_(False)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    free = [p.requires_grad for p in net.parameters()]
    y = x.clone().requires_grad_()
    with frozen(net):
        net(y).sum().backward()
    assert y.grad.abs().sum() > 0
    assert all(p.grad is None for p in net.parameters())
    assert [p.requires_grad for p in net.parameters()] == free
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    net(x)
    assert not torch.equal(net.decoder[1].running_mean, before["decoder.1.running_mean"])


def weighted(a, b):
    return (a - b).abs().flatten(1).mean(1) * 2


def test_distances_by_name_function_and_path():
    assert find_distance("l2") is l2
    assert find_distance("ign.objective.distance:l2") is l2
    assert distance_name(l1) == "l1"
    assert find_distance(distance_name(weighted)) is weighted
    net, (x, z) = network("none"), batch()
    ours, plain = (IGNObjective(d, clamp_ratio=None)(net, x, z) for d in (weighted, "l1"))
    assert torch.allclose(ours.rec, 2 * plain.rec)
    for name in ("l3", "ign.objective.distance:nothing", "nowhere:at_all", "os:sep"):
        with pytest.raises(ValueError, match="distance"):
            IGNObjective(name)
    with pytest.raises(ValueError, match="cannot be imported"):
        distance_name(lambda a, b: a)


@pytest.mark.parametrize(
    "options",
    [
        {"clamp_ratio": 0}, {"clamp_ratio": -1.0}, {"clamp_scale": "y"}, {"rec_weight": -1},
        {"idem_weight": float("nan")}, {"one_pass": True, "tight_weight": 0},
        {"one_pass": True, "clamp_scale": "sample"},
    ],
)  # fmt: skip
def test_senseless_settings_are_refused(options):
    with pytest.raises(ValueError, match=r"\w"):
        IGNObjective(**options)


def test_any_function_that_keeps_the_shape_is_a_network():
    scale = torch.tensor(0.5, requires_grad=True)
    x, z = batch()
    losses = IGNObjective()(lambda y: scale * y, x, z)
    losses.total.backward()
    assert torch.allclose(losses.rec, 0.5 * x.abs().mean())
    assert scale.grad is not None


@pytest.mark.parametrize("one_pass", [True, False])
@pytest.mark.parametrize("norm", ["group", "batch", "none"])
def test_autocast_stays_near_single_precision(norm, one_pass):
    net, (x, z) = network(norm).float(), (t.float() for t in batch())
    objective = IGNObjective(one_pass=one_pass)
    wanted = step(objective, net, x, z)
    with torch.autocast("cpu", torch.bfloat16):
        found = step(objective, net, x, z)
    assert found.total.dtype == torch.float32
    assert abs(found.total / wanted.total - 1) < 0.05
    assert torch.cosine_similarity(found.gradient, wanted.gradient, dim=0) > 0.95


def test_compiled_network_gives_the_same_step():
    net, (x, z) = network("role"), batch()
    x, z = x.float(), z.float()
    net.float()
    for one_pass in (True, False):
        objective = IGNObjective(one_pass=one_pass)
        wanted = step(objective, net, x, z)
        fast = copy.deepcopy(net)
        fast.zero_grad()
        losses = objective(torch.compile(fast, backend="aot_eager"), x, z)
        losses.total.backward()
        assert error(gradient(fast), wanted.gradient) < 1e-5
        for k, v in fast.named_buffers():
            assert torch.allclose(v, wanted.statistics[k], atol=1e-6)


def test_accumulated_micro_batches_are_the_joined_batch_without_clamp():
    net, (x, z) = network("group"), batch(n=8)
    objective = IGNObjective(clamp_ratio=None)
    wanted = step(objective, net, x, z)
    net.zero_grad()
    for part in zip(x.split(2), z.split(2), strict=True):
        (objective(net, *part).total / 4).backward()
    assert error(gradient(net), wanted.gradient) < 1e-12


# --- the faults that public implementations shipped: each is planted, each is caught ---


def tightness_through_the_copy(monkeypatch):
    """Both terms see the frozen network, so that tightness has no gradient."""
    outer = IGNObjective.outer

    def planted(self, network, y, noise):
        with frozen(network):
            return outer(self, network, y, noise)

    monkeypatch.setattr(IGNObjective, "outer", planted)


def tightness_with_a_plus_sign(monkeypatch):
    plain = clamp

    def planted(value, scale, ratio):
        value, slope = plain(value, scale, ratio)
        return -value, -slope

    monkeypatch.setattr(ign.objective.one_pass, "clamp", planted)


def tightness_not_detached(monkeypatch):
    """The inner network is trained to raise the drift of its own output."""
    forward = DCGANAutoencoder.forward
    outputs = []

    def remember(self, x):
        outputs.append(forward(self, x))
        return outputs[-1]

    def planted(self, network, y, noise):
        return self.apply_to(network, outputs[1], noise, "output")

    monkeypatch.setattr(DCGANAutoencoder, "forward", remember)
    monkeypatch.setattr(IGNObjective, "outer", planted)


def copy_in_eval_mode(monkeypatch):
    plain = frozen

    @contextmanager
    def planted(network):
        network.eval()
        with plain(network):
            yield
        network.train()

    monkeypatch.setattr(ign.objective.paper, "frozen", planted)


def copy_that_is_not_frozen(monkeypatch):
    monkeypatch.setattr(ign.objective.paper, "frozen", lambda network: nullcontext())


def scale_with_a_gradient(monkeypatch):
    def planted(value, scale, ratio):
        bound = ratio * scale
        return bound * (value / bound).tanh(), 1 / (value / bound).cosh() ** 2

    monkeypatch.setattr(ign.objective.one_pass, "clamp", planted)
    monkeypatch.setattr(IGNObjective, "_over_processes", lambda self, *values: list(values))


FAULTS = [
    tightness_through_the_copy, tightness_with_a_plus_sign, tightness_not_detached,
    scale_with_a_gradient,
]  # fmt: skip
FAULTS_OF_A_COPY = [copy_in_eval_mode, copy_that_is_not_frozen]


@pytest.mark.parametrize("fault", FAULTS + FAULTS_OF_A_COPY)
def test_planted_fault_is_caught(fault, monkeypatch):
    net, (x, z) = network("batch"), batch()
    wanted = listing(net, x, z)
    objective = paper_losses if fault in FAULTS_OF_A_COPY else IGNObjective(one_pass=False)
    assert agrees(step(objective, net, x, z), wanted)
    fault(monkeypatch)
    assert not agrees(step(objective, net, x, z), wanted, tolerance=1e-6)


def test_planted_fault_in_the_gate_is_caught(monkeypatch):
    net, (x, z) = network("batch"), batch()
    wanted = listing(net, x, z)

    def planted(value, scale, ratio):
        t, slope = clamp(value, scale, ratio)
        return t, slope + 0.01

    assert agrees(step(IGNObjective(one_pass=True), net, x, z), wanted)
    monkeypatch.setattr(ign.objective.one_pass, "clamp", planted)
    assert not agrees(step(IGNObjective(one_pass=True), net, x, z), wanted, tolerance=1e-6)


def test_one_pass_restores_too():
    net, (x, z), noise = network("group"), batch(), batch(2)[1]
    one, many = (
        gradient_of(IGNObjective(one_pass=way)(net, x, z, noise=noise).total, net)
        for way in (True, False)
    )
    assert error(one, many) < 1e-12
    assert error(one, gradient_of(IGNObjective()(net, x, z).total, net)) > 1e-3


def gradient_of(total, net):
    """All of the gradient in one row."""
    return torch.cat([g.flatten() for g in torch.autograd.grad(total, [*net.parameters()])])


def test_the_clamp_has_a_floor_of_its_scale():
    """Without it the bound of a perfect reconstruction, and with it the gradient, vanishes."""
    d = torch.tensor(1.0, dtype=torch.float64)
    value, slope = clamp(d, torch.zeros_like(d), 1.5)
    assert value == pytest.approx(1.5e-6)
    assert 0 < slope < 1e-10
    small, _ = clamp(d * 1e-9, torch.zeros_like(d), 1.5)
    assert small == pytest.approx(1e-9, rel=1e-3)


def test_the_table_of_equations_names_the_lines():
    root = Path(__file__).parents[2]
    page = (root / "docs" / "objective.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| `(\w+)` \| `(ign/objective/paper\.py):(\d+)` \|", page)
    assert len(rows) == 7
    for name, file, line in rows:
        lines = (root / file).read_text(encoding="utf-8").splitlines()
        assert lines[int(line) - 1].startswith(f"def {name}(")
