"""The programs behind docs/results.md run, and show what the docs say, on models trained here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.slow


def measure(program: str, *words: object, folder: Path) -> dict:
    """What a benchmark writes, run in a folder of its own."""
    for package in ("skimage", "pyod") if program in ("quality.restore", "quality.anomaly") else ():
        pytest.importorskip(package, reason="needs pip install 'ign-torch[bench]'")
    out = folder / "found.json"
    command = [sys.executable, "-m", f"benchmarks.{program}", *words, "--out", out]
    place = {**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    subprocess.run([str(word) for word in command], check=True, cwd=folder, env=place)
    return json.loads(out.read_text(encoding="utf-8"))["rows"]


@pytest.fixture(scope="module")
def mnist(real, tmp_path_factory) -> Path:
    """A model of MNIST, trained a sixth as long as the preset's."""
    from ign import train

    run = tmp_path_factory.mktemp("mnist") / "run"
    train("mnist", data=str(real / "mnist"), steps=1000, out=run)
    return run


def test_projection_restores_what_it_was_never_trained_on(mnist, real, tmp_path):
    words = (mnist, "--data", real / "mnist", "--n", 200)
    found = measure("quality.restore", *words, folder=tmp_path)
    rows = {row["input"]: row for row in found["restoration"]}
    for name in ("noise:0.3", "noise:0.6", "half"):
        assert rows[name]["f(y)"]["psnr"] > rows[name]["degraded"]["psnr"], name
    for row in found["holes"]:
        assert row["kept, 10"] > row["f(y)"] > row["degraded"]


def test_scores_tell_foreign_images(mnist, real, tmp_path):
    words = ("--data", real / "mnist", "--model", mnist, "--digits")  # none left out
    found = measure("quality.anomaly", *words, folder=tmp_path)
    textures = next(row for row in found["foreign"] if row["foreign"] == "textures")
    assert textures["IGN displacement"] > 0.9


def test_iterates_rest_on_the_grid(mnist, real, tmp_path):
    rows = measure("quality.grid", mnist, "--data", real / "mnist", "-n", 300, folder=tmp_path)
    found = {row["code"]: row for row in rows}
    on, off = found["grid"], found["no grid"]
    assert on["resting at k = 100"] > 0.5 > 0.2 > off["resting at k = 100"]
    assert on["FD f^100(z)"] < 0.85 * off["FD f^100(z)"]
    assert on["FD f^1(z)"] < 1.2 * off["FD f^1(z)"]


def test_step_saves_a_quarter_of_the_arithmetic_and_memory(tmp_path):
    rows = measure("speed.step", "--cases", "mnist-64", "--rounds", 3, folder=tmp_path)
    rows = {row["step"]: row for row in rows}
    listing, ours = rows["listing"], rows["ours, float32"]
    assert listing["GFLOP"] / ours["GFLOP"] == pytest.approx(12 / 9, rel=0.02)
    assert ours["times faster"] > 1.2
    assert ours["memory ratio"] < 0.9
    assert all(0 < row["share of peak"] < 1.2 for row in rows.values())


def test_pipeline_compares_like_with_like(real, tmp_path):
    words = ("--mnist", real / "mnist", "--steps", 20, "--rounds", 3)
    rows = measure("speed.pipeline", *words, folder=tmp_path)
    ratios = {row["loop and data"]: row["of the fixed batch"] for row in rows}
    assert list(ratios) == ["bare loop", "fixed batch", "in memory", "memory-mapped"]
    assert ratios["fixed batch"] == 1
    assert all(0.7 < ratio < 1.3 for ratio in ratios.values())


def test_large_source_is_read_once(tmp_path):
    words = ("--images", 8000, "--photos", 100, "--width", 4)
    first, second, photos = measure("speed.large", *words, folder=tmp_path)
    assert second["reading s"] < first["reading s"] / 2
    assert 0 < first["own MiB"] <= first["resident MiB"]
    assert photos["images/s"] < first["images/s"]


def test_inference_is_measured_of_all(tmp_path):
    words = ("--cases", 28, "--batch", 8, "--images", 32, "--rounds", 1)
    rows = measure("speed.inference", *words, folder=tmp_path)
    speed = {row["images by"]: row["images/s"] for row in rows}
    assert len(speed) == 7
    assert speed["f(z)"] > 5 * speed["diffusion, 50 steps"] > 0
    network, unet = (rows[i]["parameters"] for i in (0, 4))
    assert unet == pytest.approx(network, rel=0.3)


def test_time_goes_to_the_arithmetic(tmp_path):
    rows = measure("speed.where", "--cases", "mnist-64", "--steps", 2, folder=tmp_path)
    for row in rows:
        shares = [v for k, v in row.items() if not isinstance(v, str)]
        assert sum(shares) == pytest.approx(1)
        assert row["convolutions"] + row["matrix products"] > 0.5
