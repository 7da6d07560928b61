"""Benchmarks use frozen configurations, which do not change when a preset does."""

import ast
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from benchmarks import frozen
from ign.training import Config, arguments, config
from ign.training.configs import config_class
from ign.training.options import flatten

ROOT = Path(__file__).resolve().parent.parent
NAMES = sorted(path.stem for path in frozen.FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_frozen_configuration_is_understood(name):
    """Fields that are added later have their defaults, with which a run is what it was before."""
    values = yaml.safe_load((frozen.FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    fields = flatten(asdict(config_class("ign")()))
    assert len(values) > 15
    assert flatten(values).keys() <= fields.keys() - {"method", "horizon"}


def test_a_frozen_configuration_does_not_follow_its_preset(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "FOLDER", tmp_path)
    (tmp_path / "mnist.yaml").write_text("{learning_rate: 1.0, denoise: 0.0}", encoding="utf-8")
    assert arguments({}, "mnist").learning_rate == 1.0
    found = frozen.configuration("mnist", {"steps": 10})
    assert (found.learning_rate, found.denoise, found.steps) == (0.002, 1.0, 10)


def test_a_baseline_keeps_its_own_recipe():
    found = frozen.configuration("mnist", {"method": "dcgan"})
    assert isinstance(found, Config)
    assert found.network.width == 32
    assert found.learning_rate == config_class("dcgan")().learning_rate


def test_the_page_of_the_demo_measures_its_preset():
    """Write a new configuration and measure again if the preset digits changes."""
    assert frozen.configuration("digits", {}) == arguments({}, "digits")


def test_no_benchmark_names_a_preset():
    """The recipes do, and compare the fields of a measured row with those of the preset."""
    for path in (ROOT / "benchmarks").rglob("*.py"):
        if path.parent.name == "recipes":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ign.train":
                assert not node.args, f"{path.name}: train with benchmarks.frozen"
