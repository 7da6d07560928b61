"""The examples as a user runs them, with few steps."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from forked import Forked
from PIL import Image

import ign
from examples import own_network, plain_loop, tabular, toy2d

ROOT = Path(__file__).resolve().parents[2]


def run(name: str, out: Path, *options: str) -> str:
    """What an example prints."""
    code = f"import runpy\nrunpy.run_module('examples.{name}', run_name='__main__')"
    done = Forked("--out", out, *options, code=code, folder=ROOT)
    assert done.wait() == 0, done.err
    return done.out


def test_the_plain_loop_leaves_a_model_that_loads(tmp_path):
    said = run("plain_loop", tmp_path, "--steps", "60")
    model = ign.IGN.from_pretrained(tmp_path)
    assert model.shape == (1, 10, 10)
    assert f"{tmp_path}/model" in said
    with Image.open(tmp_path / "samples.png") as picture:
        assert picture.width > picture.height > 200
    digits = ign.data.load("digits", split="test", size=10).batch(torch.arange(64))
    torch.manual_seed(0)
    fresh = ign.IGN(ign.nn.DCGANAutoencoder(1, 10, 32, "role"), model.noise)
    assert model.drift(digits).mean() < 0.8 * fresh.drift(digits).mean()


def test_a_network_of_ones_own_is_saved_and_loaded(tmp_path):
    run("own_network", tmp_path, "--steps", "30")
    model = ign.IGN.from_pretrained(tmp_path)
    assert isinstance(model.network, own_network.ResidualAutoencoder)
    images = torch.rand(5, 1, 8, 8) * 2 - 1
    assert (model.project(images)[:1] - model.project(images[:1])).abs().max() < 1e-5


def test_the_plane_is_drawn_and_learnt(tmp_path):
    said = run("toy2d", tmp_path, "--steps", "300")
    drift = {name: float(value) for name, value in (
        line.removeprefix("drift of ").split(": ") for line in said.splitlines() if "drift" in line
    )}  # fmt: skip
    assert drift["held-out data"] < drift["noise z"] / 3
    with Image.open(tmp_path / "toy2d.png") as picture:
        assert len(np.unique(np.asarray(picture))) > 50


def test_odd_rows_of_a_table_are_told_from_normal_ones(monkeypatch):
    """A plane among 12 columns: what lies beside it is odd."""
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(400, 2)) @ rng.normal(size=(2, 12))
    found = tabular.compare(normal, rng.normal(size=(100, 12)), steps=300, seed=0)
    assert found["IGN displacement"] > 0.9
    assert found["PCA"] > 0.9
    text = tabular.table({"a": {k: [v, v] for k, v in found.items()}})
    assert f"{found['IForest']:.3f} ± 0.000" in text


def test_the_table_is_written(tmp_path):
    said = run("tabular", tmp_path, "--steps", "5", "--seeds", "1")
    found = json.loads((tmp_path / "tabular.json").read_text(encoding="utf-8"))
    assert found["about"]["seeds"] == 1
    table = tabular.table(found["rows"])
    assert table.count("±") == 4 * 5
    assert table in said


@pytest.mark.parametrize("name", ["plain_loop", "own_network", "tabular", "toy2d"])
def test_an_example_says_how_to_run_it(name):
    assert f"python -m examples.{name}" in importlib.import_module(f"examples.{name}").__doc__


def test_the_loop_trains_the_network_it_is_given_and_returns_its_average():
    torch.manual_seed(0)
    network, data = toy2d.Points(8, 4), toy2d.moons(50)
    before = [p.clone() for p in network.parameters()]
    noise = ign.noise.GaussianNoise((2,))
    average = plain_loop.train(network, noise, data, ign.IGNObjective(), 3, 1e-2, batch_size=8)
    assert all((a != b).any() for a, b in zip(before, network.parameters(), strict=True))
    assert average is not network
    assert not average.training
