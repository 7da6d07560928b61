"""Train an IGN on the rows of a table, and use its drift as an anomaly score.

python -m examples.tabular [--steps 1000] [--seeds 5] [--out runs/tabular]
"""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

import ign
from examples.plain_loop import train
from ign.core.files import atomic
from ign.evaluate.machine import describe

Rows = NDArray[np.float64]


def problems() -> dict[str, tuple[Rows, Rows]]:
    """Load the normal and the anomalous rows of each table: tumours, and wines of one kind."""
    x, y = load_breast_cancer(return_X_y=True)
    found = {"breast cancer, malignant": (x[y == 1], x[y == 0])}
    x, y = load_wine(return_X_y=True)
    return found | {f"wine, kind {k}": (x[y != k], x[y == k]) for k in range(3)}


def perceptron(columns: int, width: int = 64, code: int = 8) -> nn.Module:
    """f, (B, D) to (B, D), through a code of 8 numbers; standardized columns have no range."""
    return nn.Sequential(
        nn.Linear(columns, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(),
        nn.Linear(width, code),
        nn.Linear(code, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(),
        nn.Linear(width, columns),
    )  # fmt: skip


def fit(x: Tensor, objective: ign.IGNObjective, steps: int, seed: int) -> ign.IGN:
    """Train a model on standardized rows (N, D)."""
    torch.manual_seed(seed)
    network, noise = perceptron(x.shape[1]), ign.noise.GaussianNoise((x.shape[1],))
    trained = train(network, noise, x, objective, steps, 1e-3, batch_size=64, seed=seed)
    return ign.IGN(trained, noise)


def compare(normal: Rows, odd: Rows, steps: int, seed: int) -> dict[str, float]:
    """Compute the AUROC of each score; half of the normal rows are used for training."""
    place = np.random.default_rng(seed).permutation(len(normal))
    scaler = StandardScaler().fit(normal[place[: len(normal) // 2]])
    known, fresh = np.split(scaler.transform(normal[place]), [len(normal) // 2])
    tested = np.concatenate([fresh, scaler.transform(odd)])
    x, y = (torch.tensor(rows, dtype=torch.float32) for rows in (known, tested))
    model = fit(x, ign.IGNObjective(), steps, seed)
    plain = fit(x, ign.IGNObjective(idem_weight=0, tight_weight=0), steps, seed)
    pca = PCA(0.9).fit(known)
    scores = {
        "IGN displacement": model.score(y),
        "IGN residual": model.score(y, "residual"),
        "autoencoder": plain.score(y),
        "PCA": np.square(pca.inverse_transform(pca.transform(tested)) - tested).mean(1),
        "IForest": -IsolationForest(random_state=seed).fit(known).score_samples(tested),
    }
    is_odd = np.arange(len(tested)) >= len(fresh)
    return {name: float(roc_auc_score(is_odd, values)) for name, values in scores.items()}


def table(found: dict[str, dict[str, list[float]]]) -> str:
    """Format means and standard deviations over seeds as Markdown."""
    names = list(next(iter(found.values())))
    lines = [f"| odd | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|"]
    for problem, values in found.items():
        cells = (f"{np.mean(v):.3f} ± {np.std(v):.3f}" for v in values.values())
        lines.append(f"| {problem} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("runs/tabular"))
    options = parser.parse_args()

    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for problem, (normal, odd) in problems().items():
        for seed in range(options.seeds):
            print(f"{problem}, seed {seed}")
            for name, value in compare(normal, odd, options.steps, seed).items():
                found[problem][name].append(value)
    print(table(found))
    command = " ".join(["python -m examples.tabular", *sys.argv[1:]])
    about = describe(command, torch.device("cpu")) | {
        "steps": options.steps, "seeds": options.seeds,
    }  # fmt: skip
    with atomic(options.out / "tabular.json") as file:
        file.write_text(
            json.dumps({"rows": found, "about": about}, indent=2) + "\n", encoding="utf-8"
        )
    print(f"numbers in {options.out / 'tabular.json'}")


if __name__ == "__main__":
    main()
