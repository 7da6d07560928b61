"""Two processes train what one does, and stop and go on together."""

import os
import signal
import subprocess
import sys
import time

import pytest
from training.runs import TINY, begin, rows, same, saved, state, steps

SCRIPT = "from ign.cli import main\nraise SystemExit(main())\n"
PAIR = ["--trainer.devices=2", "--trainer.strategy=ddp"]
EXACT = ["--network.norm=group", "--objective.clamp_ratio=null"]
"""Without statistics of a batch, which are each process's own."""


@pytest.fixture
def ign(tmp_path):
    """``ign WORDS`` from a script, in a group of processes of its own."""
    script = tmp_path / "command.py"
    script.write_text(SCRIPT)

    def ign(*words: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, script, *map(str, words)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    return ign


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ign", "dcgan"])
def test_two_processes_take_the_step_of_one(method, ign, tmp_path):
    words = [*TINY, *EXACT, "--steps=1", f"--method={method}"]
    running = ign("train", "digits", *words, *PAIR, f"--out={tmp_path / 'two'}")
    out, err = running.communicate(timeout=300)
    assert (running.returncode, err) == (0, "")
    assert out.count("\n") == 1
    begin(tmp_path / "one", words)
    one, two = (state(tmp_path / name)["optimizer_states"][0]["state"] for name in ("one", "two"))
    for a, b in zip(one.values(), two.values(), strict=True):
        assert (a["exp_avg"] - b["exp_avg"]).abs().max() < 1e-6 * a["exp_avg"].abs().max() + 1e-7


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_two_processes_stop_and_go_on(name, ign, tmp_path):
    run, words = tmp_path / "run", [*TINY, *EXACT, *PAIR, "--steps=200", "--every=100"]
    running = ign("train", "digits", *words, f"--out={run}")
    while not ((run / "metrics.csv").is_file() and len(rows(run)) > 5):
        assert running.poll() is None, running.communicate()
        time.sleep(0.01)
    os.killpg(running.pid, signal.Signals[name])
    out, err = running.communicate(timeout=120)
    assert (running.returncode, out, err.count("\n")) == (128 + signal.Signals[name], "", 1)
    assert saved(run) == [f"step-{steps(run)[-1]:08d}.ckpt"]
    again = ign("train", "--resume", run)
    out, err = again.communicate(timeout=300)
    assert (again.returncode, err) == (0, "")
    assert steps(run) == list(range(1, 201))
    whole = ign("train", "digits", *words, f"--out={tmp_path / 'whole'}")
    assert whole.communicate(timeout=300)[1] == ""
    assert same(state(run)["state_dict"], state(tmp_path / "whole")["state_dict"])
