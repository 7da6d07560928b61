"""Training of celeba at full width and of DCGAN for the same time, with grids and distances."""

import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from benchmarks.gpu.tools import LIMIT, Clock, Results, Step, faces
from benchmarks.speed import device as devices
from ign.core.files import atomic
from ign.data import ImageSet
from ign.evaluate.features import feature_net
from ign.evaluate.frechet import frechet_distance
from ign.nn import role
from ign.view import pictures

METHODS = ("ign", "dcgan")
EVERY = 60.0
"""Seconds between two checkpoints."""
RESERVE = 25.0
"""Seconds for the measures and files of a method after its training."""
RATES = {"ign": 5e-4, "dcgan": 5e-4}
DECAY = 0.5
"""The share of the time, at its end, over which the learning rate falls to a hundredth."""


def run(
    folder: Path, work: Path, device: torch.device, tiny: bool, clock: Clock, source: str | None
) -> None:
    """Train both methods, each for half of the time that is left; resume where a run was cut off.

    Args:
        folder: The folder of the results.
        work: A folder for checkpoints, which are larger than results may be.
        device: The device.
        tiny: Whether to train a tiny network for a few steps.
        clock: The time.
        source: The zip of faces, or None for random images.
    """
    results = Results(folder, "faces")
    images = faces({"limit": 200 if tiny else None}, 120, 64, source)
    held = max(40, len(images) // 8)
    train, test = _part(images, slice(held, None)), _part(images, slice(None, held))
    share = clock.left() / len(METHODS)
    for i, method in enumerate(METHODS):
        if results.has(f"{method}: result") or clock.left() < (0 if tiny else RESERVE):
            continue
        budget = min(share * (i + 1), clock.left() + share * i)
        seconds = budget - share * i - RESERVE
        trained = _train(method, train, work, device, tiny, seconds)
        results.put(f"{method}: training", trained.about)
        trained.step.method.finalize(trained.step.module.average.network, train)
        files = _save(trained.step, method, folder)
        results.measure(f"{method}: result", lambda t=trained, m=method: _judge(t, m, folder, test))
        results.put(f"{method}: files", files)


class Trained:
    """A trained step, and what its log says."""

    def __init__(self, step: Step, about: dict[str, Any]):
        self.step, self.about = step, about


def _part(images: ImageSet, which: slice) -> ImageSet:
    return ImageSet(images.images[which], None, images.names[which], images.source)


def _train(
    method: str, images: ImageSet, work: Path, device: torch.device, tiny: bool, seconds: float
) -> Trained:
    """Train for this number of seconds, summed over all calls; save a checkpoint every minute."""
    gpu = device.type == "cuda"
    options: dict[str, Any] = {
        "method": method, "network.width": 4 if tiny else 64, "batch_size": 8 if tiny else 64,
        "learning_rate": RATES[method],
    }  # fmt: skip
    step, way = _fastest(images, device, options, gpu and method == "ign")
    path, passed, log = work / f"{method}.pt", 0.0, []
    if path.is_file():
        saved = torch.load(path, map_location=device, weights_only=True)
        step.load(saved["step"])
        passed, log = saved["seconds"], saved["log"]
    began, last = time.monotonic(), time.monotonic()
    while True:
        for _ in range(1 if tiny else 50):
            step()
        devices.wait(device)
        now = time.monotonic()
        total = passed + now - began
        progress = total / max(seconds, 1.0)
        step.slow(min(1.0, max(0.01, (1 - progress) / DECAY)))
        done = total >= seconds or (tiny and step.number >= 4)
        if done or now - last > EVERY:
            last = now
            terms = {name: value.item() for name, value in step.terms.items()}
            log.append({"step": step.number, "seconds": total, **terms})
            print(f"faces {method}: step {step.number}, {total:.0f} s, {terms}", flush=True)
            with atomic(path) as place:
                torch.save({"step": step.state(), "seconds": total, "log": log}, place)
        if done:
            about = {"steps": step.number, "seconds": total, "way": way, "log": log}
            return Trained(step, about | {"batch": step.config.batch_size})


def _fastest(
    images: ImageSet, device: torch.device, options: dict[str, Any], graph: bool
) -> tuple[Step, str]:
    """A CUDA graph where that works, else eager steps, and the reason."""
    why = "eager"
    if graph:
        try:
            return Step("celeba", images, device, options, half=True, way="graphed"), "CUDA graph"
        except Exception as error:
            why = f"eager, since the CUDA graph failed: {type(error).__name__}: {error}"[:300]
    return Step("celeba", images, device, options, half=device.type == "cuda"), why


def _save(step: Step, method: str, folder: Path) -> list[str]:
    """Write the averaged weights in half precision, in files that are small enough."""
    tensors = {
        name: value.half() if value.is_floating_point() else value
        for name, value in step.module.average.network.state_dict().items()
    }
    noise = step.model.noise.state_dict()
    tensors |= {f"noise.{name}": value.half() for name, value in noise.items()}
    parts: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, value in tensors.items():
        if size + value.nbytes > LIMIT - 2**16:
            parts.append({})
            size = 0
        parts[-1][name] = value.contiguous().cpu()
        size += value.nbytes
    names = []
    for i, part in enumerate(parts, 1):
        names.append(f"{method}-{i}-of-{len(parts)}.safetensors")
        save_file(part, folder / names[-1])
    return names


@torch.no_grad()
def _judge(trained: Trained, method: str, folder: Path, test: ImageSet) -> dict[str, Any]:
    """Distances of samples from held-out faces on our face net, and a grid of samples."""
    step, device = trained.step, trained.step.device
    network = step.module.average.network.eval()
    net = feature_net("faces", device)
    number = len(test)
    generator = torch.Generator().manual_seed(0)
    once, twice = [], []
    for first in range(0, number, 250):
        count = min(250, number - first)
        white = torch.randn(count, *step.model.shape, generator=generator)
        z = step.model.noise.color(white.to(device))
        with role(network, "noise"):
            y = network(z)
        once.append(y)
        if method == "ign":
            twice.append(network(y))
    real = net.features(test.batch(torch.arange(number)).to(device), 250)
    found: dict[str, Any] = {"samples": number}
    for name, images in {"FD f(z)": once, "FD f(f(z))": twice}.items():
        if images:
            features = net.features(torch.cat(images), 250)
            found[name] = frechet_distance(features.cpu(), real.cpu())
    shown = [torch.cat(once)[:32], *([torch.cat(twice)[:32]] if twice else [])]
    rows = torch.cat([part for pair in zip(*[s.split(8) for s in shown], strict=True)
                      for part in pair])  # fmt: skip
    pictures.save(pictures.grid(rows.cpu(), 8), folder / f"{method}.png", durable=False)
    return found
