"""One training step: ours against the paper's listing, in turn within one run.

    python benchmarks/step.py [--cases mnist-64 table1-64] [--rounds 15] [--out FILE.json]

Both train the same network (batch norm, same weights) on the same batch. "objective" is the loss
and its gradients. "step" is the whole default step: loss, gradients and Adam, the average of the
weights off; ours in channels-last order with fused Adam, as training does it by default; the
listing's in the default order with Adam's defaults. The listing copies the weights into its frozen
network at every step, as published. Each round times both, first one, then the other; reported are
medians over rounds and the median of the rounds' ratios. Memory is the peak of a fresh process.
"""

import argparse
import copy
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from machine import describe, publish
from torch import Tensor, nn

from ign import IGNObjective
from ign.nn import DCGANAutoencoder

CASES = {
    "mnist-64": (1, 28, 32, 64),
    "mnist-256": (1, 28, 32, 256),
    "table1-64": (3, 64, 64, 64),
}
MEASURES = ("objective", "step")


class Listing:
    """The paper's listing with the clamp of equation 14: two networks, four forward passes."""

    def __init__(self, network: nn.Module):
        self.f = network
        self.f_copy = copy.deepcopy(network)
        self.optimizer = torch.optim.Adam(self.f.parameters(), 1e-4, (0.5, 0.999))

    def objective(self, x: Tensor, z: Tensor) -> None:
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

    def step(self, x: Tensor, z: Tensor) -> None:
        self.objective(x, z)
        self.optimizer.step()


class Ours:
    """The one-pass objective."""

    def __init__(self, network: nn.Module, tuned: bool):
        self.f = network.to(memory_format=torch.channels_last) if tuned else network
        self.loss = IGNObjective()
        self.optimizer = torch.optim.Adam(self.f.parameters(), 1e-4, (0.5, 0.999), fused=True)

    def objective(self, x: Tensor, z: Tensor) -> None:
        self.optimizer.zero_grad()
        self.loss(self.f, x, z).total.backward()

    def step(self, x: Tensor, z: Tensor) -> None:
        self.objective(x, z)
        self.optimizer.step()


def build(who: str, case: str, measure: str) -> Callable[[], None]:
    """What is timed: a function without arguments."""
    channels, size, width, batch = CASES[case]
    torch.manual_seed(0)
    network = DCGANAutoencoder(channels, size, width, "batch")
    x = torch.rand(batch, channels, size, size) * 2 - 1
    z = torch.randn(batch, channels, size, size)
    made = Listing(network) if who == "listing" else Ours(network, tuned=measure == "step")
    call = getattr(made, measure)
    return lambda: call(x, z)


def seconds(call: Callable[[], None]) -> float:
    """The time of one call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def memory(who: str, case: str, measure: str) -> float:
    """Peak MiB that a fresh process takes for networks, optimizer and three calls; Linux only."""
    code = f"import step; step.peak({who!r}, {case!r}, {measure!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    return float(done.stdout or "nan")


def peak(who: str, case: str, measure: str) -> None:
    """Print the peak; see :func:`memory`."""
    Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark
    before = _status("VmRSS")
    call = build(who, case, measure)
    for _ in range(3):
        call()
    print((_status("VmHWM") - before) / 1024)


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith(name))


def compare(case: str, measure: str, rounds: int) -> dict[str, float | str]:
    """Time both in turn."""
    calls = {who: build(who, case, measure) for who in ("listing", "ours")}
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {who: [] for who in calls}
    for _ in range(rounds):
        for who, call in calls.items():
            times[who].append(seconds(call))
    ratios = [a / b for a, b in zip(times["listing"], times["ours"], strict=True)]
    return {
        "case": case,
        "measure": measure,
        "listing_ms": 1e3 * statistics.median(times["listing"]),
        "ours_ms": 1e3 * statistics.median(times["ours"]),
        "speedup": statistics.median(ratios),
        "memory_ratio": memory("ours", case, measure) / memory("listing", case, measure),
    }


def table(rows: list[dict[str, float | str]]) -> str:
    """The rows in Markdown."""
    lines = [
        "| network-batch | measured | listing, ms | ours, ms | times faster | memory ratio |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for r in rows:
        lines.append(
            f"| {r['case']} | {r['measure']} | {r['listing_ms']:.1f} | {r['ours_ms']:.1f}"
            f" | {r['speedup']:.2f} | {r['memory_ratio']:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=["mnist-64", "table1-64"])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = [compare(case, m, options.rounds) for case in options.cases for m in MEASURES]
    about = {**describe(), "rounds": options.rounds}
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
