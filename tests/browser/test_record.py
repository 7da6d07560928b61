"""The film of the page is made by its script."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("playwright", reason="playwright is not installed")
pytest.importorskip("gradio", reason="gradio is not installed")

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.slow
def test_the_film_is_small_and_moves(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.use.record", "--out", tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    if "no Chromium here" in done.stderr:
        pytest.skip("no Chromium here")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "app.gif").stat().st_size < 3_000_000
    with Image.open(tmp_path / "app.gif") as film:
        assert film.n_frames > 40
    assert Image.open(tmp_path / "app-phone.png").width == 390


def test_the_film_of_the_docs_is_small():
    assert (ROOT / "docs" / "pictures" / "app.gif").stat().st_size < 3_000_000
