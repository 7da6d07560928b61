"""What goes wrong ends in one line, and what was good before stays."""

import resource
import signal
from itertools import count

import pytest
import torch
from training.runs import OPTIONS, TINY, main, rows, saved, steps

import ign
import ign.model
from ign.io import weights
from ign.nn import DCGANAutoencoder
from ign.nn.ema import Average
from ign.training import Failure
from ign.training.callbacks import ProgressBar
from ign.training.journal import Journal

TRAIN = ["train", "digits", *TINY]


def fails(capsys, *words) -> str:
    """Run, and return the one line that is all that a failed run says."""
    assert main(*words) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("ign train: ")
    return err


def leftovers(run) -> list[str]:
    return [str(path) for path in run.rglob(".*")]


def loss_from(monkeypatch, step: int, change) -> None:
    """Change the total of each step from this one on."""
    plain, number = ign.IGNObjective.forward, count(1)

    def planted(self, *args, **named):
        losses = plain(self, *args, **named)
        if next(number) >= step:
            losses.total = change(losses.total)
        return losses

    monkeypatch.setattr(ign.IGNObjective, "forward", planted)


@pytest.mark.parametrize("log", [1, 100])
def test_nan_keeps_the_last_good_checkpoint(log, tmp_path, monkeypatch, capsys):
    loss_from(monkeypatch, 6, lambda total: total * float("nan"))
    run = tmp_path / "run"
    err = fails(capsys, *TRAIN, f"--log_every={log}", f"--out={run}")
    assert f"step {6 if log == 1 else 8}: the {'loss is nan' if log == 1 else 'weights'}" in err
    assert "kept: step-00000004.ckpt" in err
    assert saved(run) == ["step-00000004.ckpt"]
    model = ign.IGN.from_pretrained(run)
    assert model.about["steps"] == 4
    assert torch.isfinite(model.sample(8)).all()
    assert not leftovers(run)


def test_learning_rate_that_explodes(tmp_path, capsys):
    run = tmp_path / "run"
    err = fails(capsys, *TRAIN, "--learning_rate=1e30", "--every=1", f"--out={run}")
    assert "nothing was saved" in err
    assert "lower learning_rate" in err
    assert not (run / "model").exists()


def test_statistics_that_overflow_are_not_saved(tmp_path, monkeypatch, capsys):
    plain = Average.update

    def planted(self, network, step):
        plain(self, network, step)
        if step == 7:
            network.decoder[1].running_var.fill_(torch.inf)

    monkeypatch.setattr(Average, "update", planted)
    err = fails(capsys, *TRAIN, f"--out={tmp_path / 'run'}")
    assert "step 8: the weights or the images hold NaN or infinity" in err
    assert saved(tmp_path / "run") == ["step-00000004.ckpt"]


def collapse_from(monkeypatch, steps: int) -> None:
    """The network is the identity, and after these steps it maps everything to one image."""
    passes = []

    def planted(self, x):
        passes.extend([x] if self.training and not x.is_meta else [])
        scale = 0.0 if len(passes) > 3 * steps else 1.0
        return scale * x + 0 * sum(p.sum() for p in self.parameters())

    monkeypatch.setattr(DCGANAutoencoder, "forward", planted)


def test_collapse_stops_the_run(tmp_path, monkeypatch, capsys):
    collapse_from(monkeypatch, 6)
    run = tmp_path / "run"
    err = fails(capsys, *TRAIN, "--every=2", "--steps=40", f"--out={run}")
    assert "step 12: the samples have collapsed, their diversity is 0.000" in err
    assert "kept: step-00000006.ckpt" in err
    assert saved(run) == ["step-00000004.ckpt", "step-00000006.ckpt"]
    alive = [float(row["diversity"]) > 0.2 for row in rows(run) if row["diversity"]]
    assert alive == [True] * 3 + [False] * 3


def test_collapse_at_the_end_is_no_success(tmp_path, monkeypatch, capsys):
    collapse_from(monkeypatch, 11)
    assert "collapsed" in fails(capsys, *TRAIN, f"--out={tmp_path / 'run'}")
    assert saved(tmp_path / "run")[-1] == "step-00000008.ckpt"


def test_network_that_never_begins_to_differ(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ign.training.check.GRACE", 4)
    collapse_from(monkeypatch, 0)
    err = fails(capsys, *TRAIN, "--every=2", f"--out={tmp_path / 'run'}")
    assert "step 10: the samples have collapsed" in err


def test_what_was_alive_is_known_after_a_restart(tmp_path, monkeypatch, capsys):
    run = tmp_path / "run"
    with monkeypatch.context() as planted:
        collapse_from(planted, 100)
        assert main(*TRAIN, "--every=2", f"--out={run}") == 0
    capsys.readouterr()
    collapse_from(monkeypatch, 0)
    assert "collapsed" in fails(capsys, "train", "--resume", run, "--steps=30")
    assert saved(run)[-1] == "step-00000012.ckpt"


def full_disk(monkeypatch, place: str, call: int) -> None:
    """No file grows beyond 100 bytes during one call of a function."""
    module, name = place.rsplit(".", 1)
    owner = {"torch": torch, "ign.io.weights": weights, "Journal": Journal}[module]
    plain, number = getattr(owner, name), count(1)

    def planted(*args, **kwargs):
        if next(number) != call:
            return plain(*args, **kwargs)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        try:
            return plain(*args, **kwargs)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    monkeypatch.setattr(owner, name, planted)


@pytest.mark.parametrize(
    ("place", "call"), [("torch.save", 2), ("ign.io.weights.save_file", 2), ("Journal.write", 8)]
)
def test_full_disk_leaves_what_was_there(place, call, plain, tmp_path, monkeypatch, capsys):
    run = tmp_path / "run"
    with monkeypatch.context() as planted:
        full_disk(planted, place, call)
        err = fails(capsys, *TRAIN, f"--out={run}")
    assert f"cannot write to {run}" in err
    assert "kept: step-00000004.ckpt" in err
    assert (
        f"raise the limit on file sizes (ulimit -f), then continue with: ign train --resume {run}"
        in err
    )
    assert saved(run) == ["step-00000004.ckpt"]
    ign.IGN.from_pretrained(run).sample(2)
    assert not leftovers(run)
    assert main("train", "--resume", run) == 0
    assert saved(run) == saved(plain)
    assert steps(run) == list(range(1, 13))


def test_full_disk_at_the_first_checkpoint(tmp_path, monkeypatch, capsys):
    full_disk(monkeypatch, "ign.io.weights.save_file", 1)
    err = fails(capsys, *TRAIN, f"--out={tmp_path / 'run'}")
    assert "nothing was saved before" in err
    assert "--force" in err


def test_out_of_memory_is_one_line(tmp_path, monkeypatch, capsys):
    def planted(total):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\n...")

    loss_from(monkeypatch, 6, planted)
    err = fails(capsys, *TRAIN, f"--out={tmp_path / 'run'}")
    assert "out of memory at step 5; kept: step-00000004.ckpt" in err
    assert "accumulate_grad_batches" in err


def test_place_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(*TRAIN, f"--out={tmp_path / 'file' / 'run'}") == 2
    err = capsys.readouterr().err
    assert err.startswith(f"ign train: {tmp_path / 'file' / 'run'}")
    assert err.endswith(": Not a directory\n")


def test_failure_in_python_leaves_bar_and_signals_as_they_were(tmp_path, monkeypatch):
    ended = []
    monkeypatch.setattr(ProgressBar, "teardown", lambda self, *_: ended.append(self.live.stop()))
    loss_from(monkeypatch, 6, lambda total: total * float("nan"))
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(Failure, match="step 6: the loss is nan"):
        ign.train("digits", out=tmp_path / "run", **OPTIONS)
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
    assert ended
