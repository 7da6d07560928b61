"""The conditions of a measurement: command, commit, processor and versions."""

__all__ = ["describe", "uncommitted"]

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
    """Describe the conditions of a measurement.

    Args:
        command: The command; None for the arguments of this process.
        device: The device of the computation; None for the GPU if there is one.

    Returns:
        ``command``, ``commit`` (if the package is in a git checkout), ``processor``, ``cores``,
        ``threads``, ``device`` and the versions of ``python``, ``torch`` and ``ign``.
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
    """The commit of the checkout, or an empty dict for an installed package."""
    if _git("ls-files", "--error-unmatch", "__init__.py") is None:
        return {}
    changes = " and uncommitted changes" if uncommitted() else ""
    return {"commit": f"{_git('rev-parse', '--short', 'HEAD')}{changes}"}


def uncommitted() -> list[str]:
    """The tracked files of the checkout that differ from the commit.

    Files in ``docs`` do not count, since they are results of measurements and not code.
    """
    code = ("--", ":/", ":(top,exclude)docs")
    changes = _git("status", "--porcelain", "-uno", *code) or ""
    return [line[2:].strip() for line in changes.splitlines()]


def _git(*words: str) -> str | None:
    """The output of git in the folder of the package; None if git fails or is not installed."""
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
