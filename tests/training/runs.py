"""Runs small enough for every test, and ways to compare them."""

import csv
from pathlib import Path
from typing import Any

import torch
from forked import COMMAND, Forked

SHARED = [
    "--size=8", "--limit=64", "--batch_size=8", "--steps=12", "--every=4", "--log_every=1",
    "--learning_rate=0.002", "--decay=0", "--betas=[0.5,0.999]", "--ema=0.9", "--network.width=4",
    "--device=cpu", "--trainer.precision=32",
]  # fmt: skip
"""Options of every method."""
TINY = [*SHARED, "--match.weight=0", "--adversarial.weight=0", "--denoise=0"]
TINY += ["--adversarial.reconstruction_weight=0", "--code.weight=0", "--code.own_weight=0"]
RICH = [
    *TINY, "--flip=true", "--decay=0.5", "--network.norm=role",
    "--match.weight=5", "--adversarial.weight=0.3", "--adversarial.reconstruction_weight=0.2",
    "--match.anchors=16",
    "--network.rounding=0.5", "--denoise=0.5", "--trainer.accumulate_grad_batches=2",
    "--trainer.precision=bf16-mixed",
]  # fmt: skip
"""Options that use all of the state that a resumed run needs."""
OPTIONS: dict[str, Any] = {
    "size": 8, "limit": 64, "batch_size": 8, "steps": 12, "every": 4, "log_every": 1,
    "learning_rate": 0.002, "decay": 0.0, "betas": (0.5, 0.999), "ema": 0.9,
    "network": {"width": 4}, "match.weight": 0.0, "adversarial.weight": 0.0,
    "adversarial.reconstruction_weight": 0.0, "denoise": 0.0, "code.weight": 0.0,
    "code.own_weight": 0.0,
    "trainer": {"accelerator": "cpu", "precision": "32"},
}  # fmt: skip
"""TINY for Python."""


def main(*words: object) -> int:
    from ign.cli import main

    return main([str(word) for word in words])


def begin(out: Path, words: list[str]) -> Path:
    """``ign train digits`` to its end, in this process."""
    assert main("train", "digits", *words, f"--out={out}") == 0
    return out


def process(*words: object, before: str = "") -> Forked:
    """``ign WORDS`` in a process of its own, some lines of Python run first."""
    return Forked(*words, code=f"{before}\n{COMMAND}")


def rows(run: Path) -> list[dict[str, str]]:
    with open(run / "metrics.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def steps(run: Path) -> list[int]:
    return [int(row["step"]) for row in rows(run)]


def saved(run: Path) -> list[str]:
    """The names of all that lies beside the checkpoints, leftovers included."""
    return sorted(p.name for p in (run / "checkpoints").iterdir())


def state(run: Path) -> dict[str, Any]:
    """The last checkpoint."""
    return torch.load(run / "checkpoints" / saved(run)[-1], weights_only=True)


def same(a: Any, b: Any) -> bool:
    """Whether two nested values are equal to the bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def same_end(a: Path, b: Path) -> bool:
    """Whether two runs ended with the same model, weights, average, optimizer and rate."""
    files = [(run / "model" / "model.safetensors").read_bytes() for run in (a, b)]
    ends = [state(run) for run in (a, b)]
    kept = ("state_dict", "optimizer_states", "lr_schedulers", "global_step")
    return files[0] == files[1] and all(same(ends[0][k], ends[1][k]) for k in kept)
