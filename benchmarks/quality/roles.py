"""Which statistics should a role norm use for an input of unknown kind?

    python -m benchmarks.quality.roles MODEL --data DATA [--n 1000] [--out docs/results/roles.json]

The script degrades held-out images, and projects them with the statistics of each role and with the
pooled statistics of all roles. It reports the PSNR to the clean image (peak 2, for the range
[-1, 1]), averaged over images that are clamped to this range, and the PSNR of the degraded input.
Larger is better.
"""

import argparse

import torch
from torch import Tensor

from benchmarks.machine import add_out, describe, markdown, publish
from benchmarks.quality.likeness import psnr
from ign import IGN, data, degrade
from ign.nn import RoleBatchNorm2d, role
from ign.nn.norm import STORED
from ign.project import evaluating

DEGRADATIONS = (
    "clean",
    "noise:0.15",
    "noise:0.3",
    "noise:0.6",
    "half",
    "blur:1.5",
    "saltpepper:0.2",
)


def pool(model: IGN) -> None:
    """Give the data role the statistics of the equal mixture of the stored roles."""
    for layer in model.network.modules():
        if isinstance(layer, RoleBatchNorm2d):
            mean, var = layer.running_mean, layer.running_var
            place = STORED.index("data")
            pooled = var.mean(0) + mean.var(0, unbiased=False), mean.mean(0)
            var[place], mean[place] = pooled


@torch.no_grad()
def apply(model: IGN, y: Tensor, name: str) -> Tensor:
    """Compute f(y) with the statistics of a role."""
    with evaluating(model.network), role(model.network, name):
        return torch.cat([model.network(part) for part in y.split(250)])


def measure(path: str, x: Tensor) -> list[dict[str, float | str]]:
    """Make a row for each degradation."""
    model, pooled = IGN.from_pretrained(path), IGN.from_pretrained(path)
    pool(pooled)
    rows: list[dict[str, float | str]] = []
    for name in DEGRADATIONS:
        y = x if name == "clean" else degrade.parse(name)(x)
        row: dict[str, float | str] = {"input": name, "degraded": psnr(y, x)}
        row |= {r: psnr(apply(model, y, r), x) for r in STORED}
        rows.append(row | {"pooled": psnr(apply(pooled, y, "data"), x)})
    return rows


def table(rows: list[dict[str, float | str]]) -> str:
    """Format the rows as Markdown."""
    return markdown(rows, dict.fromkeys(("degraded", *STORED, "pooled"), "{:.1f}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--data", required=True)
    parser.add_argument("--n", type=int, default=1000)
    add_out(parser)
    options = parser.parse_args()
    size = IGN.from_pretrained(options.model).shape[-1]
    held_out = data.load(options.data, split="test", size=size, limit=options.n)
    rows = measure(options.model, held_out.batch(torch.arange(len(held_out))))
    about = {**describe(), "images": len(held_out)}
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
