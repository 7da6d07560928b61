"""A run that is stopped, however, and goes on ends as if it had never been stopped."""

import os
import random
import shutil
import signal
import time
from itertools import count

import pytest
import torch
from PIL import Image
from training.runs import OPTIONS, RICH, begin, main, process, rows, same_end, saved, state, steps

import ign
from ign.training import Interrupted
from ign.training.checkpoints import newest
from ign.training.module import Training
from ign.training.paths import checkpoints

ON = "continue with: ign train --resume"


def each_micro_batch(monkeypatch, act):
    """Call ``act`` with the number of each micro-batch, from 1, before it is computed."""
    plain, number = Training.batch, count(1)

    def planted(self, *args):
        act(next(number))
        return plain(self, *args)

    monkeypatch.setattr(Training, "batch", planted)


@pytest.fixture
def copy(plain, tmp_path):
    return shutil.copytree(plain, tmp_path / "copy")


@pytest.mark.parametrize("micro_batch", [11, 16])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_signal_stops_after_the_step_and_the_rest_is_as_if_not(
    name, micro_batch, whole, tmp_path, monkeypatch, capsys
):
    number, run = signal.Signals[name], tmp_path / "run"
    before = signal.getsignal(number)
    with monkeypatch.context() as planted:
        each_micro_batch(planted, lambda n: n == micro_batch and os.kill(os.getpid(), number))
        assert main("train", "digits", *RICH, f"--out={run}") == 128 + number
    assert signal.getsignal(number) == before
    step = -(-micro_batch // 2)
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert f"stopped at step {step}; kept: step-{step:08d}.ckpt" in err
    assert f"{ON} {run}" in err
    assert main("train", "--resume", run) == 0
    assert same_end(run, whole)
    assert steps(run) == list(range(1, 13))


def test_second_signal_stops_at_once(tmp_path, monkeypatch, capsys):
    each_micro_batch(monkeypatch, lambda n: n > 10 and os.kill(os.getpid(), signal.SIGINT))
    run, before = tmp_path / "run", signal.getsignal(signal.SIGINT)
    assert main("train", "digits", *RICH, f"--out={run}") == 130
    assert "stopped at step 5; kept: step-00000004.ckpt" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) == before


def test_python_is_told_of_the_signal(plain, tmp_path, monkeypatch):
    run = tmp_path / "run"
    with monkeypatch.context() as planted:
        each_micro_batch(planted, lambda n: n == 5 and os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(Interrupted, match=ON) as stop:
            ign.train("digits", out=run, **OPTIONS)
    assert stop.value.signal == signal.SIGTERM
    model = ign.train(resume=run, trainer={"accelerator": "cpu"})
    assert same_end(run, plain)
    assert torch.equal(model.sample(2), ign.IGN.from_pretrained(run).sample(2))


def until(running, happened) -> None:
    """Wait until something has happened to a process that goes on."""
    end = time.monotonic() + 120
    while not happened():
        assert running.returncode is None, running.err
        assert time.monotonic() < end
        time.sleep(0.01)


DIES_WRITING = """
import io, os, signal, torch
plain, count = torch.save, iter(range(9))
def save(checkpoint, file):
    if next(count) < 1:
        return plain(checkpoint, file)
    whole = io.BytesIO()
    plain(checkpoint, whole)
    file.write(whole.getvalue()[: len(whole.getvalue()) * 3 // 4])
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
torch.save = save
"""


def test_processes_stopped_killed_and_killed_while_writing(tmp_path):
    """Three processes leave one run unfinished; a fourth ends it, bit-equal to one alone."""
    run, words = tmp_path / "run", [*RICH, "--steps=50", "--every=5"]
    whole = begin(tmp_path / "whole", words)

    first = process("train", "digits", *words, f"--out={run}")
    until(first, lambda: (run / "metrics.csv").is_file() and len(rows(run)) >= 6)
    first.send_signal(signal.SIGINT)
    assert (first.wait(), first.out, first.err.count("\n")) == (130, "", 1)
    assert f"{ON} {run}" in first.err

    second, far = process("train", "--resume", run), steps(run)[-1] + random.randint(3, 8)
    until(second, lambda: steps(run)[-1:] >= [far])
    second.kill()
    assert newest(run)[0] == checkpoints(run)[-1]

    third = process("train", "--resume", run, before=DIES_WRITING)
    assert (third.wait(), third.out, third.err) == (-signal.SIGKILL, "", "")
    assert sum(name.startswith(".") for name in saved(run)) == 1
    assert newest(run)[0] == checkpoints(run)[-1]

    assert main("train", "--resume", run) == 0
    assert saved(run) == ["step-00000045.ckpt", "step-00000050.ckpt"]
    assert same_end(run, whole)
    assert steps(run) == list(range(1, 51))
    seconds = [float(row["seconds"]) for row in rows(run)]
    assert seconds == sorted(seconds)


def test_finished_run_says_so_and_goes_on_for_more_steps(plain, tmp_path, capsys):
    options = {**OPTIONS, "steps": 6}
    run = tmp_path / "run"
    ign.train("digits", out=run, **options)
    before = state(run)
    assert main("train", "--resume", run) == 0
    assert "at step 6, its end" in capsys.readouterr().err
    assert before["global_step"] == state(run)["global_step"]
    assert main("train", "--resume", run, "--steps=3") == 2
    assert "beyond" in capsys.readouterr().err
    assert main("train", "--resume", run, "--steps=12") == 0
    assert same_end(run, plain)
    assert saved(run) == saved(plain)


@pytest.mark.parametrize(
    "word", ["--batch_size=4", "--network.width=8", "--seed=1", "--noise=spectral", "--ema=0"]
)
def test_what_would_make_it_another_run_is_refused(word, copy, capsys):
    before = (copy / "config.yaml").read_text(encoding="utf-8")
    assert main("train", "--resume", copy, "--steps=14", word) == 2
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert word[2:].partition("=")[0] in err
    assert "steps, every, log_every, horizon, trainer, compile, data" in err
    assert (copy / "config.yaml").read_text(encoding="utf-8") == before


def test_other_images_are_refused(copy, tmp_path, capsys):
    (tmp_path / "few").mkdir()
    for i in range(9):
        Image.new("L", (8, 8), i).save(tmp_path / "few" / f"{i}.png")
    assert main("train", "--resume", copy, "--steps=14", f"--data={tmp_path / 'few'}") == 2
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "[64, 1, 8, 8]" in err
    assert ", 8, 8]" in err.partition("holds")[2]


def test_no_run_is_refused(tmp_path, capsys):
    for word in (tmp_path, tmp_path / "nothing"):
        assert main("train", "--resume", word) == 2
    (tmp_path / "config.yaml").write_text("steps: 3\n", encoding="utf-8")
    assert main("train", "--resume", tmp_path) == 2
    assert "no checkpoint" in (err := capsys.readouterr().err)
    assert err.count("\n") == 3


@pytest.mark.parametrize("word", ["--out=x", "--init=x", "--force"])
def test_a_resumed_run_stays_where_it_is(word, copy, capsys):
    assert main("train", "--resume", copy, word) == 2
    assert word.partition("=")[0] in capsys.readouterr().err
    with pytest.raises(ValueError, match="continues in its own folder"):
        ign.train(resume=copy, out="elsewhere")


@pytest.mark.parametrize("content", ["a: [", "three", "widht: 3"])
def test_damaged_configuration(content, copy, capsys):
    (copy / "config.yaml").write_text(content, encoding="utf-8")
    assert main("train", "--resume", copy) == 2
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "config.yaml" in err or "widht" in err


def test_more_micro_batches_are_whole_steps(tmp_path, monkeypatch):
    run, seen = begin(tmp_path / "run", [*RICH, "--steps=3"]), []
    plain = Training.batch
    monkeypatch.setattr(
        Training, "batch", lambda self, *where: seen.append(where) or plain(self, *where)
    )
    words = ["--steps=5", "--trainer.accumulate_grad_batches=4"]
    assert main("train", "--resume", run, *words) == 0
    assert seen == [(step, first, 2) for step in (3, 4) for first in (0, 2, 4, 6)]


def damage(checkpoint, how):
    content = bytearray(checkpoint.read_bytes())
    if how == "flipped":
        content[len(content) // 2] ^= 1
    else:
        del content[how if how < 1 else -how :]
    checkpoint.write_bytes(content)


@pytest.mark.parametrize("how", [0, 1, 100, 10_000, "flipped"])
def test_damaged_checkpoint_is_named_and_the_one_before_it_taken(how, plain, copy, capsys):
    first, second = checkpoints(copy)
    damage(second, how)
    assert main("train", "--resume", copy) == 0
    _, err = capsys.readouterr()
    assert err == f"{copy}: {second.name} damaged; continuing from {first.name}\n"
    assert same_end(copy, plain)
    assert steps(copy) == list(range(1, 13))


def test_damaged_checkpoints_only(copy, capsys):
    for checkpoint in checkpoints(copy):
        damage(checkpoint, 50)
    assert main("train", "--resume", copy) == 2
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert all(checkpoint.name in err for checkpoint in checkpoints(copy))


def test_no_truncated_file_is_taken_for_a_checkpoint(copy):
    first, second = checkpoints(copy)
    content = second.read_bytes()
    for _ in range(100):
        second.write_bytes(content[: random.randrange(len(content))])
        assert newest(copy) == (first, [second])
    second.write_bytes(content)
    assert newest(copy) == (second, [])


def test_stale_checkpoints_of_a_damaged_future_go(copy, monkeypatch):
    damage(checkpoints(copy)[-1], 100)
    with monkeypatch.context() as planted:
        each_micro_batch(planted, lambda n: n == 2 and os.kill(os.getpid(), signal.SIGTERM))
        assert main("train", "--resume", copy) == 143
    assert saved(copy) == ["step-00000008.ckpt", "step-00000010.ckpt"]
