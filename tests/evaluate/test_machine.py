"""What a measurement says of its circumstances."""

import os
import platform
import subprocess

import pytest
import torch

import ign
from ign.evaluate import machine


def test_circumstances():
    found = machine.describe("ign evaluate x", torch.device("cpu"))
    assert found["command"] == "ign evaluate x"
    assert found["device"] == "cpu"
    assert (found["cores"], found["threads"]) == (os.cpu_count(), torch.get_num_threads())
    assert (found["python"], found["torch"]) == (platform.python_version(), torch.__version__)
    assert found["ign"] == ign.__version__
    assert found["processor"]
    assert machine.describe()["command"]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """The package in a git checkout."""

    def git(*words):
        who = ["-c", "user.name=x", "-c", "user.email=x"]
        subprocess.run(["git", "-C", tmp_path, *who, *words], check=True, capture_output=True)

    (tmp_path / "ign").mkdir()
    (tmp_path / "ign" / "__init__.py").write_text("", encoding="utf-8")
    git("init")
    monkeypatch.setattr(machine, "HERE", tmp_path / "ign")
    return git


def test_commit_of_a_checkout(checkout, tmp_path):
    checkout("add", ".")
    checkout("commit", "-m", "x")
    clean = machine.describe()["commit"]
    assert clean.isalnum()
    (tmp_path / "ign" / "__init__.py").write_text("1", encoding="utf-8")
    assert machine.describe()["commit"] == f"{clean} and uncommitted changes"


def test_results_are_no_uncommitted_changes(checkout, tmp_path):
    """A benchmark that follows another one does not find the checkout changed by its result."""
    result = tmp_path / "docs" / "results" / "a.json"
    result.parent.mkdir(parents=True)
    result.write_text("1", encoding="utf-8")
    checkout("add", ".")
    checkout("commit", "-m", "x")
    result.write_text("2", encoding="utf-8")
    assert machine.uncommitted() == []
    assert machine.describe()["commit"].isalnum()
    (tmp_path / "ign" / "__init__.py").write_text("1", encoding="utf-8")
    assert machine.uncommitted() == ["ign/__init__.py"]


def test_benchmarks_refuse_to_publish_what_no_commit_holds(monkeypatch, capsys):
    import argparse
    import sys
    from pathlib import Path

    root = Path(__file__).resolve().parents[2]
    from benchmarks import machine as shared

    monkeypatch.setattr(shared, "uncommitted", lambda: ["ign/model.py", "ign/noise.py"])
    parser = argparse.ArgumentParser(prog="step.py")
    shared.add_out(parser)
    published = ["--out", str(root / "docs" / "results" / "step.json")]
    monkeypatch.setattr(sys, "argv", ["step.py", *published])
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(published)
    assert caught.value.code == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert "ign/model.py and 1 more files have uncommitted changes" in message
    assert "give --dirty" in message
    assert parser.parse_args(["--out", "elsewhere.json"]).out == Path("elsewhere.json")
    monkeypatch.setattr(sys, "argv", ["step.py", *published, "--dirty"])
    assert parser.parse_args([*published, "--dirty"]).out == Path(published[1])


def test_a_package_that_only_lies_in_a_checkout_has_no_commit(checkout):
    assert "commit" not in machine.describe()


def test_without_git(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "commit" not in machine.describe()
