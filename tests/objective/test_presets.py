"""The objective of each preset against its definition written out, in float64."""

import copy
import gc
import weakref

import pytest
import torch
import torch.nn.functional as F
from objective.test_paper import batch, gradient_of
from reference import error
from torch.utils.flop_counter import FlopCounterMode

from ign import nn
from ign.objective import clamp, kernel_divergence
from ign.objective.distance import find_distance
from ign.training import arguments
from ign.training.config import PRESETS
from ign.training.methods import METHODS, Batch

OURS = sorted(name for name in PRESETS if not arguments({}, name).code.weight)
"""The presets with idempotence of the code are in ``test_code.py``."""
VARIED = {
    "per-sample clamp": ("digits", {"objective.clamp_scale": "sample"}),
    "per-sample clamp, adversarial": ("mnist", {"objective.clamp_scale": "sample"}),
    "clamp by z": ("mnist", {"objective.clamp_scale": "z"}),
    "no idempotence": ("mnist", {"objective.idem_weight": 0.0}),
    "no reconstruction": ("celeba", {"objective.rec_weight": 0.0}),
    "no tightness": ("mnist-paper", {"objective.tight_weight": 0.0}),
    "tightness and reconstructions": ("celeba", {"objective.tight_weight": 2.5}),
    "match and adversarial": ("mnist", {"match.weight": 40.0}),
}
CASES = {name: (name, {}) for name in OURS} | VARIED


def definition(config, network, batch):
    """Each term in a pass of its own, with a frozen copy of the network."""
    d, o, a = find_distance(config.objective.distance), config.objective, config.adversarial
    x, z, n = batch.x, batch.z, batch.noise
    fixed, fx, y = copy.deepcopy(network).requires_grad_(False), network(x + n), network(z)
    chosen = fx[[i for i in range(len(x)) if i % 8 in (0, 3)]]
    made, noise = (y, n) if not a.reconstruction_weight else (
        torch.cat([y, chosen]), torch.cat([n, torch.zeros_like(chosen)]))  # fmt: skip
    y_bar = made.detach()
    drift_x, drift_bar = d(fx, x), d(network(y_bar + noise), y_bar)[: len(x)]
    scale = {"x": drift_x.mean(), "z": d(y, z).mean(), "sample": drift_x}[o.clamp_scale]
    drift_bar = drift_bar if o.clamp_scale == "sample" else drift_bar.mean()
    slope = clamp(drift_bar, scale, o.clamp_ratio)[1]
    total = o.rec_weight * drift_x.mean() - o.tight_weight * (slope * drift_bar).mean()
    total = total + o.idem_weight * d(fixed(made + noise), made).mean()
    if a.weight:
        on_data, on_outputs = network.encoder(x + n)[:, 0], network.encoder(y_bar + noise)[:, 0]
        fooled = F.softplus(-fixed.encoder(made + noise)[:, 0])
        discriminator = F.softplus(-on_data).mean() + F.softplus(on_outputs).mean()
        total = total + a.weight * (discriminator + fooled[: len(x)].mean())
        if a.reconstruction_weight:
            total = total + a.reconstruction_weight * fooled[len(x) :].mean()
    if config.match.weight:
        match = kernel_divergence(y, batch.anchors, config.match.bandwidth)
        total = total + config.match.weight * match
    return total


def make(preset, options):
    config = arguments({"network": {"width": 8, "norm": "batch"}, **options}, preset)
    torch.manual_seed(0)
    network = nn.DCGANAutoencoder(1, 8, 8, "batch").double()
    with torch.no_grad():
        for p in network.parameters():
            p.mul_(5 if p.ndim > 1 else 1)
    (x, z), (anchors, noise) = batch(n=16), batch(2, n=16)
    noise = config.denoise * noise
    return config, network, METHODS["ign"](network, config), Batch(x, z, noise, anchors)


@pytest.mark.parametrize("case", CASES)
def test_the_gradient_is_the_definition(case):
    config, network, method, given = make(*CASES[case])
    wanted = gradient_of(definition(config, network, given), network)
    (update,) = method.losses(network, given)
    assert error(gradient_of(update.loss, network), wanted) < 1e-12


@pytest.mark.parametrize("case", CASES)
def test_three_forward_passes_are_enough(case):
    _, network, method, given = make(*CASES[case])
    calls = []
    network.encoder.register_forward_hook(lambda *_: calls.append(1))
    list(method.losses(network, given))
    assert len(calls) == 3


def work(preset, options):
    """The floating-point operations of a step, in forward passes of a batch."""
    _, network, method, given = make(preset, options)
    network = nn.DCGANAutoencoder(3, 32, 8, "batch").double()
    given = Batch(*(torch.rand(16, 3, 32, 32).double() for _ in range(4)))
    with FlopCounterMode(display=False) as forward:
        network(given.x)
    with FlopCounterMode(display=False) as step:
        (update,) = method.losses(network, given)
        update.loss.backward()
    return step.get_total_flops() / forward.get_total_flops()


def test_terms_without_a_weight_cost_no_backward_pass():
    """Tightness without weight moves no decoder, reconstructions without weight no network."""
    full = work("mnist", {})
    assert work("mnist", {"objective.tight_weight": 0.0}) == pytest.approx(full - 1, abs=0.15)
    less = {"objective.rec_weight": 0.0}
    assert work("mnist-paper", less) == pytest.approx(work("mnist-paper", {}) - 2, abs=0.15)


def test_a_step_leaves_nothing_behind():
    """The next micro-batch does not find the graph of the last one in memory."""
    _, network, method, given = make("celeba", {})
    updates = method.losses(network, given)
    update = next(updates)
    update.loss.backward()
    graph = weakref.ref(update.loss)
    del update
    gc.disable()
    assert graph() is None
    gc.enable()
