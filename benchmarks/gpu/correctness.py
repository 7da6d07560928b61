"""Whether a device computes what the CPU computes: gradients, samples, random numbers, resuming."""

import copy
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu.tools import Results, Step, faces
from benchmarks.speed.variants import SHAPES, inputs, options_of
from ign import IGN
from ign.core import random
from ign.nn import DCGANAutoencoder
from ign.noise import GaussianNoise
from ign.training.methods import METHODS

PRESETS = ("mnist-paper", "digits", "mnist", "celeba")
BOUNDS = {"float64": 1e-9, "float32": 1e-2, "compiled": 1e-2, "bfloat16": 0.5}
"""The largest relative errors of a gradient."""


def run(folder: Any, device: torch.device, tiny: bool) -> None:
    """Make all checks; a failed one is a result like any other."""
    results = Results(folder, "correctness")
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        torch.backends.cuda.matmul.allow_tf32 = False
        for preset in PRESETS:
            results.measure(f"gradient {preset}", lambda p=preset: gradients(p, device, tiny))
        results.measure("samples", lambda: samples(device, tiny))
        results.measure("random numbers", lambda: numbers(device))
        results.measure("resume", lambda: resume(device, tiny))
        if device.type == "cuda":
            results.measure("CUDA graph", lambda: graph(device, tiny))
            results.measure("float16", lambda: float16(device, tiny))


def gradients(preset: str, device: torch.device, tiny: bool) -> dict[str, Any]:
    """Relative errors of the gradient of a preset against the CPU's in float64."""
    options: dict[str, Any] = {"network.width": 4 if tiny else 16, "batch_size": 8 if tiny else 32}
    config, shape = options_of(preset, options)
    torch.manual_seed(0)
    network = DCGANAutoencoder(*shape, config.network.width, config.network.norm)
    for p in network.parameters():
        p.data.mul_(4 if p.ndim > 1 else 1)
    batch = inputs(config, shape, torch.device("cpu"))

    def gradient(where: torch.device, kind: torch.dtype, half: bool, compiled: bool) -> Tensor:
        made = copy.deepcopy(network).to(where, kind).to(memory_format=torch.channels_last)
        method = METHODS["ign"](made, config)
        given = copy.copy(batch)
        for name, value in vars(batch).items():
            if isinstance(value, Tensor):
                setattr(given, name, value.to(where, kind))
        if compiled:
            method.compile_step()
        with torch.autocast(where.type, torch.bfloat16, enabled=half):
            (update,) = method.losses(made, given)
        update.loss.backward()
        return torch.cat([p.grad.double().cpu().flatten() for p in made.parameters()])

    truth = gradient(torch.device("cpu"), torch.float64, False, False)
    ways: dict[str, tuple[torch.dtype, bool, bool]] = {
        "float64": (torch.float64, False, False), "float32": (torch.float32, False, False),
        "bfloat16": (torch.float32, True, False), "compiled": (torch.float32, False, True),
    }  # fmt: skip
    found: dict[str, Any] = {}
    for name, way in ways.items():
        if name == "compiled" and device.type != "cuda":
            continue
        try:
            error = gradient(device, *way) - truth
            found[name] = (error.norm() / truth.norm()).item()
            found[f"{name} ok"] = found[name] <= BOUNDS[name]
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"[:300]
    return found


def samples(device: torch.device, tiny: bool) -> dict[str, Any]:
    """The largest difference between samples of the CPU and of the device, of the same seed."""
    channels, size, width = SHAPES["mnist"]
    torch.manual_seed(0)
    network = DCGANAutoencoder(channels, size, 4 if tiny else width, "role")
    model = IGN(network, GaussianNoise(network.shape))
    mine = model.sample(16, seed=3)
    theirs = model.to(device).sample(16, seed=3).cpu()
    difference = (mine - theirs).abs().max().item()
    return {"largest difference": difference, "ok": difference < 1e-4}


def numbers(device: torch.device) -> dict[str, Any]:
    """Whether the integers and numbers of keys equal the ones that the CPU computes."""
    index = torch.arange(64)
    here = random.keys(0, "noise", 5, index)
    there = random.keys(0, "noise", 5, index.to(device))
    a, b = random.normal(here, (3, 8, 8)), random.normal(there, (3, 8, 8)).cpu()
    equal = torch.equal(here, there.cpu())
    return {
        "keys equal": equal, "normal, largest difference": (a - b).abs().max().item(),
        "ok": equal and torch.allclose(a, b, atol=1e-5),
    }  # fmt: skip


def _options(tiny: bool) -> dict[str, Any]:
    return {"network.width": 4 if tiny else 16, "batch_size": 8 if tiny else 64}


def resume(device: torch.device, tiny: bool) -> dict[str, Any]:
    """Whether six steps are three steps, a saved state, and three more."""
    images, options = faces({}, 64, 64, None), _options(tiny)
    whole = Step("celeba", images, device, options)
    parts = [Step("celeba", images, device, options) for _ in range(2)]
    for _ in range(6):
        whole()
    for _ in range(3):
        parts[0]()
    parts[1].load(copy.deepcopy(parts[0].state()))
    for _ in range(3):
        parts[1]()
    difference = _difference(whole, parts[1])
    return {"largest difference": difference, "ok": difference < 1e-3}


def graph(device: torch.device, tiny: bool) -> dict[str, Any]:
    """Whether steps of a CUDA graph are eager steps."""
    images, options = faces({}, 64, 64, None), _options(tiny)
    graphed = Step("celeba", images, device, options, way="graphed")
    eager = Step("celeba", images, device, options)
    eager.load(copy.deepcopy(graphed.state()))
    for _ in range(5):
        graphed()
        eager()
    difference = _difference(graphed, eager)
    return {"largest difference": difference, "ok": difference < 1e-3}


def _difference(a: Step, b: Step) -> float:
    pairs = zip(a.model.parameters(), b.model.parameters(), strict=True)
    return max((x - y).abs().max().item() for x, y in pairs)


def float16(device: torch.device, tiny: bool) -> dict[str, Any]:
    """The error of a gradient in float16 with a scaled loss."""
    config, shape = options_of("mnist", _options(tiny))
    torch.manual_seed(0)
    network = DCGANAutoencoder(*shape, config.network.width, "role").to(device)
    method, batch = METHODS["ign"](network, config), inputs(config, shape, device)
    found = []
    for half in (False, True):
        network.zero_grad()
        with torch.autocast(device.type, torch.float16, enabled=half):
            (update,) = method.losses(network, batch)
        (update.loss * 1024).backward()
        found.append(torch.cat([p.grad.flatten() / 1024 for p in network.parameters()]))
    error = ((found[1] - found[0]).norm() / found[0].norm()).item()
    return {"error": error, "ok": error < 0.2}
