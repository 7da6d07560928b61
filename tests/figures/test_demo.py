"""The demo: pictures, a page that shows them, and samples that are digits."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ign.cli import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "run"
    assert main(["demo", "--out", str(out), "--steps", "3"]) == 0
    return out


def test_every_picture_of_the_page_exists_and_shows_something(run):
    page = (run / "index.html").read_text(encoding="utf-8")
    sources = re.findall(r'src="([^"]+)"', page)
    assert len(sources) == 4
    for source in sources:
        picture = Image.open(run / source).convert("L")
        low, high = picture.getextrema()
        assert high - low > 100, source
        assert min(picture.size) > 100
    assert "3 steps" in page
    assert str(run) in page


def test_an_earlier_demo_is_not_lost_without_force(run, capsys):
    assert main(["demo", "--out", str(run)]) == 2
    assert "--force" in capsys.readouterr().err
    assert (run / "index.html").exists()


@pytest.mark.slow
def test_samples_are_digits_all_ten_and_not_copies(tmp_path):
    """Floors a little under what docs/results.md says, on a model that the preset trains here."""
    command = [sys.executable, "-m", "benchmarks.quality.digits"]
    subprocess.run([*command, "--out", tmp_path / "found.json"], cwd=ROOT, check=True)
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    samples, controls = found["rows"]["f(z)"], found["rows"]
    assert found["accuracy"] > 0.98
    assert samples["sure"] >= 0.75
    assert controls["f(f(z))"]["sure"] >= 0.78
    assert samples["least_class"] > 0
    assert samples["largest_class"] <= 0.3
    assert samples["nearest_ratio"] >= 0.8
    assert controls["held-out digits"]["sure"] > samples["sure"]
    assert controls["average of two digits"]["sure"] < 0.4
    assert controls["Gaussian noise"]["sure"] < 0.05
