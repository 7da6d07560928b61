"""Count the collectives of a training step in two processes on this machine."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks import frozen
from benchmarks.speed.cost import COUNTED, WORLD
from ign.training import run
from ign.training.check import Check
from ign.training.module import Training

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "Table 1": ("celeba-paper", {}),
    "our celeba": ("celeba", {}),
    "the match term": ("celeba", {
        "match.weight": 30.0, "objective.tight_weight": 2.5,
        "adversarial.weight": 0.0, "adversarial.reconstruction_weight": 0.0,
    }),
    "Table 1, larger": ("celeba-paper", {"size": 128, "network.width": 128}),
}  # fmt: skip
"""Frozen configurations, and changed fields. The images are digits; their content is irrelevant."""


class Collectives(TorchDispatchMode):
    """Records each collective: its kind, its operation, and the bytes that a process sends."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, int]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        space, _, rest = str(func).partition(".")
        if space in ("c10d", "_c10d_functional"):
            operation = rest.partition(".")[0].strip("_").removesuffix("_base")
            given = args[1] if operation in ("allgather", "reduce_scatter") else args[0]
            tensors = given if isinstance(given, list) else [given]
            self.found += [(kind(operation, t), operation, t.nbytes) for t in tensors]
        return func(*args, **(kwargs or {}))


def kind(operation: str, x: torch.Tensor) -> str:
    """Name the purpose of a collective, from its operation and the shapes of its tensors."""
    shape = tuple(x.shape)
    if operation == "allgather":
        return {1: "parameters", 2: "norms", 4: "match"}[len(shape)]
    if operation in ("barrier", "broadcast") or shape == (1,) or not shape:
        return "control"
    if shape == (2,):
        return "clamp"
    return "norms" if operation == "allreduce" and len(shape) == 2 else "gradients"


def options(case: str, strategy: str) -> dict[str, Any]:
    """Make the configuration of the run whose collectives are counted."""
    return CASES[case][1] | {
        "data": "digits", "gray": False, "size": CASES[case][1].get("size", 64), "limit": 64,
        "batch_size": COUNTED * WORLD, "match.anchors": 64, "steps": 3, "every": 1000,
        "log_every": 1000,
        "trainer": {"accelerator": "cpu", "strategy": strategy, "precision": "32"},
    }  # fmt: skip


def record(case: str, strategy: str, folder: Path) -> None:
    """Run three steps in this process. The process of rank 0 writes the collectives."""
    plain, counter = Training.training_step, Collectives()

    def counted(self: Training, *words: Any) -> None:
        if self.global_step == 1:
            counter.__enter__()
        if self.global_step == 2:
            counter.__exit__(None, None, None)
        plain(self, *words)

    Training.training_step = counted  # type: ignore[method-assign]
    Check.check = lambda *_: None  # type: ignore[method-assign, assignment]
    config = frozen.configuration(CASES[case][0], options(case, strategy))
    run(config, folder / "run")
    if torch.distributed.get_rank() == 0:
        (folder / "found.json").write_text(json.dumps(counter.found), encoding="utf-8")


def count(case: str, strategy: str) -> list[tuple[str, str, int]]:
    """Return the collectives of one step."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                sys.executable, "-m", "torch.distributed.run", "--standalone",
                f"--nproc-per-node={WORLD}", "-m", __spec__.name, case, strategy, folder,
            ],
            check=True,
        )  # fmt: skip
        return [
            tuple(x) for x in json.loads((Path(folder) / "found.json").read_text(encoding="utf-8"))
        ]


if __name__ == "__main__":
    record(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
