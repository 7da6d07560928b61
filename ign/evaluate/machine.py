"""What a measurement must say about itself: command, commit, processor, versions."""

__all__ = ["describe"]

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

import ign

HERE = Path(ign.__file__).parent


def describe(command: str | None = None, device: torch.device | None = None) -> dict[str, Any]:
    """The circumstances of a measurement.

    Args:
        command: What was typed; None for the process's own arguments.
        device: Where it was computed; None for the GPU where there is one.

    Returns:
        ``command``, ``commit`` (where the package lies in a git checkout), ``processor``,
        ``cores``, ``threads``, ``device`` and the versions of ``python``, ``torch`` and ``ign``.
    """
    cuda = torch.cuda.is_available() if device is None else device.type == "cuda"
    return {
        "command": command or " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        **_commit(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if cuda else str(device or "cpu"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "ign": ign.__version__,
    }


def _commit() -> dict[str, str]:
    """The checkout's commit; nothing for an installed package."""
    if _git("ls-files", "--error-unmatch", "__init__.py") is None:
        return {}
    commit, changes = _git("rev-parse", "--short", "HEAD"), _git("status", "--porcelain", "-uno")
    return {"commit": f"{commit}{' and uncommitted changes' if changes else ''}"}


def _git(*words: str) -> str | None:
    """What git says of the package's folder; None where it fails or is not installed."""
    try:
        done = subprocess.run(
            ["git", "-C", HERE, *words], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(x.partition(":")[2].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
