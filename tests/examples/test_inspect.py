"""The consumers of an exported inspector find the defect that the model finds."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from npm import installed
from parts import damaged, save, texture, write_layout
from PIL import Image

from ign.data.layout import find_layout
from ign.export.inspector import export_inspector
from ign.inspection import InspectConfig, fit_inspector

FOLDER = Path(__file__).resolve().parents[2] / "examples/inspect"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ship")
    files = [part.file for part in find_layout(write_layout(folder / "parts", 45, 1, 1)).train]
    config = InspectConfig(backbone="pixels", size=64, networks=1, width=32, steps=60)
    return export_inspector(fit_inspector(files, config), folder / "parts.onnx").path


@pytest.fixture
def images(tmp_path):
    part, mask = damaged(5000, "hole")
    save(part, tmp_path / "bad.png")
    save(texture(5001), tmp_path / "good.png")
    return tmp_path, np.argwhere(mask).mean(0)


def said(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def near(line, place):
    x, y = (int(part.strip(" ),xy")) for part in line.rpartition("at ")[2].split(","))
    return abs(x - place[1]) < 14 and abs(y - place[0]) < 14


def test_python(model, images):
    folder, place = images
    lines = said(
        sys.executable, FOLDER / "score.py", model, folder / "bad.png", folder / "good.png"
    )
    assert lines[0].endswith("at most 5.0% of good parts above it")
    assert lines[1].startswith("FLAGGED")
    assert near(lines[1], place)


def test_watched_folder(model, images):
    folder, _ = images
    lines = said(sys.executable, FOLDER / "watch.py", model, folder, "1.2")
    assert sorted(line.split()[-1] for line in lines) == ["bad.png", "good.png"]
    assert lines[0].startswith("FLAGGED")


def test_node(model, images):
    program = installed("node") / "score.mjs"
    folder, place = images
    Image.open(folder / "bad.png").convert("RGB").save(folder / "bad.ppm")
    [line] = said("node", program, model, folder / "bad.ppm")
    assert line.startswith("FLAGGED")
    assert near(line, place)
