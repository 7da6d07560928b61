"""Which statistics should a role norm use for an input of unknown kind?

    python benchmarks/roles.py MODEL --data DATA [--n 1000] [--out docs/results/roles.json]

Degrades held-out images, projects them with the statistics of each role, and with the pooled
statistics of all three, and reports the PSNR to the clean image (peak 2, the range [-1, 1]; mean
over images of the PSNR of each), beside that of the degraded input. Larger is better.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from machine import describe, publish
from torch import Tensor

from ign import IGN, data, random
from ign.nn import ROLES, RoleBatchNorm2d, role
from ign.project import evaluating


def noise(x: Tensor, std: float) -> Tensor:
    """Add Gaussian noise, a function of the image's place alone."""
    key = random.keys(0, "degrade", 0, torch.arange(len(x)))
    return x + std * random.normal(key, x.shape[1:])


def half(x: Tensor) -> Tensor:
    """Replace the right half by noise."""
    y = x.clone()
    middle = x.shape[-1] // 2
    y[..., middle:] = noise(torch.zeros_like(x), 1.0)[..., middle:]
    return y


def blur(x: Tensor) -> Tensor:
    """Average over 5 x 5 pixels."""
    return torch.nn.functional.avg_pool2d(x, 5, 1, 2, count_include_pad=False)


DEGRADATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "clean": lambda x: x,
    "noise 0.15": lambda x: noise(x, 0.15),
    "noise 0.3": lambda x: noise(x, 0.3),
    "noise 0.6": lambda x: noise(x, 0.6),
    "half masked": half,
    "blur 5": blur,
}


def psnr(a: Tensor, b: Tensor) -> float:
    """Mean over images of 10 log10(4 / mean squared error), in dB."""
    error = (a - b).square().flatten(1).mean(1).clamp(min=1e-10)
    return (10 * (4 / error).log10()).mean().item()


def pool(model: IGN) -> None:
    """Give the data role the statistics of the equal mixture of all roles."""
    for layer in model.network.modules():
        if isinstance(layer, RoleBatchNorm2d):
            mean, var = layer.running_mean, layer.running_var
            place = ROLES.index("data")
            pooled = var.mean(0) + mean.var(0, unbiased=False), mean.mean(0)
            var[place], mean[place] = pooled


@torch.no_grad()
def apply(model: IGN, y: Tensor, name: str) -> Tensor:
    """f(y) in a role."""
    with evaluating(model.network), role(model.network, name):
        return torch.cat([model.network(part) for part in y.split(250)])


def measure(path: str, x: Tensor) -> list[dict[str, float | str]]:
    """A row for each degradation."""
    model, pooled = IGN.from_pretrained(path), IGN.from_pretrained(path)
    pool(pooled)
    rows: list[dict[str, float | str]] = []
    for name, degrade in DEGRADATIONS.items():
        y = degrade(x)
        row: dict[str, float | str] = {"input": name, "degraded": psnr(y, x)}
        row |= {r: psnr(apply(model, y, r), x) for r in ROLES}
        rows.append(row | {"pooled": psnr(apply(pooled, y, "data"), x)})
    return rows


def table(rows: list[dict[str, float | str]]) -> str:
    """The rows in Markdown."""
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", f"|---|{'---:|' * (len(names) - 1)}"]
    for row in rows:
        cells = [v if isinstance(v, str) else f"{v:.1f}" for v in row.values()]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--data", required=True)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    size = IGN.from_pretrained(options.model).shape[-1]
    held_out = data.load(options.data, split="test", size=size, limit=options.n)
    rows = measure(options.model, held_out.batch(torch.arange(len(held_out))))
    about = {**describe(), "images": len(held_out)}
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
