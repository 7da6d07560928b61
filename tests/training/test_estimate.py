"""How long a run will take, and the shorter run that is proposed."""

import shlex
import shutil
from types import SimpleNamespace

import pytest
import torch
from training.runs import main, rows, steps

from ign.core.text import duration
from ign.training import Config, arguments, estimate
from ign.training.config import TrainerConfig
from ign.training.estimate import Estimate, device_name

CONFIG = Config(trainer=TrainerConfig(accelerator="cpu"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (61, "1 min 1 s"),
        (599.6, "10 min"), (600, "10 min"), (3594, "1 h"), (53_700, "14 h 55 min"),
        (7200, "2 h"), (86_400, "24 h"), (3 * 86_400 + 3600, "3 d 1 h"),
    ],
)  # fmt: skip
def test_durations(seconds, text):
    assert duration(seconds) == text


def said(monkeypatch, folder, seconds, first, steps):
    """What an estimate says after each of 40 steps of so many seconds, and after which."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(estimate.time, "perf_counter", lambda: clock.now)
    found, measured = {}, Estimate(folder, CONFIG)
    for step in range(first, first + 40):
        clock.now += seconds if step > first + 1 else 50 * seconds  # the first steps are slow
        if text := measured.after(step, steps):
            found[step] = text
    return found


def test_long_run_is_announced_with_a_shorter_one(tmp_path, monkeypatch):
    ((step, text),) = said(monkeypatch, tmp_path / "run", 0.537, 1, 100_000).items()
    cores = torch.get_num_threads()
    assert step == 17
    assert text.startswith(f"about 14 h 55 min for 100,000 steps on {cores} CPU core")
    assert f"--out {tmp_path / 'run-short'} --steps 1600` would be done in 15 min" in text


def test_slow_steps_are_announced_sooner(tmp_path, monkeypatch):
    assert list(said(monkeypatch, tmp_path / "run", 5, 1, 1000)) == [6]
    assert list(said(monkeypatch, tmp_path / "run", 60, 1, 1000)) == [3]


def test_quick_run_is_not_announced_and_a_resumed_one_has_no_shorter(tmp_path, monkeypatch):
    assert not said(monkeypatch, tmp_path / "run", 0.01, 1, 5000)
    (text,) = said(monkeypatch, tmp_path / "run", 0.5, 1, 200).values()
    assert text.startswith("about 1 min 40 s for 200 steps on ")
    assert "ign train" not in text
    (text,) = said(monkeypatch, tmp_path / "run", 0.537, 501, 100_000).values()
    assert text.startswith("about 14 h 50 min left for 99,483 more steps on ")
    assert "ign train" not in text


def test_proposed_command_works(plain, tmp_path):
    run = shutil.copytree(plain, tmp_path / "a run")
    measured = Estimate(run, CONFIG)
    measured.first = 1
    text = measured._describe(100.0, 22, 1000)
    assert main(*shlex.split(text.split("`")[1])[1:]) == 0
    assert steps(tmp_path / "a run-short") == list(range(1, 10))
    for name in ("total", "rec", "tight"):
        short, long = rows(tmp_path / "a run-short"), rows(run)
        assert [r[name] for r in short] == [r[name] for r in long[:9]]
    assert "a run-short2" in measured._describe(100.0, 22, 1000)


def test_device_is_named():
    assert device_name(CONFIG, 3).startswith(f"{3 * torch.get_num_threads()} CPU core")
    assert device_name(arguments({"trainer.accelerator": "cpu"}, "digits"), 1).count("core") == 1
