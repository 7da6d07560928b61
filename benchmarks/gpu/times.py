"""Times of steps, of the data, of sampling and of projecting."""

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu.tools import Clock, Results, Step, faces
from benchmarks.speed import device as devices
from benchmarks.speed.variants import HALF, OURS, SHAPES, VARIANTS, build
from ign import IGN, data
from ign.nn import DCGANAutoencoder
from ign.noise import GaussianNoise

PRESETS = ("mnist", "celeba", "celeba-paper", "mnist-paper", "digits")
WAYS = (
    ("eager, float32", False, "eager"), ("eager, bfloat16", True, "eager"),
    ("compiled, bfloat16", True, "compiled"), ("CUDA graph, bfloat16", True, "graphed"),
)  # fmt: skip
"""The name of each way to compute a step, whether it is in bfloat16, and how."""


def run(folder: Path, device: torch.device, tiny: bool, clock: Clock, source: str | None) -> None:
    """Measure what time allows, in the order of interest."""
    results = Results(folder, "times")
    gpu = device.type == "cuda"
    most = results.measure("FLOP/s at most", lambda: rates(device, tiny))
    for preset in PRESETS:
        for name, half, way in WAYS:
            if (way == "eager" or gpu) and clock.left() > 0:
                call = lambda p=preset, h=half, w=way: step(p, device, h, w, tiny, most)  # noqa: E731
                results.measure(f"{preset}: whole step, {name}", call)
        for who in VARIANTS:
            if clock.left() > 0:
                call = lambda p=preset, w=who: variant(p, w, device, tiny, most)  # noqa: E731
                results.measure(f"{preset}: fixed batch, {who}", call)
        if clock.left() > 0:
            results.measure(f"{preset}: ratios", lambda p=preset: ratios(p, device, tiny))
    for name, call in {
        "data": lambda: pipeline(device, tiny, source),
        "inference 28": lambda: inference("mnist", device, tiny),
        "inference 64": lambda: inference("celeba", device, tiny),
        "profile": lambda: operations(device, tiny),
    }.items():
        if clock.left() > 0:
            results.measure(name, call)


def _options(preset: str, tiny: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"network.width": 4 if tiny else SHAPES[preset][2]}
    if preset == "digits":
        options["match.anchors"] = 20 if tiny else 1500
    return options | ({"batch_size": 8} if tiny else {})


def rates(device: torch.device, tiny: bool) -> dict[str, float]:
    """The highest rates of matrix products and convolutions."""
    kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if tiny:
        return dict.fromkeys(kinds, 1e9)
    return {name: devices.most(device, kind) for name, kind in kinds.items()}


def _time(call: Callable[[], object], device: torch.device, tiny: bool) -> tuple[float, int]:
    """The median seconds of a call over bursts of about a fifth of a second, and their number."""
    for _ in range(1 if tiny else 5):
        call()
    one = devices.seconds(call, device)
    burst = 1 if tiny else max(1, min(200, int(0.2 / one)))

    def several() -> None:
        for _ in range(burst):
            call()

    bursts = 2 if tiny else 5
    return statistics.median(devices.seconds(several, device) for _ in range(bursts)) / burst, burst


def step(
    preset: str, device: torch.device, half: bool, way: str, tiny: bool, most: dict[str, float]
) -> dict[str, Any]:
    """A step with its batch drawn on the device, as in training."""
    shape = SHAPES[preset]
    options = _options(preset, tiny)
    images = faces({}, 64 if tiny else 2048, shape[1], None)
    if shape[0] == 1:
        images.images = images.images[:, :1].contiguous()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    made = Step(preset, images, device, options, half, way)
    seconds, burst = _time(made, device, tiny)
    found: dict[str, Any] = {"ms": 1e3 * seconds, "burst": burst, "batch": made.config.batch_size}
    if device.type == "cuda":
        found["peak MiB"] = torch.cuda.max_memory_allocated(device) / 2**20
    if way == "eager":
        batch = made.draw()
        flop = devices.flop(lambda: made.compute(batch))
        found["GFLOP"] = flop / 1e9
        found["share of peak"] = flop / seconds / most["bfloat16" if half else "float32"]
    return found


def variant(
    preset: str, who: str, device: torch.device, tiny: bool, most: dict[str, float]
) -> dict[str, Any]:
    """A step on a fixed batch: the listing, the same terms in two passes, ours, DCGAN."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    call = build(who, preset, device, _options(preset, tiny))
    seconds, burst = _time(call, device, tiny)
    found = {"ms": 1e3 * seconds, "burst": burst}
    if device.type == "cuda":
        found["peak MiB"] = torch.cuda.max_memory_allocated(device) / 2**20
    return found


def ratios(preset: str, device: torch.device, tiny: bool) -> dict[str, float]:
    """Times of all variants over ours, in turn within each of some rounds."""
    calls = {who: build(who, preset, device, _options(preset, tiny)) for who in VARIANTS}
    devices.in_turn(calls, 1, device)  # which warms up
    times = devices.in_turn(calls, 1 if tiny else 11, device)
    ours = times[HALF if device.type == "cuda" else OURS]
    return {
        who: statistics.median(a / b for a, b in zip(found, ours, strict=True))
        for who, found in times.items()
    }


def pipeline(device: torch.device, tiny: bool, source: str | None) -> dict[str, Any]:
    """Seconds of reading the faces, and of drawing a batch of celeba."""
    if source and not tiny:
        import time

        began = time.perf_counter()
        read = data.load(source, size=64, cache=None, memory_limit=1e12)
        found = {"read seconds": time.perf_counter() - began, "images": len(read)}
    else:
        read, found = faces({}, 64, 64, None), {}
    made = Step("celeba", read, device, _options("celeba", tiny))
    seconds, _ = _time(made.draw, device, tiny)
    return {**found, "ms a batch": 1e3 * seconds, "images/s": made.config.batch_size / seconds}


def inference(preset: str, device: torch.device, tiny: bool) -> dict[str, Any]:
    """Images per second of sampling and projecting, in float32 and bfloat16."""
    channels, size, width = SHAPES[preset]
    number = 64 if tiny else 10_000
    network = DCGANAutoencoder(channels, size, 4 if tiny else width, "role")
    model = IGN(network, GaussianNoise(network.shape)).to(device)
    images = torch.rand(number, channels, size, size) * 2 - 1
    found = {}
    for half in (False, True):
        name = "bfloat16" if half else "float32"
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            for what, call in {
                "sample": lambda: model.sample(number, seed=0),
                "project": lambda: model.project(images),
            }.items():
                call()
                taken = statistics.median(devices.seconds(call, device) for _ in range(3))
                found[f"{what}, {name}, images/s"] = number / taken
    return found


def operations(device: torch.device, tiny: bool) -> list[dict[str, Any]]:
    """The operations of a step of celeba in bfloat16 with the most time."""
    made = Step("celeba", faces({}, 64, 64, None), device, _options("celeba", tiny), half=True)
    for _ in range(3):
        made()
    gpu = device.type == "cuda"
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if gpu else [])]
    with profile(activities=kinds) as record:
        made()
        devices.wait(device)
    rows = [
        {
            "operation": event.key, "calls": event.count,
            "device ms": event.self_device_time_total / 1e3,
            "host ms": event.self_cpu_time_total / 1e3,
        }
        for event in record.key_averages()
    ]  # fmt: skip
    column = "device ms" if gpu else "host ms"
    return sorted(rows, key=lambda row: -row[column])[:25]
