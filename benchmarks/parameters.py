"""How many parameters each method trains, and how many of them its model keeps.

python benchmarks/parameters.py
"""

import torch
from torch import nn

from ign.training import arguments
from ign.training.methods import METHODS

CASES = {"mnist": (1, 28), "celeba": (3, 64)}


def count(module: nn.Module) -> int:
    """Parameters that are trained."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def counts(preset: str, method: str) -> tuple[int, int]:
    """Of the model, and of what is trained beside it and not kept."""
    config, kind = arguments({"method": method}, preset), METHODS[method]
    with torch.device("meta"):
        network = kind.network_class(*CASES[preset], config.network.width, config.network.norm)
        return count(network), count(kind(network, config))


def table() -> str:
    """Markdown, a row for each method, at the presets' widths."""
    lines = [
        "| method | " + " | ".join(f"{p}: model | critic | all, of ign's" for p in CASES) + " |",
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
