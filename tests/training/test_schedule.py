"""The learning-rate schedule, and runs that go on beyond their end."""

import pytest
import torch
import yaml
from training.runs import SHARED, begin, main, state

from ign.training.config import Config
from ign.training.module import FINAL_RATE, learning_rate_factor

WORDS = [word for word in SHARED if not word.startswith(("--decay", "--steps"))]


def test_the_rate_falls_linearly_over_the_share_at_the_end():
    config = Config(steps=100, decay=0.5)
    factors = [learning_rate_factor(config, step) for step in range(101)]
    assert factors[:51] == [1.0] * 51
    assert factors[75] == pytest.approx(0.5)
    assert factors[99] == pytest.approx(0.02)
    assert factors[100] == FINAL_RATE
    assert all(learning_rate_factor(Config(steps=100), step) == 1 for step in (0, 50, 100))


def test_beyond_the_horizon_the_last_rate_stays():
    config = Config(steps=300, decay=0.5, horizon=100)
    assert learning_rate_factor(config, 75) == pytest.approx(0.5)
    assert {learning_rate_factor(config, step) for step in (100, 200, 300)} == {FINAL_RATE}


def rate(run) -> float:
    """The learning rate of the last checkpoint."""
    return state(run)["optimizer_states"][0]["param_groups"][0]["lr"]


def test_extending_a_finished_run_does_not_jump_the_rate(tmp_path):
    run = begin(tmp_path / "run", [*WORDS, "--match.weight=0", "--decay=0.5", "--steps=8"])
    assert yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))["horizon"] == 8
    assert rate(run) == pytest.approx(0.002 * FINAL_RATE)
    assert main("train", "--resume", run, "--steps=16") == 0
    assert rate(run) == pytest.approx(0.002 * FINAL_RATE)
    assert main("train", "--resume", run, "--steps=20", "--horizon=40") == 0
    assert rate(run) == pytest.approx(0.002)


def test_a_run_in_instalments_is_the_run_at_once(tmp_path):
    words = [*WORDS, "--match.weight=0", "--decay=0.5", "--horizon=16"]
    at_once = begin(tmp_path / "once", [*words, "--steps=16"])
    run = begin(tmp_path / "run", [*words, "--steps=8"])
    assert main("train", "--resume", run, "--steps=16") == 0
    a, b = (state(r)["state_dict"] for r in (at_once, run))
    assert all(torch.equal(a[k], b[k]) for k in a)
