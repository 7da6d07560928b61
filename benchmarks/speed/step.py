"""One training step: the objective of this library against the listing of the paper.

    python -m benchmarks.speed.step [--cases mnist-64] [--rounds 5] [--device auto] [--out FILE]

All variants train the same network (batch norm, same weights) on the same batch. A step computes
the loss and the gradients and updates the weights with Adam, without a moving average. "listing" is
the listing of the paper, with a frozen network whose weights are copied at every step. "listing,
tuned" computes no gradient for the copy. "ours, float32" is the one-pass objective in channels-last
memory format with fused Adam. "ours, bfloat16" is the same under autocast, which is the default on
devices with bfloat16. "ours, compiled" is also compiled.

Each round times all variants, one after the other. The table reports medians over the rounds, and
the median over the rounds of the ratio to the listing. Memory is the peak memory of a new process;
on a GPU, it is the memory that PyTorch allocated. GFLOP counts the operations of convolutions and
matrix products in a step, as counted by `torch.utils.flop_counter`. The last column is the number
of these operations per second as a share of the highest rate that the device reached in the same
run and precision, in square matrix products and 3x3 convolutions.
"""

import argparse
import copy
import statistics
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.machine import add_out, markdown, publish, timed
from benchmarks.speed import device as devices
from ign import IGNObjective
from ign.nn import DCGANAutoencoder
from ign.training.precision import native_bfloat16

CASES = {
    "mnist-64": (1, 28, 32, 64),
    "mnist-256": (1, 28, 32, 256),
    "table1-64": (3, 64, 64, 64),
    "table1-256": (3, 64, 64, 256),
}
HALF = ("ours, bfloat16", "ours, compiled")
VARIANTS = ("listing", "listing, tuned", "ours, float32", *HALF)
Row = dict[str, Any]


class Listing:
    """The paper's listing with the clamp of equation 14: two networks, four forward passes."""

    def __init__(self, network: nn.Module, tuned: bool):
        self.f = network
        self.f_copy = copy.deepcopy(network).requires_grad_(not tuned)
        self.optimizer = torch.optim.Adam(self.f.parameters(), 1e-4, (0.5, 0.999))

    def step(self, x: Tensor, z: Tensor) -> None:
        f, f_copy = self.f, self.f_copy
        f_copy.load_state_dict(f.state_dict())
        fx = f(x)
        fz = f(z)
        f_z = fz.detach()
        ff_z = f(f_z)
        f_fz = f_copy(fz)
        loss_rec = (fx - x).abs().mean()
        loss_idem = (f_fz - fz).abs().mean()
        loss_tight = -(ff_z - f_z).abs().mean()
        bound = 1.5 * loss_rec.detach()
        loss_tight = torch.tanh(loss_tight / bound) * bound
        self.optimizer.zero_grad()
        (20 * loss_rec + 20 * loss_idem + 2.5 * loss_tight).backward()
        self.optimizer.step()


class Ours:
    """The one-pass objective, computed as in training."""

    def __init__(self, network: nn.Module, half: bool, compiled: bool):
        self.f = network.to(memory_format=torch.channels_last)
        self.loss, self.half = IGNObjective(), half
        if compiled:
            self.loss.compile(fullgraph=True, mode="reduce-overhead")
        self.optimizer = torch.optim.Adam(self.f.parameters(), 1e-4, (0.5, 0.999), fused=True)

    def step(self, x: Tensor, z: Tensor) -> None:
        self.optimizer.zero_grad()
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.half):
            total = self.loss(self.f, x, z).total
        total.backward()
        self.optimizer.step()


def build(who: str, case: str, device: torch.device) -> Callable[[], None]:
    """Return a step as a function without arguments, to be timed."""
    channels, size, width, batch = CASES[case]
    torch.manual_seed(0)
    network = DCGANAutoencoder(channels, size, width, "batch").to(device)
    x = (torch.rand(batch, channels, size, size) * 2 - 1).to(device)
    z = torch.randn(batch, channels, size, size).to(device)
    made: Listing | Ours
    if who.startswith("listing"):
        made = Listing(network, tuned=who != "listing")
    else:
        made = Ours(network, who in HALF, who == "ours, compiled")
    return lambda: made.step(x, z)


def peak(who: str, case: str, name: str) -> None:
    """Print the peak memory of three steps."""
    device = torch.device(name)
    print(devices.peak(lambda: build(who, case, device), device))


def flop(who: str, case: str, device: torch.device) -> int:
    """Count the floating-point operations of one step, which compilation does not change."""
    return devices.flop(build("ours, bfloat16" if who in HALF else who, case, device))


def compare(
    case: str, rounds: int, device: torch.device, variants: list[str], most: dict[bool, float]
) -> list[Row]:
    """Time all variants in turn."""
    calls = {who: build(who, case, device) for who in variants}
    for call in calls.values():
        for _ in range(3):  # the first calls of a compiled step also compile it
            call()
    times = devices.in_turn(calls, rounds, device)
    del calls, call
    rows: list[Row] = []
    for who in variants:
        ratios = [a / b for a, b in zip(times["listing"], times[who], strict=True)]
        taken, count = statistics.median(times[who]), flop(who, case, device)
        memory = devices.peak_of_a_process("step", f"peak({who!r}, {case!r}, {str(device)!r})")
        rows.append({
            "network-batch": case, "step": who, "ms": 1e3 * taken,
            "times faster": statistics.median(ratios), "peak MiB": memory,
            "memory ratio": memory / rows[0]["peak MiB"] if rows else 1.0,
            "GFLOP": count / 1e9, "share of peak": count / taken / most[who in HALF],
        })  # fmt: skip
    return rows


def table(rows: list[Row]) -> str:
    """Format the rows as Markdown."""
    formats = {"ms": "{:,.1f}", "GFLOP": "{:,.1f}", "peak": "{:,.0f}"}
    return markdown(rows, formats | {"times": "{:.2f}", "memory": "{:.2f}", "share": "{:.0%}"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--compiled", action="store_true", help="measure the compiled step on a CPU too"
    )
    add_out(parser)
    options = parser.parse_args()
    device = devices.find(options.device)
    half, gpu = native_bfloat16(device.type), device.type == "cuda"
    compiled = gpu or options.compiled
    variants = [
        v for v in VARIANTS if (half or v not in HALF) and (compiled or "compiled" not in v)
    ]
    about: dict[str, Any] = timed(device)
    most = {False: devices.most(device, torch.float32)}
    most[True] = devices.most(device, torch.bfloat16) if half else 0.0
    rows = [r for c in options.cases for r in compare(c, options.rounds, device, variants, most)]
    about |= {"rounds": options.rounds}
    about |= {"GFLOP/s at most, float32": round(most[False] / 1e9)}
    about |= {"GFLOP/s at most, bfloat16": round(most[True] / 1e9)} if half else {}
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
