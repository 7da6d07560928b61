"""A run is safe from other processes, from other data and configurations, and from its files."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
import yaml
from lightning.pytorch.utilities import rank_zero_only
from PIL import Image
from training.runs import TINY, begin, main, process, rows, same_end, saved, steps

import ign
from ign.core import memory
from ign.training import Failure, choose_folder
from ign.training.paths import checkpoints

PLACES = {
    "RANK": "1", "LOCAL_RANK": "1", "SLURM_PROCID": "1", "JSM_NAMESPACE_RANK": "1",
    "SLURM_NTASKS": "4",
}  # fmt: skip


@pytest.fixture
def copy(plain, tmp_path):
    return shutil.copytree(plain, tmp_path / "copy")


def finish(*words, **environment):
    """``ign WORDS`` in a process with more variables in its environment: status, out, err."""
    run = subprocess.run(
        [sys.executable, "-m", "ign", *map(str, words)],
        capture_output=True, text=True, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )  # fmt: skip
    return run.returncode, run.stdout, run.stderr


def refused(capsys, *words) -> str:
    """The one line with which a command is refused."""
    assert main(*words) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


def pretend(monkeypatch, name):
    """Set a variable of a cluster, and the rank that Lightning reads from it when imported."""
    monkeypatch.setenv(name, PLACES[name])
    monkeypatch.setitem(vars(rank_zero_only), "rank", int(name != "SLURM_NTASKS"))


@pytest.mark.parametrize("name", PLACES)
def test_variables_of_a_cluster_do_not_make_a_single_process_a_helper(
    name, plain, copy, monkeypatch, capsys
):
    pretend(monkeypatch, name)
    out = copy.parent / "new"
    assert main("train", "digits", *TINY, f"--out={out}") == 0
    assert capsys.readouterr().out.startswith(f"model: {out}/model")
    assert same_end(out, plain)
    pretend(monkeypatch, name)
    assert "holds a run" in refused(capsys, "train", "digits", *TINY, f"--out={copy}")
    pretend(monkeypatch, name)
    assert main("train", "--resume", copy, "--steps=13", "--learning_rate=0.002") == 0
    assert steps(copy)[-1] == 13


def test_failure_is_not_silent_in_a_process_with_a_rank(tmp_path):
    words = ["train", "digits", *TINY, "--learning_rate=1e30", f"--out={tmp_path / 'run'}"]
    status, _, err = finish(*words, RANK="1")
    assert status == 1
    assert "lower learning_rate" in err


@pytest.mark.parametrize("devices", ["0", "-2", "many"])
def test_impossible_devices_are_one_line(devices, tmp_path, capsys):
    words = [*TINY, f"--trainer.devices={devices}", f"--out={tmp_path / 'run'}"]
    assert f"trainer.devices {devices} must be" in refused(capsys, "train", "digits", *words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("more", [{}, {"SLURM_NTASKS_PER_NODE": "2"}])
def test_slurm_without_srun_is_one_line(more, tmp_path, monkeypatch, capsys):
    for name, value in {"SLURM_NTASKS": "2", **more}.items():
        monkeypatch.setenv(name, value)
    words = [*TINY, "--trainer.devices=2", f"--out={tmp_path / 'run'}"]
    err = refused(capsys, "train", "digits", *words)
    assert "srun" in err or "ntasks-per-node" in err


def test_new_names_are_given_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [str(choose_folder(None, "digits")) for _ in range(3)]
    assert names == ["runs/digits", "runs/digits-2", "runs/digits-3"]


def test_two_runs_without_a_place_take_different_ones(plain, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    running = [process("train", "digits", *TINY) for _ in range(2)]
    assert [one.wait() for one in running] == [0, 0]
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["digits", "digits-2"]
    for name in ("digits", "digits-2"):
        assert same_end(tmp_path / "runs" / name, plain)


def test_folder_of_a_run_that_did_not_begin_goes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    refused(capsys, "train", "digits", *TINY, "--data=/nowhere")
    refused(capsys, "train", "digits", *TINY, "--data=/nowhere", "--out=other")
    assert [p.name for p in tmp_path.rglob("*")] == ["runs"]
    (tmp_path / "mine").mkdir()
    refused(capsys, "train", "digits", *TINY, "--data=/nowhere", "--out=mine")
    assert (tmp_path / "mine").is_dir()


def content(run):
    """Every file of a run but its lock, with what it holds."""
    files = (p for p in run.rglob("*") if p.is_file() and p.name != ".lock")
    return {p: p.read_bytes() for p in files}


@pytest.mark.parametrize("words", [["--resume"], ["digits", *TINY, "--force", "--out"]])
def test_second_process_in_a_folder_is_refused(words, plain, copy, capsys):
    """The first one waits before its first step; when it is killed, its lock ends with it."""
    wait = (
        "import time\nfrom ign.training.module import Training\n"
        "Training.on_fit_start = lambda self: (print('here', flush=True), time.sleep(300))"
    )
    first = process("train", "--resume", copy, "--steps=16", before=wait)
    try:
        assert first.line() == "here"
        before = content(copy)
        err = refused(capsys, "train", *words, copy, *(["--steps=14"] * ("--resume" in words)))
        assert "another process is training there" in err
        assert content(copy) == before
    finally:
        first.kill()
    assert (copy / ".lock").exists()
    assert main("train", *words, copy) == 0
    assert not (copy / ".lock").exists()


def test_run_killed_before_its_configuration_can_be_started_again(plain, tmp_path):
    dies = (
        "import os, signal, yaml\n"
        "yaml.safe_dump = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)"
    )
    run = tmp_path / "run"
    first = process("train", "digits", *TINY, f"--out={run}", before=dies)
    assert (first.wait(), first.out, first.err) == (-signal.SIGKILL, "", "")
    temporary, lock = sorted(run.iterdir())
    assert (temporary.suffix, lock.name) == (".yaml", ".lock")
    assert same_end(begin(run, TINY), plain)
    assert not list(run.glob(".*"))


@pytest.fixture
def folder(tmp_path):
    """A folder of images, the run of 6 steps on it."""
    pictures = tmp_path / "images"
    pictures.mkdir()
    draw(pictures, 0)
    options = [*TINY, f"--data={pictures}", "--batch_size=4", "--every=2", "--steps=6"]
    begin(tmp_path / "run", options)
    return pictures


def draw(folder, seed):
    noise = np.random.default_rng(seed)
    for i in range(24):
        Image.fromarray(noise.integers(0, 256, (8, 8), np.uint8)).save(folder / f"{i}.png")


def test_other_pixels_are_refused_and_moved_ones_are_not(folder, tmp_path, capsys):
    run = tmp_path / "run"
    before = content(run)
    draw(folder, 1)
    capsys.readouterr()
    err = refused(capsys, "train", "--resume", run, "--steps=8")
    assert "not the images that the run was trained on" in err
    assert content(run) == before
    draw(folder, 0)
    moved = folder.rename(tmp_path / "moved")
    assert main("train", "--resume", run, "--steps=8", f"--data={moved}") == 0


@pytest.mark.parametrize(("name", "value"), [("seed", 7), ("learning_rate", 0.5), ("flip", True)])
def test_configuration_edited_meanwhile_is_refused(name, value, copy, capsys):
    file = copy / "config.yaml"
    values = yaml.safe_load(file.read_text(encoding="utf-8")) | {name: value}
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    before = content(copy)
    err = refused(capsys, "train", "--resume", copy, "--steps=14")
    assert f"{file}: {name} is {value}, but step-00000012.ckpt was trained with" in err
    assert content(copy) == before


def rewrite(checkpoint, change):
    values = torch.load(checkpoint, weights_only=True)
    change(values)
    torch.save(values, checkpoint)


def empty_archive(checkpoint):
    zipfile.ZipFile(checkpoint, "w").close()


def flip_name(checkpoint):
    """A bit of the name in a local header, which no checksum covers."""
    raw = bytearray(checkpoint.read_bytes())
    raw[30 + 3] ^= 1
    checkpoint.write_bytes(raw)


def enlarge(values):
    weights = values["state_dict"]
    name = next(k for k in weights if k.endswith("weight"))
    weights[name] = torch.full_like(weights[name], 1e300, dtype=torch.float64)


DAMAGES = {
    "an empty archive": empty_archive,
    "a header": flip_name,
    "nothing": lambda c: torch.save({}, c),
    "a list": lambda c: torch.save([1], c),
    "an object": lambda c: torch.save({"x": signal.SIGINT}, c),
    "no optimizer": lambda c: rewrite(c, lambda v: v.pop("optimizer_states")),
    "an empty optimizer": lambda c: rewrite(c, lambda v: v["optimizer_states"].clear()),
    "no moment": lambda c: rewrite(
        c, lambda v: v["optimizer_states"][0]["state"][0].pop("exp_avg")),
    "no loops": lambda c: rewrite(c, lambda v: v["loops"].clear()),
    "a weight less": lambda c: rewrite(c, lambda v: v["state_dict"].popitem()),
    "float64": lambda c: rewrite(c, enlarge),
    "NaN": lambda c: rewrite(
        c, lambda v: next(t for t in v["state_dict"].values() if t.is_floating_point())
        .view(-1)[:1].fill_(float("nan"))),
    "another step": lambda c: rewrite(c, lambda v: v.update(global_step=5)),
}  # fmt: skip


@pytest.fixture(scope="module")
def longer(tmp_path_factory):
    """The run TINY with two steps more."""
    return begin(tmp_path_factory.mktemp("longer") / "run", [*TINY, "--steps=14"])


@pytest.mark.parametrize("damage", DAMAGES)
def test_complete_but_unusable_checkpoint_falls_back(damage, longer, copy, capsys):
    first, second = checkpoints(copy)
    DAMAGES[damage](second)
    assert main("train", "--resume", copy, "--steps=14") == 0
    _, err = capsys.readouterr()
    assert err == f"{copy}: {second.name} damaged; continuing from {first.name}\n"
    assert same_end(copy, longer)


@pytest.mark.parametrize("damage", ["nothing", "a weight less", "an object"])
def test_no_usable_checkpoint_is_one_line_whose_advice_works(damage, plain, copy, capsys):
    for checkpoint in checkpoints(copy):
        DAMAGES[damage](checkpoint)
    err = refused(capsys, "train", "--resume", copy, "--steps=14")
    assert "weights_only" not in err
    words = shlex.split(err.partition("start again with: ")[2])
    assert main(*words[1:]) == 0
    assert same_end(copy, plain)


def lose(model):
    shutil.rmtree(model)


def cut(model):
    file = model / "model.safetensors"
    file.write_bytes(file.read_bytes()[:200])


def empty(model):
    (model / "config.json").write_text("{}", encoding="utf-8")


@pytest.mark.parametrize("damage", [lose, cut, empty])
def test_model_of_a_finished_run_is_restored(damage, plain, copy, capsys):
    damage(copy / "model")
    assert main("train", "--resume", copy) == 0
    assert "its model was missing or damaged and is restored" in capsys.readouterr().err
    assert same_end(copy, plain)
    ours, theirs = (ign.IGN.from_pretrained(run) for run in (copy, plain))
    assert ours.about == theirs.about
    assert torch.equal(ours.sample(3), theirs.sample(3))
    assert saved(copy) == saved(plain)
    assert steps(copy) == steps(plain)


def test_code_that_a_run_names_is_not_imported_without_trust(tmp_path, monkeypatch, capsys):
    code = tmp_path / "code"
    code.mkdir()
    text = "from pathlib import Path\nfrom ign.objective.distance import l2 as mine\n"
    text += f"Path({str(tmp_path / 'imported')!r}).touch()\n"
    (code / "ours.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(code)
    run = begin(tmp_path / "run", [*TINY, "--objective.distance=ours:mine"])
    (tmp_path / "imported").unlink()
    monkeypatch.delitem(sys.modules, "ours")
    capsys.readouterr()
    for more in ([], ["--steps=14"]):
        err = refused(capsys, "train", "--resume", run, *more)
        assert "ours:mine" in err
        assert "--trust-code" in err
    with pytest.raises(ValueError, match="trust_code=True"):
        ign.train(resume=run)
    assert not (tmp_path / "imported").exists()
    assert main("train", "--resume", run, "--steps=14", "--trust-code") == 0
    assert (tmp_path / "imported").exists()


def excel(text):
    lines = text.splitlines()
    return "\ufeff" + "\r\n".join(x.replace(",", ";").replace(".", ",") for x in lines) + "\r\n"


def joined(text):
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:4], lines[4].strip(), *lines[5:]])


JOURNALS = {
    "a byte order mark": (lambda t: "\ufeff" + t, range(1, 15)),
    "a spreadsheet": (excel, range(1, 15)),
    "joined rows": (joined, [n for n in range(1, 15) if n not in (4, 5)]),
    "half a row": (lambda t: t[:-60], [n for n in range(1, 15) if n != 12]),
    "words": (lambda t: t + "note,to,self\n\x00\n", range(1, 15)),
    "nothing": (lambda t: "", [13, 14]),
    "no step": (lambda t: t.replace("step,", "stop,"), [13, 14]),
    "bytes": (lambda t: t + "\udcff\n", range(1, 15)),
}


@pytest.mark.parametrize("how", JOURNALS)
def test_journal_never_blocks_a_run(how, copy):
    change, kept = JOURNALS[how]
    file = copy / "metrics.csv"
    text = change(file.read_text(encoding="utf-8"))
    file.write_bytes(text.encode("utf-8", errors="surrogateescape"))
    assert main("train", "--resume", copy, "--steps=14") == 0
    assert steps(copy) == list(kept)
    assert all(float(row["total"]) > 0 and float(row["seconds"]) > 0 for row in rows(copy))


def test_advice_after_a_failure_without_a_checkpoint_is_the_same_run(plain, tmp_path, capsys):
    run = tmp_path / "a run"
    with pytest.MonkeyPatch.context() as planted:
        planted.setattr(torch, "save", full)
        assert main("train", "digits", *TINY, f"--init={plain}", f"--out={run}") == 1
    err = capsys.readouterr().err
    assert "(No space left on device) at step 4; nothing was saved before" in err
    assert "free some disk space, then continue with: " in err
    assert main(*shlex.split(err.partition("continue with: ")[2])[1:]) == 0
    words = [*TINY, f"--init={plain}"]
    assert same_end(run, begin(tmp_path / "same", words))


def full(*_, **__):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("number", "text"),
    [(13, "make it writable"), (5, "step 4; nothing was saved before; continue")],
)
def test_advice_is_about_what_happened(number, text, tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(torch, "save", fail)
    assert main("train", "digits", *TINY, f"--out={tmp_path / 'run'}") == 1
    err = capsys.readouterr().err
    assert text in err
    assert "disk space" not in err


def test_disk_that_is_full_at_the_beginning_names_the_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ign.training.folder.to_yaml", full)
    err = refused(capsys, "train", "digits", *TINY, f"--out={tmp_path / 'run'}")
    assert err == f"ign train: {tmp_path / 'run' / 'config.yaml'}: No space left on device\n"


@pytest.mark.parametrize("size", [2 * 10**9, 10**12])
def test_batch_larger_than_memory_is_one_line(size, tmp_path, capsys):
    """No memory is filled before: on a computer of less than 2 TB, the first size is refused."""
    words = [*TINY, f"--batch_size={size}", f"--out={tmp_path / 'run'}"]
    err = refused(capsys, "train", "digits", *words)
    assert f"batch_size {size:,} needs about" in err
    assert "lower batch_size, or raise trainer.accumulate_grad_batches" in err
    assert not (tmp_path / "run").exists()


def test_batch_is_refused_by_its_activations_of_three_passes(monkeypatch, tmp_path, capsys):
    with torch.device("meta"):
        network = ign.nn.DCGANAutoencoder(1, 8, 4, "role")
    each = memory.activations(network, (1, 8, 8))
    assert each > 4 * 8 * 8 // 4  # at least the maps of the first layer
    monkeypatch.setattr("ign.core.memory.total", lambda: 3 * 4 * each * 5000 - 1)
    words = [*TINY, "--network.norm=role", f"--out={tmp_path / 'run'}"]
    assert "batch_size 5,000 needs" in refused(
        capsys, "train", "digits", *words, "--batch_size=5000"
    )
    parts = ["--batch_size=5000", "--trainer.accumulate_grad_batches=2", "--steps=1"]
    assert main("train", "digits", *words, *parts) == 0


def test_network_larger_than_memory_is_one_line(tmp_path, capsys):
    words = [*TINY, "--network.width=100000", f"--out={tmp_path / 'run'}"]
    err = refused(capsys, "train", "digits", *words)
    assert "GB of memory" in err
    assert "lower network.width" in err
    assert not (tmp_path / "run").exists()


def test_former_names_warn():
    import ign.training as training

    for old, new in (("Lost", "ProcessLostError"), ("leads", "is_first_process"),
                     ("place", "choose_folder")):  # fmt: skip
        with pytest.warns(DeprecationWarning, match=f"{old} is now ign.training.{new}"):
            assert getattr(training, old) is getattr(training, new)
    assert issubclass(training.ProcessLostError, Failure)
    assert not hasattr(training, "nothing")
