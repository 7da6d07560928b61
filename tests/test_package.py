"""The package: what importing it costs, and the wheel in an environment of its own."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_importing_the_library_needs_nothing_heavier_than_torch():
    code = "import sys, ign; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {
        "lightning", "torchmetrics", "matplotlib", "gradio", "sklearn", "tensorboard",
        "huggingface_hub",
    }  # fmt: skip
    assert not heavy & set(done.stdout.split())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"ign", next(t for t in tops if t.endswith(".dist-info"))}
    assert "ign/training/presets/mnist.yaml" in names
    assert "ign/py.typed" in names
    assert "ign/evaluate/nets/faces.safetensors" in names


def test_the_wheel_works_in_an_environment_of_its_own(wheel, tmp_path):
    """The environment sees this one's dependencies, by a path file, but not this checkout."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True, capture_output=True)
    inside = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    (Path(inside.stdout.strip()) / "dependencies.pth").write_text(
        sysconfig.get_path("purelib"), encoding="utf-8"
    )
    environment = {**os.environ, "PYTHONPATH": ""}
    where = subprocess.run(
        [python, "-c", "import ign; print(ign.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(tmp_path) in where.stdout
    ign = python.parent / "ign"
    small = ["--steps", "2", "--network.width", "2", "--batch_size", "4", "--limit", "20"]
    for command in (
        [ign, "train", "digits", "--out", "run", *small],
        [ign, "sample", "run", "-n", "3", "--out", "samples"],
        [ign, "info", "run"],
    ):
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "samples" / "f1").glob("*.png"))) == 3
