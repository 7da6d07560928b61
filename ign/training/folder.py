"""The folder of a run: where it is, and who writes to it."""

__all__ = ["leads", "place", "prepare"]

import shutil
from pathlib import Path

from lightning.pytorch.utilities import rank_zero_only

from ign.core.files import atomic
from ign.training.config import Config
from ign.training.options import to_yaml

LEFTOVERS = (".config-*", ".metrics-*", "checkpoints/.step-*", "model/.*-*", "samples/.step-*")
"""What a killed process may leave of :func:`ign.core.files.atomic`."""


def leads() -> bool:
    """Whether this is the first process of a run, which writes its files and speaks."""
    return not vars(rank_zero_only).get("rank")


def place(out: str | Path | None, preset: str, force: bool, method: str = "ign") -> Path:
    """The folder of a new run; one that holds an earlier run only when ``force`` says so.

    Raises:
        ValueError: Something is there already.
    """
    if out is None:
        name = preset if method == "ign" else f"{preset}-{method}"
        taken = (Path("runs") / (name if i == 1 else f"{name}-{i}") for i in range(1, 10**6))
        return next(p for p in taken if not p.exists())
    out = Path(out)
    if not leads() or not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return out
    if not (out / "config.yaml").is_file():
        raise ValueError(f"{out}: exists and is not a run; give another --out")
    if not force:
        raise ValueError(
            f"{out}: holds a run; continue it with --resume {out}, replace it with --force,"
            " or give another --out"
        )
    return out


def prepare(run: Path, config: Config, resume: bool) -> None:
    """Clear what an earlier run or a killed write left, and write the configuration."""
    if not resume:
        for name in ("checkpoints", "model", "samples", "tensorboard"):
            shutil.rmtree(run / name, ignore_errors=True)
        (run / "metrics.csv").unlink(missing_ok=True)
    for left in [file for pattern in LEFTOVERS for file in run.glob(pattern)]:
        left.unlink()
    with atomic(run / "config.yaml") as file:
        file.write_text(to_yaml(config), encoding="utf-8")
