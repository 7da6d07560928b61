"""Packages of npm for the examples, installed once beside them."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def installed(example: str) -> Path:
    """The folder of an example with its ``node_modules`` as its lock file wants them.

    Without Node the test is skipped; with IGN_NODE=required, as in CI, it fails.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        told = "node and npm are not installed"
        pytest.fail(told) if os.environ.get("IGN_NODE") == "required" else pytest.skip(told)
    folder = EXAMPLES / example
    wanted = (folder / "package-lock.json").read_bytes()
    with open(folder / ".npmrc", encoding="utf-8") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        seen = folder / "node_modules" / ".seen"
        if not seen.exists() or seen.read_bytes() != wanted:
            command = ["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                told = f"npm ci in {folder}: {done.stderr[-500:]}"
                pytest.fail(told) if os.environ.get("IGN_NODE") == "required" else pytest.skip(told)
            seen.write_bytes(wanted)
    return folder
