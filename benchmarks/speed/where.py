"""The time of each kind of operation in a training step, measured with torch.profiler.

    python -m benchmarks.speed.where [--cases mnist-64 table1-64] [--steps 5] [--out FILE.json]

The steps are the variants "ours, float32" and, on devices with bfloat16, "ours, bfloat16" of
`benchmarks/speed/step.py`. The table reports the time of each kind of operation, without the
operations that it calls, as a share of the total time. On a GPU, the time of its kernels counts.
"""

import argparse
from collections import Counter
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.machine import add_out, markdown, publish, timed
from benchmarks.speed import device as devices
from benchmarks.speed.step import CASES, build
from ign.training.precision import native_bfloat16

KINDS = {
    "convolutions": ("convolution",),
    "matrix products": ("::mm", "addmm", "linear", "bmm"),
    "norms": ("batch_norm", "group_norm"),
    "activations": ("relu", "threshold", "clamp_min", "tanh"),
    "Adam": ("adam",),
    "copies and casts": ("copy_", "_to_copy", "clone", "contiguous"),
}
Row = dict[str, Any]


def kind(name: str) -> str:
    """Find the kind of an operation from its name; for kernels of a GPU this is a best guess."""
    name = name.lower()
    return next((k for k, words in KINDS.items() if any(w in name for w in words)), "all else")


def measure(case: str, who: str, steps: int, device: torch.device) -> Row:
    """Measure the shares for one case."""
    call, gpu = build(who, case, device), device.type == "cuda"
    for _ in range(3):
        call()
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if gpu else [])]
    with profile(activities=kinds) as found:
        for _ in range(steps):
            call()
    taken: Counter[str] = Counter()
    for event in found.key_averages():
        taken[kind(event.key)] += event.self_device_time_total if gpu else event.self_cpu_time_total
    whole = sum(taken.values())
    shares = {k: taken[k] / whole for k in [*KINDS, "all else"]}
    return {"network-batch": case, "step": who, **shares}


def table(rows: list[Row]) -> str:
    """Format the rows as Markdown."""
    words = {name.split()[0] for name in [*KINDS, "all else"]}
    return markdown(rows, dict.fromkeys(words, "{:.1%}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=["mnist-64", "table1-64"])
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--device", default="auto")
    add_out(parser)
    options = parser.parse_args()
    device = devices.find(options.device)
    ways = ["ours, float32", *(["ours, bfloat16"] if native_bfloat16(device.type) else [])]
    about = timed(device)
    rows = [measure(c, who, options.steps, device) for c in options.cases for who in ways]
    about |= {"steps": options.steps}
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
