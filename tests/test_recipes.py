"""The runner of recipes: what has a row is not made again, what has changed is."""

import importlib
import sys
from pathlib import Path

import pytest
import yaml

ROW = {
    "name": "first", "seed": 0, "steps": 200, "seconds": 3, "FD": 4.5, "FD ff": 4.25,
    "precision": 0.5, "recall": 0.75, "coverage": 0.5, "nearest": 1.0, "reconstruction": 0.03,
    "f^100": 4.7,
}  # fmt: skip


@pytest.fixture
def run(monkeypatch, tmp_path):
    """The runner with two recipes and no results."""
    module = importlib.import_module("benchmarks.quality.recipes.run")
    monkeypatch.setattr(module, "HERE", tmp_path)
    monkeypatch.setattr(module, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(module, "RESULTS", tmp_path / "recipes.csv")
    for name, seeds in {"first": [0, 1], "second": [0]}.items():
        write(tmp_path, name, seeds=seeds)
    return module


def write(folder: Path, name: str, **fields: object) -> None:
    said = {"hypothesis": "H.", "prediction": "P.", "seconds": 3, "options": {}, "found": "F."}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(said | fields), encoding="utf-8")


def test_a_run_is_made_once_for_the_options_it_had(run, tmp_path):
    assert run.wanted([], None) == [("first", 0), ("first", 1), ("second", 0)]
    run.keep({**ROW, "options": run.digest(run.recipe("first")), "commit": "abc"})
    assert run.wanted([], None) == [("first", 1), ("second", 0)]
    assert run.wanted(["first"], [0, 2]) == [("first", 2)]
    write(tmp_path, "first", seeds=[0], options={"denoise": 0.5})
    assert run.wanted(["first"], None) == [("first", 0)], "other options"
    run.keep({**ROW, "FD": 3.0, "options": run.digest(run.recipe("first")), "commit": "23e7657"})
    assert [row["FD"] for row in run.rows()] == ["3.0"], "in the place of the old row"
    assert "`denoise 0.5`" in run.log()
    assert "| 23e7657 |" in run.log(), "a name of a commit, though it reads as a number"
    assert "### second" not in run.log(), "not measured"


def test_recipes_of_the_project_are_whole():
    module = importlib.import_module("benchmarks.quality.recipes.run")
    measured = {row["name"] for row in module.rows()}
    for name in module.names():
        said = module.recipe(name)
        assert all(said[key] for key in ("hypothesis", "prediction", "seeds"))
        assert name not in measured or said["found"], f"{name} has rows: say what was learnt"


@pytest.mark.slow
def test_a_recipe_trains_for_its_seconds_and_leaves_a_row(run, tmp_path, real, monkeypatch, capsys):
    write(tmp_path, "first", seeds=[0], seconds=60)
    words = ["run.py", "--data", str(real / "mnist"), "--one", "first", "0"]
    monkeypatch.setattr(sys, "argv", words)
    run.main()
    row = yaml.safe_load(capsys.readouterr().out.splitlines()[-1])
    assert 40 < row["seconds"] < 80
    assert row["steps"] > 200
    assert 0 < row["FD"] < 400
