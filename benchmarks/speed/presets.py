"""One training step of each preset, as `ign train` computes it, against steps of the same layers.

    python -m benchmarks.speed.presets [--presets mnist celeba-24] [--rounds 5] [--out FILE]

All variants of a preset train a network of the same layers and width on the same batch. A step
computes the loss and the gradients, updates the weights with Adam, and moves the average of the
weights. "listing" is the listing of the paper with the weights and the clamp of the preset, and
"same terms" computes every term of the preset in the same manner: each in a pass of its own, with a
frozen copy of the network whose weights are copied at every step. "tuned" means that the copy
computes no gradient of its parameters, and that channels-last memory format and fused Adam are
used. "ours" takes all terms from three forward passes. "DCGAN" is a step of the method `dcgan`:
the decoder as generator, the encoder as discriminator, each updated once.

Each round times all variants, one after the other. The table reports medians over the rounds, and
the median over the rounds of the ratio to "same terms". Memory is the peak memory of a new process;
on a GPU, it is the memory that PyTorch allocated. GFLOP counts the operations of convolutions and
matrix products in a step. `celeba-24` is the preset `celeba` with width 24.
"""

import argparse
import statistics
from typing import Any

import torch

from benchmarks.machine import add_out, markdown, publish, timed
from benchmarks.speed import device as devices
from benchmarks.speed.variants import HALF, VARIANTS, build
from ign.training.precision import native_bfloat16

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "digits": ("digits", {}),
    "mnist": ("mnist", {}),
    "mnist-paper": ("mnist-paper", {"batch_size": 64}),
    "celeba-24": ("celeba", {"network.width": 24}),
    "celeba": ("celeba", {}),
    "celeba-paper": ("celeba-paper", {"batch_size": 64}),
}
"""Presets with changed options. The two-pass form has no idempotence of the code (`folder`)."""
REFERENCE = "same terms"
Row = dict[str, Any]


def peak(who: str, case: str, name: str) -> None:
    """Print the peak memory of three steps."""
    device, (preset, options) = torch.device(name), CASES[case]
    print(devices.peak(lambda: build(who, preset, device, options), device))


def flop(who: str, case: str, device: torch.device) -> int:
    """Count the floating-point operations of one step."""
    preset, options = CASES[case]
    return devices.flop(build(who, preset, device, options))


def compare(case: str, rounds: int, device: torch.device, variants: list[str]) -> list[Row]:
    """Time all variants of a preset in turn."""
    preset, options = CASES[case]
    calls = {who: build(who, preset, device, options) for who in variants}
    for call in calls.values():
        call()
        call()
    times = devices.in_turn(calls, rounds, device)
    del calls, call
    rows: list[Row] = []
    memories = {}
    for who in variants:
        words = f"{who!r}, {case!r}, {str(device)!r}"
        memories[who] = devices.peak_of_a_process("presets", f"peak({words})")
        ratios = [a / b for a, b in zip(times[REFERENCE], times[who], strict=True)]
        rows.append({
            "preset": case, "step": who, "ms": 1e3 * statistics.median(times[who]),
            "times faster": statistics.median(ratios), "peak MiB": memories[who],
            "GFLOP": flop(who, case, device) / 1e9,
        })  # fmt: skip
    return rows


def table(rows: list[Row]) -> str:
    """Format the rows as Markdown."""
    formats = {"ms": "{:,.1f}", "GFLOP": "{:,.1f}", "peak": "{:,.0f}", "times": "{:.2f}"}
    return markdown(rows, formats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--presets", nargs="+", choices=CASES, default=["mnist", "celeba-24"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="auto")
    add_out(parser)
    options = parser.parse_args()
    device = devices.find(options.device)
    half = native_bfloat16(device.type)
    variants = [who for who in VARIANTS if half or who != HALF]
    about: dict[str, Any] = timed(device) | {"rounds": options.rounds}
    rows = [row for c in options.presets for row in compare(c, options.rounds, device, variants)]
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
