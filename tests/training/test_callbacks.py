"""What a person sees of a run."""

import re
import time
from io import StringIO
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console

from ign.training import callbacks
from ign.training.callbacks import ProgressBar, ReportLostProcess, print_line
from ign.training.failures import is_process_lost


def shown(terminal: bool, begin: int, end: int, total: int = 40, estimate=None) -> str:
    """What the bar of a run from one step to another writes, 80 columns wide."""
    file = StringIO()
    console = Console(file=file, force_terminal=terminal, width=80)
    names = ("total", "rec", "idem", "tight", "match")
    losses = dict(zip(names, torch.tensor([9.0, 0.5, 0.25, -0.125, 0.0]), strict=True))
    module = SimpleNamespace(losses=losses, config=SimpleNamespace(steps=total))
    trainer = SimpleNamespace(is_global_zero=True, global_step=begin)
    bar = ProgressBar(console, every=2, computation="on cpu: float32", estimate=estimate)
    bar.on_train_start(trainer, module)
    for trainer.global_step in range(begin + 1, end + 1):
        time.sleep(0.01)
        bar.on_train_batch_end(trainer, module)
    bar.teardown(trainer, module, "fit")
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", file.getvalue())


def test_terminal_shows_terms_count_and_time_left():
    first, *_, last = [line for line in shown(True, 10, 30).splitlines() if line.strip()]
    assert "on cpu: float32" in first
    assert "rec 0.5000  idem 0.2500  tight -0.1250" in last
    assert "match" not in last
    assert "30/40" in last
    assert re.search(r" 0:00:0\d$", last.rstrip())


@pytest.mark.parametrize("seconds", [0, 1000])
def test_elsewhere_a_line_now_and_then(seconds, monkeypatch):
    monkeypatch.setattr(callbacks, "SECONDS", seconds)
    lines = shown(False, 10, 14).split("\n")[:-1]
    if seconds:
        assert lines == []
    else:
        assert lines[0] == "on cpu: float32"
        assert [line.split("  ")[0] for line in lines[1:]] == ["step 12 of 40", "step 14 of 40"]
        assert all(re.search(r"  \d+ s left$", line) for line in lines[1:])


def test_no_step_is_reported_before_the_length_of_the_run(monkeypatch):
    class Known:
        done = False

        def after(self, step, steps):
            self.done = step >= 4
            return "about 2 h" if step == 4 else ""

    monkeypatch.setattr(callbacks, "SECONDS", 0)
    lines = shown(False, 0, 6, estimate=Known()).split("\n")[:-1]
    assert lines[:2] == ["on cpu: float32", "about 2 h"]
    assert [line.split("  ")[0] for line in lines[2:]] == ["step 4 of 40", "step 6 of 40"]


def test_line_is_printed_as_it_is():
    file = StringIO()
    print_line(Console(file=file, width=20), "/tmp/[red]/a folder of a very long name")
    assert file.getvalue() == "/tmp/[red]/a folder of a very long name\n"


GLOO = RuntimeError("[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:537] Connection reset")


@pytest.mark.parametrize(
    ("rank", "error", "wanted"),
    [
        (0, GLOO, "ign train: lost another process at step 7; nothing was saved before; continue"),
        (0, torch.distributed.DistBackendError("NCCL"), "ign train: lost another process"),
        (1, GLOO, ""),
        (3, torch.OutOfMemoryError("CUDA"), "ign train: process 3 is out of memory at step 7"),
        (0, torch.OutOfMemoryError("CUDA"), ""),
        (0, RuntimeError("shapes"), ""),
    ],
)
def test_what_ends_one_process_is_told_once(rank, error, wanted, tmp_path, capsys):
    trainer = SimpleNamespace(global_step=7, global_rank=rank)
    ReportLostProcess(tmp_path / "run").on_exception(trainer, None, error)
    err = capsys.readouterr().err
    assert err.startswith(wanted) if wanted else not err
    assert is_process_lost(error) == ("gloo" in str(error) or "NCCL" in str(error))
