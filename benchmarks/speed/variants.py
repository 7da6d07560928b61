"""Training steps of the same network on the same batch, to be timed against each other."""

import copy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.plain import configuration
from ign.nn.ema import Average
from ign.objective import clamp, kernel_divergence
from ign.objective.distance import find_distance
from ign.training.config import Config
from ign.training.methods import METHODS, Batch

SHAPES = {
    "mnist": (1, 28, 32), "mnist-paper": (1, 28, 64), "digits": (1, 10, 64),
    "celeba": (3, 64, 64), "celeba-paper": (3, 64, 64), "folder": (3, 64, 64),
}  # fmt: skip
"""Channels and size of the images, and the width of the network."""
DCGAN = "DCGAN"
OURS = "ours, float32"
HALF = "ours, bfloat16"
VARIANTS = ("listing", "listing, tuned", "same terms", "same terms, tuned", OURS, HALF, DCGAN)


class TwoPasses(nn.Module):
    """The terms of a configuration, each in a pass of its own, with a frozen copy of the network.

    Args:
        config: The run, of method ign.
        network: The network to copy.
        tuned: Whether the copy computes no gradient of its parameters.
        paper: Whether to leave out the terms that the paper does not have.
    """

    def __init__(self, config: Any, network: nn.Module, tuned: bool, paper: bool = False):
        super().__init__()
        self.config, self.paper = config, paper
        self.distance = find_distance(config.objective.distance)
        self.copy = copy.deepcopy(network).requires_grad_(not tuned)

    def forward(self, network: Any, batch: Batch) -> Tensor:
        o, a, d = self.config.objective, self.config.adversarial, self.distance
        adversarial, match = a.weight > 0 and not self.paper, self.config.match
        x, z, n = batch.x, batch.z, None if self.paper else batch.noise
        self.copy.load_state_dict(network.state_dict())
        on_data, fx = _apply(network, x if n is None else x + n, adversarial)
        y = network(z)
        made = y
        if adversarial and a.reconstruction_weight:
            made = torch.cat([y, fx[::8], fx[3::8]])
            n = None if n is None else torch.cat([n, torch.zeros_like(made[len(y) :])])
        y_bar = made.detach()
        on_made, outer = _apply(network, y_bar if n is None else y_bar + n, adversarial)
        fooled, inner = _apply(self.copy, made if n is None else made + n, adversarial)
        rec, drift = d(fx, x).mean(), d(outer, y_bar)[: len(x)].mean()
        value, slope = clamp(drift, rec, o.clamp_ratio)
        total: Tensor = o.rec_weight * rec + o.idem_weight * d(inner, made).mean()
        total = total - o.tight_weight * (value + slope * (drift - drift.detach()))
        if adversarial:
            total = total + a.weight * (F.softplus(-on_data).mean() + F.softplus(on_made).mean())
            total = total + a.weight * F.softplus(-fooled[: len(x)]).mean()
        if adversarial and a.reconstruction_weight:
            total = total + a.reconstruction_weight * F.softplus(-fooled[len(x) :]).mean()
        if match.weight and not self.paper and batch.anchors is not None:
            total = total + match.weight * kernel_divergence(y, batch.anchors, match.bandwidth)
        return total


def _apply(network: Any, x: Tensor, code: bool) -> tuple[Tensor, Tensor]:
    """The logit in the code of x, and f(x)."""
    if not code:
        return x, network(x)
    found, y = network.with_code(x)
    return found[:, 0], y


def options_of(preset: str, options: dict[str, Any]) -> tuple[Config, tuple[int, int]]:
    """The configuration of a preset, and channels and size of its images."""
    channels, size, width = SHAPES[preset]
    size = options.get("size", size)
    return configuration(preset, {"network.width": width, **options}), (channels, size)


def inputs(config: Any, shape: tuple[int, int], device: torch.device) -> Batch:
    """A fixed batch of random images, noise, further noise and anchors."""
    channels, size = shape
    torch.manual_seed(1)
    x = torch.rand(config.batch_size, channels, size, size) * 2 - 1
    noise = None
    if denoise := getattr(config, "denoise", 0.0):
        noise = denoise * torch.randn_like(x)
        noise[::2] = 0
    match, anchors = getattr(config, "match", None), None
    if match is not None and match.weight:
        anchors = (torch.rand(match.anchors, channels, size, size) * 2 - 1).to(device)
    noise = None if noise is None else noise.to(device)
    return Batch(x.to(device), torch.randn_like(x).to(device), noise, anchors)


def build(
    who: str, preset: str, device: torch.device, options: dict[str, Any] | None = None
) -> Callable[[], None]:
    """Return a step of a preset as a function without arguments, to be timed.

    A step computes the loss and the gradients, updates the weights with Adam, and moves the average
    of the weights, where the preset has one.
    """
    options = dict(options or {})
    if who == DCGAN:
        shared = ("batch_size", "network.width", "size")
        options = {k: v for k, v in options.items() if k in shared} | {"method": "dcgan"}
    config, shape = options_of(preset, options)
    torch.manual_seed(0)
    kind = METHODS[config.method]
    made: Any = kind.network_class(*shape, config.network.width, config.network.norm)
    method = kind(made, config)
    network, batch = made.to(device).train(), inputs(config, shape, device)
    tuned = who not in ("listing", "same terms")
    if tuned:
        network.to(memory_format=torch.channels_last)
        method.to(memory_format=torch.channels_last)
    method.to(device).train()
    loss = None
    if who.startswith(("listing", "same terms")):
        loss = TwoPasses(config, network, tuned, paper=who.startswith("listing"))
    trained = [*network.parameters(), *method.parameters()]
    optimizer = torch.optim.Adam(trained, 1e-4, config.betas, fused=True if tuned else None)
    average = Average(network, config.ema) if config.ema else None

    def step() -> None:
        half = torch.autocast(device.type, torch.bfloat16, enabled=who == HALF)
        updates = iter([]) if loss else method.losses(network, batch)
        for _ in range(1 if loss else method.updates):
            optimizer.zero_grad()
            with half:
                total = loss(network, batch) if loss else next(updates).loss
            total.backward(inputs=None if loss else trained)
            optimizer.step()
        if average is not None:
            average.update(network, 1000)

    return step
