"""Print how many parameters each method trains, and how many of them the saved model keeps.

python -m benchmarks.use.parameters
"""

import torch
from torch import nn

from benchmarks import frozen
from ign.training.methods import METHODS

CASES = {"mnist": (1, 28), "celeba": (3, 64)}


def count(module: nn.Module) -> int:
    """Count the trained parameters."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def counts(preset: str, method: str) -> tuple[int, int]:
    """Count the parameters of the model, and of the modules that are not saved with it."""
    config, kind = frozen.configuration(preset, {"method": method}), METHODS[method]
    with torch.device("meta"):
        network = kind.network_class(*CASES[preset], config.network.width, config.network.norm)
        return count(network), count(kind(network, config))


def table() -> str:
    """Format the counts of each method, at the widths of the frozen configurations, as Markdown."""
    lines = [
        "| method | "
        + " | ".join(f"{p}: model | not saved | total, relative to ign" for p in CASES)
        + " |",
        "|---|" + "---:|" * 3 * len(CASES),
    ]
    for method in METHODS:
        cells = []
        for preset in CASES:
            (model, beside), (of_ign, _) = counts(preset, method), counts(preset, "ign")
            share = (model + beside) / of_ign
            cells += [f"{model:,}", f"{beside:,}", f"{share:.2f}"]
        lines.append(f"| `{method}` | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
