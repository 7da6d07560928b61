"""What the README and the docs say is what was measured and what works."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ign import IGN, nn, noise
from ign.cli import VERBS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_results_pages_are_generated_from_the_result_files():
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "report.py", "--check"], check=False
    )
    assert done.returncode == 0, "run python benchmarks/report.py"


def test_parameter_counts_of_the_baselines_are_those_of_the_code(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    parameters = importlib.import_module("parameters")
    assert parameters.table() in (ROOT / "docs" / "baselines.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_of_a_page_runs(page, tmp_path, monkeypatch):
    """Its code runs as printed, with a small model in the place of the one it names."""
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    if not blocks:
        pytest.skip("no code there")
    monkeypatch.chdir(tmp_path)
    os.makedirs("runs/demo/model")
    torch.manual_seed(0)
    network = nn.DCGANAutoencoder(1, 10, 4, "role")
    IGN(network, noise.GaussianNoise((1, 10, 10))).save_pretrained("runs/demo/model")
    names: dict = {"images": torch.rand(6, 1, 10, 10) * 2 - 1}
    for block in blocks:
        exec(block, names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_pictures_of_a_page_exist(page):
    for target in re.findall(r"\]\((?!http)([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            titles = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w\s-]", "", t).strip().lower().replace(" ", "-") for t in titles}
            assert anchor in slugs, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_of_a_page_exist(page):
    text = page.read_text()
    targets = (ROOT / "Makefile").read_text()
    for verb in re.findall(r"^\s*ign (\w+)", text, re.MULTILINE):
        assert verb in VERBS, verb
    for target in re.findall(r"make ([\w-]+)", text):
        assert re.search(rf"^{target}:", targets, re.MULTILINE), target
