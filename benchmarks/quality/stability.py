"""How often can f be applied before an image turns into another image?

    python -m benchmarks.quality.stability --data DATA/mnist [--out docs/results/stability.json]

According to the paper, the size of the model and its reconstruction loss determine how long
repeated application is stable (Section 5, Figure 16). Here, models of the frozen configuration
`mnist-match` with three widths and three lengths of training are applied to noise 400 times. An
image has diverged if its PSNR to f(z) falls below 15 dB (peak 2, for the range [-1, 1]). The table
reports L_rec on 1,000 test images and L_idem on 256 samples of seed 0, the median number of
applications at which an image diverges (more than 400 if fewer than half of the images diverged),
and the share of images that have diverged after 10, 100 and 400 applications. It also reports the
drift of f(z) and of f^400(z). The latter is small if the images have reached fixed points, even if
these are other images.
"""

import argparse
from pathlib import Path
from typing import Any

import torch

from benchmarks import frozen
from benchmarks.machine import add_out, describe, markdown, publish
from ign import IGN, data
from ign.project import stability

WIDTHS, STEPS, MOST, SAMPLES = (8, 16, 32), (300, 1000, 3000), 400, 256
RUNS = Path("runs/stability")


def trained(source: str, width: int, steps: int) -> IGN:
    """Train a model of this width for this many steps, or load it from an earlier run."""
    run = RUNS / f"width{width}-steps{steps}"
    if (run / "model" / "config.json").exists():
        return IGN.from_pretrained(run)
    options = {"data": source, "network.width": width, "steps": steps}
    return frozen.train("mnist-match", run, **options)


@torch.no_grad()
def row(model: IGN, x: torch.Tensor) -> dict[str, float | int | str]:
    """Measure one model."""
    z = model.latents(torch.arange(SAMPLES))
    found = stability(model.network, z, [1, MOST], noise=True)
    lost = torch.where(found.diverged == 0, MOST + 1, found.diverged)
    median = int(lost.median())
    return {
        "parameters": sum(p.numel() for p in model.network.parameters()),
        "L_rec": model.drift(x).mean().item(),
        "L_idem": found.drift[0].mean().item(),
        "median k": median if median <= MOST else f"> {MOST}",
        **{f"by {k}": (lost <= k).float().mean().item() for k in (10, 100, MOST)},
        f"drift at {MOST}": found.drift[1].mean().item(),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Format the rows as Markdown."""
    return markdown(
        rows,
        {"parameters": "{:,}", "L_rec": "{:.4f}", "L_idem": "{:.4f}", "by": "{:.0%}",
         "drift": "{:.4f}"},
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True)
    add_out(parser)
    options = parser.parse_args()
    held_out = data.load(options.data, split="test", limit=1000)
    x = held_out.batch(torch.arange(len(held_out)))
    rows = [
        {"width": width, "steps": steps} | row(trained(options.data, width, steps), x)
        for width in WIDTHS
        for steps in STEPS
    ]
    about = {**describe(), "samples": SAMPLES, "test images": len(x), "seed": 0}
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
