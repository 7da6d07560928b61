"""What benchmarks/speed/scaling.py counts, and the model that it puts the counts into."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
LINK = {"node": 1e9, "network": 1e8, "latency": 1e-6}


@pytest.fixture
def cost():
    return importlib.import_module("benchmarks.speed.cost")


def test_ring_for_much_and_tree_for_little(cost):
    assert cost.seconds("allreduce", 1e9, 8, LINK) == pytest.approx(2 * 7 / 8 + 14e-6)
    assert cost.seconds("allgather", 1e9, 8, LINK) == pytest.approx(7 / 8 + 7e-6)
    assert cost.seconds("allreduce", 0, 8, LINK) == pytest.approx(6e-6)
    assert cost.seconds("allreduce", 1e9, 16, LINK) > 9 * cost.seconds("allreduce", 1e9, 8, LINK)


def test_prediction_adds_up(cost):
    about = {"rate": 1, "attained": 0.5, "node": 1, "network": 1, "links attained": 1, "latency": 0}
    found = {
        "flops": 1e9,
        "ddp": [
            ("gradients", "allreduce", 8_000_000), ("norms", "allgather", 1000),
            ("match", "allgather", 2000), ("control", "barrier", 1),
        ],
        "fsdp": [
            ("parameters", "allgather", 4_000_000), ("gradients", "reduce_scatter", 8_000_000),
        ],
    }  # fmt: skip
    parts = cost.predict(found, "ddp", 8, 10, about)
    assert parts["arithmetic"] == pytest.approx(10 * 1e9 / 0.5e12)
    assert parts["moved"] == pytest.approx(2 * 7 / 8 * 8e6 / 1e9)
    assert parts["match"] == pytest.approx(7 / 8 * 2000 * 8 * 5 / 1e9)
    assert parts["small"] == pytest.approx(7 / 8 * 1000 * 8 / 1e9, rel=1e-2)
    shards = cost.predict(found, "fsdp", 8, 10, about)
    assert shards["moved"] == pytest.approx(7 / 8 * 16e6 / 1e9)
    least, most = cost.efficiency({"arithmetic": 6.0, "moved": 3.0, "match": 1.0, "small": 1.0})
    assert (least, most) == (6 / 11, 6 / 8)


@pytest.mark.slow
def test_step_is_counted(cost, tmp_path):
    collectives = importlib.import_module("benchmarks.speed.collectives")
    place = {"PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "benchmarks.speed.scaling", "--cases", "the match term"]
    out = tmp_path / "found.json"
    subprocess.run([*command, "--out", out], check=True, env={**os.environ, **place}, cwd=tmp_path)
    (row,) = json.loads(out.read_text(encoding="utf-8"))["rows"]
    published = json.loads(
        (ROOT / "docs" / "results" / "scaling.json").read_text(encoding="utf-8")
    )["rows"]
    assert row == next(r for r in published if r["case"] == "the match term")
    given = {kind: sum(n for k, _, n in row["ddp"] if k == kind) for kind in cost.KINDS}
    assert given["gradients"] == 4 * row["parameters"]
    assert given["match"] == 4 * cost.COUNTED * 3 * 64 * 64
    assert given["clamp"] == 8
    assert given["parameters"] == 0
    assert len([k for k, *_ in row["ddp"] if k == "norms"]) == 7 * 3 * 2
    shards = sum(n for k, _, n in row["fsdp"] if k == "gradients")
    assert shards == pytest.approx(4 * row["parameters"], rel=1e-3)
    assert collectives.kind("allreduce", torch.zeros(2)) == "clamp"
