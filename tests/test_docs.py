"""What the README and the docs say is what was measured and what works."""

import csv
import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image

from ign import IGN, nn, noise
from ign.cli import VERBS, main
from ign.view import pictures

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TINY = ["--steps=2", "--network.width=2", "--batch_size=4", "--limit=20", "--every=2"]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Where a reader is who has a folder of photos and one of scans with 12 bits."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    for i, image in enumerate(torch.rand(30, 3, 32, 32) * 2 - 1):
        pictures.save(image, tmp_path / "photos" / f"{i}.png")
    (tmp_path / "scans").mkdir()
    for i in range(4):
        scan = np.random.default_rng(i).integers(500, 3500, (64, 64), np.uint16)
        Image.fromarray(scan).save(tmp_path / "scans" / f"{i}.tif")
    return tmp_path


def test_the_page_of_mutants_is_generated_from_its_result_file():
    command = [sys.executable, ROOT / "tools" / "mutants.py", "--check"]
    assert subprocess.run(command, check=False).returncode == 0, "run python tools/mutants.py"


def test_results_pages_are_generated_from_the_result_files():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.report", "--check"], cwd=ROOT, check=False
    )
    assert done.returncode == 0, "run python -m benchmarks.report"


def test_the_parameters_of_every_method_are_counted():
    """The page about baselines names the script; an IGN has the parameters of one network."""
    from ign.training.methods import METHODS

    page = (ROOT / "docs" / "baselines.md").read_text(encoding="utf-8")
    assert "python -m benchmarks.use.parameters" in page
    rows = importlib.import_module("benchmarks.use.parameters").table().splitlines()[2:]
    assert re.findall(r"^\| `([\w-]+)`", "\n".join(rows), re.MULTILINE) == list(METHODS)
    network = nn.DCGANAutoencoder(1, 28, 32, "role")
    count = sum(parameter.numel() for parameter in network.parameters())
    assert rows[0].startswith(f"| `ign` | {count:,} | 0 | 1.00 |")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_of_a_page_runs(page, folder):
    """Its code runs as printed: the first block defines what it uses, later ones may go on from it.

    Only the run of the demo, ``runs/demo``, is there before, and holds a small model.
    """
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    if not blocks:
        pytest.skip("the page has no Python code")
    os.makedirs("runs/demo/model")
    torch.manual_seed(0)
    network = nn.DCGANAutoencoder(1, 10, 4, "role")
    IGN(network, noise.GaussianNoise((1, 10, 10))).save_pretrained("runs/demo/model")
    names: dict = {}
    with patch.dict(nn.NETWORKS):
        for block in blocks:
            exec(block, names)


@pytest.mark.parametrize("page", ["start", "own-folder"])
def test_commands_of_a_page_run_one_after_another(page, folder, capfd):
    """They run as printed, except that training is small and short."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(.*?)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    plain = "".join(block for language, block in blocks if not language)
    lines = re.findall(r"^ign .*$", plain, re.MULTILINE)
    assert len(lines) > 4
    for line in lines:
        words = shlex.split(line)[1:]
        if "--resume" in words:
            words[-2:] = ["--steps", "3"]
        elif words[0] == "train":
            words += TINY
        elif words[0] == "demo":
            words += ["--steps", "2"]
        assert main(words) == 0, (line, capfd.readouterr().err)


def test_speed_page_counts_the_passes_of_each_preset():
    """The table's passes of a step are the floating-point operations, in forward passes."""
    from torch.utils.flop_counter import FlopCounterMode

    from ign.training import arguments
    from ign.training.methods import METHODS, Batch

    text = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `ign`, .*?\| ([\d.]+) \| (.*) \|$", text, re.MULTILINE)
    table += re.findall(r"^\| the same, .*?\| ([\d.]+) \| (.*) \|$", text, re.MULTILINE)
    counted = {p: float(passes) for passes, row in table for p in re.findall(r"`([\w-]+)`", row)}
    assert set(counted) == {"digits", "mnist", "mnist-paper", "celeba", "celeba-paper", "folder"}
    x, z = torch.rand(2, 16, 1, 28, 28)
    for preset, passes in counted.items():
        config = arguments({"network": {"width": 8}}, preset)
        kind = METHODS["ign"]
        network = nn.DCGANAutoencoder(1, 28, 8, config.network.norm)
        method = kind(network, config)
        with FlopCounterMode(display=False) as counter:
            network(x)
        forward = counter.get_total_flops()
        with FlopCounterMode(display=False) as counter:
            (update,) = method.losses(network, Batch(x, z, x))
            update.loss.backward()
        step = counter.get_total_flops()
        assert step / forward == pytest.approx(passes, abs=0.25), preset


@pytest.mark.parametrize("page", ["recipes"])
def test_training_commands_of_a_page_are_understood(page):
    from ign.cli.train import _parser
    from ign.training import configuration, fields_of

    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ +ign train ([^#\n]*)", text, re.MULTILINE)
    assert len(lines) > 2
    for line in lines:
        words = shlex.split(line)
        preset = "folder" if words[0].startswith("-") else words.pop(0)
        config = configuration(_parser(fields_of(preset)).parse_args(words))
        assert config.data, line


def test_minutes_that_pages_name_were_measured():
    """The compared recipes trained for about twelve minutes, and the demo takes minutes."""
    with (ROOT / "docs" / "results" / "recipes.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["name"] in ("mnist", "dcgan-5e-4")]
    assert len(rows) == 3
    assert all(690 < int(row["seconds"]) < 840 for row in rows)
    text = (ROOT / "docs" / "results" / "digits.json").read_text(encoding="utf-8")
    assert 60 < json.loads(text)["about"]["training_seconds"] < 600


def test_training_commands_of_many_gpus_are_understood():
    from ign.cli.train import _parser
    from ign.training import configuration, fields_of

    text = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ +(?:torchrun .* -m )?ign train ([^#\n]*)", text, re.MULTILINE)
    assert len(lines) > 1
    for line in lines:
        preset, *words = shlex.split(line)
        config = configuration(_parser(fields_of(preset)).parse_args(words))
        assert config.batch_size % 8 == 0
        assert config.trainer.devices in (1, 8)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_pictures_of_a_page_exist(page):
    for target in re.findall(r"\]\((?!http)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            titles = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\s-]", "", t).strip().lower().replace(" ", "-") for t in titles}
            assert anchor in slugs, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_of_a_page_exist(page):
    text = page.read_text(encoding="utf-8")
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    for verb in re.findall(r"^\s*ign (\w+)", text, re.MULTILINE):
        assert verb in VERBS, verb
    for target in re.findall(r"(?:^ *|`)make ([\w-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", targets, re.MULTILINE), target


def test_walks_through_the_code_name_what_exists():
    """Each step names a file and functions or classes in it, and no walk passes a file twice."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    walks = text.partition("## Three walks")[2].partition("## Code")[0].split("\n**")[1:]
    assert len(walks) == 3
    for walk in walks:
        steps = re.findall(r"^\d\. `(ign/[\w/]+\.py)`, `([\w.]+)`", walk, re.MULTILINE)
        assert len(steps) > 5
        assert len({file for file, _ in steps}) == len(steps)
        for file, name in steps:
            found: object = importlib.import_module(file.removesuffix(".py").replace("/", "."))
            for part in name.split("."):
                found = getattr(found, part)
