"""The programs behind docs/results.md run, and show what the docs say, on models trained here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow


def measure(program: str, *words: object, folder: Path) -> dict:
    """What a benchmark writes, run in a folder of its own."""
    for package in ("skimage", "pyod"):
        pytest.importorskip(package, reason="needs pip install 'ign[bench]'")
    out = folder / "found.json"
    command = [sys.executable, ROOT / "benchmarks" / f"{program}.py", *words, "--out", out]
    subprocess.run([str(word) for word in command], check=True, cwd=folder)
    return json.loads(out.read_text())["rows"]


@pytest.fixture(scope="module")
def mnist(real, tmp_path_factory) -> Path:
    """A model of MNIST, trained a sixth as long as the preset's."""
    from ign import train

    run = tmp_path_factory.mktemp("mnist") / "run"
    train("mnist", data=str(real / "mnist"), steps=1000, out=run)
    return run


def test_projection_restores_what_it_was_never_trained_on(mnist, real, tmp_path):
    words = (mnist, "--data", real / "mnist", "--n", 200)
    found = measure("restore", *words, folder=tmp_path)
    rows = {row["input"]: row for row in found["restoration"]}
    for name in ("noise:0.3", "noise:0.6", "half"):
        assert rows[name]["f(y)"]["psnr"] > rows[name]["degraded"]["psnr"], name
    for row in found["holes"]:
        assert row["kept, 10"] > row["f(y)"] > row["degraded"]


def test_scores_tell_foreign_images(mnist, real, tmp_path):
    words = ("--data", real / "mnist", "--model", mnist, "--digits")  # none left out
    found = measure("anomaly", *words, folder=tmp_path)
    textures = next(row for row in found["foreign"] if row["foreign"] == "textures")
    assert textures["IGN displacement"] > 0.9
