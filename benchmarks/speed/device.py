"""The device of a benchmark: its clock, its memory, its work and its highest rate."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

ROOT = Path(__file__).resolve().parents[2]


def find(name: str) -> torch.device:
    """Return the device of this name; ``auto`` is the GPU if there is one."""
    gpu = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(gpu if name == "auto" else name)


def seconds(call: Callable[[], object], device: torch.device) -> float:
    """Measure the time of one call, until the device has finished."""
    wait(device)
    began = time.perf_counter()
    call()
    wait(device)
    return time.perf_counter() - began


def in_turn(
    calls: Mapping[str, Callable[[], object]], rounds: int, device: torch.device
) -> dict[str, list[float]]:
    """Measure the seconds of each call in turn, in several rounds."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(seconds(call, device))
    return times


def flop(call: Callable[[], object]) -> int:
    """Count the floating-point operations of a call."""
    with FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


def most(device: torch.device, dtype: torch.dtype) -> float:
    """Measure the highest FLOP per second, in square matrix products and 3x3 convolutions."""
    found = []
    with torch.no_grad():
        for n in (1024, 2048) if device.type == "cpu" else (4096, 8192):
            a, b = torch.randn(2, n, n, device=device).to(dtype)
            found.append(2 * n**3 / _least(lambda a=a, b=b: a @ b, device))
        batch, maps, side = (16, 256, 32) if device.type == "cpu" else (128, 512, 32)
        x = torch.randn(batch, maps, side, side, device=device).to(dtype)
        w = torch.randn(maps, maps, 3, 3, device=device).to(dtype)
        x, w = (t.to(memory_format=torch.channels_last) for t in (x, w))
        flop = 2 * x.numel() * w[0].numel()
        found.append(flop / _least(lambda: F.conv2d(x, w, padding=1), device))
    return max(found)


def peak_of_a_process(module: str, call: str) -> float:
    """Run ``benchmarks.speed.module.call``, which prints a peak memory in MiB, in a new process."""
    code = f"from benchmarks.speed import {module}; {module}.{call}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    return float(done.stdout or "nan")


def peak(make: Callable[[], Callable[[], object]], device: torch.device, times: int = 3) -> float:
    """Measure the peak memory in MiB of making a function and calling it.

    On a GPU this is the memory of the GPU. On a CPU it is the resident memory of this process in
    addition to its memory before; this works on Linux only.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        Path("/proc/self/clear_refs").write_text(
            "5", encoding="utf-8"
        )  # resets the high-water mark
    before = 0 if device.type == "cuda" else status("VmRSS")
    call = make()
    for _ in range(times):
        call()
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return status("VmHWM") - before


def status(name: str) -> float:
    """Read a value from /proc/self/status, in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith(name)) / 1024


def _least(call: Callable[[], object], device: torch.device) -> float:
    return min(seconds(call, device) for _ in range(7))


def wait(device: torch.device) -> None:
    """Wait until the device has finished."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
