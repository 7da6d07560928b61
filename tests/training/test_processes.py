"""Several processes train what one does, stop and go on together, and end together."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from together import command
from training.runs import RICH, TINY, begin, main, rows, same, same_end, saved, state, steps

from ign import IGN

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = "from ign.cli import main\nraise SystemExit(main())\n"
PAIR = ["--trainer.devices=2", "--trainer.strategy=ddp"]
SHARDED = "--trainer.strategy=fsdp"
EXACT = [*RICH, "--trainer.precision=32"]


@pytest.fixture
def start(tmp_path):
    """A command in a group of processes of its own, where torchrun is."""

    def start(*words: object, **more: object) -> subprocess.Popen[str]:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        place = f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"
        threads = {"OMP_NUM_THREADS": "1", "PATH": path, "PYTHONPATH": place}
        return subprocess.Popen(
            [str(word) for word in words], cwd=tmp_path, start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **threads, **{k: str(v) for k, v in more.items()}},
        )  # fmt: skip

    return start


@pytest.fixture
def ign(start, tmp_path):
    """``ign WORDS`` from a script, which starts its other processes by itself."""
    script = tmp_path / "command.py"
    script.write_text(SCRIPT, encoding="utf-8")
    return lambda *words: start(sys.executable, script, *words)


def close(a: Path, b: Path) -> bool:
    """Whether two runs ended with the same weights, averages and moments to rounding."""
    one, two = state(a), state(b)
    pairs = [(one["state_dict"][k], two["state_dict"][k]) for k in one["state_dict"]]
    for x, y in zip(*(s["optimizer_states"][0]["state"].values() for s in (one, two)), strict=True):
        pairs += [(x["exp_avg"], y["exp_avg"])]
    return one["global_step"] == two["global_step"] and all(
        (x.double() - y.double()).abs().max() <= 3e-4 * y.double().abs().max() + 3e-5
        for x, y in pairs
    )


def cut(run: Path, out: Path) -> Path:
    """The run as it was at its last checkpoint but one."""
    shutil.copytree(run, out)
    (out / "checkpoints" / saved(out)[-1]).unlink()
    return out


def test_torchrun_trains_what_one_process_does(start, tmp_path):
    words = [*TINY, "--steps=4", "--flip=true", "--match.weight=5",
             "--adversarial.weight=0.3", "--match.anchors=16", "--denoise=0.5"]  # fmt: skip
    script = ROOT / "examples" / "torchrun" / "train.sh"
    running = start("bash", script, "digits", *words, "--out=two", PROCESSES=2)
    out, err = running.communicate(timeout=300)
    assert (running.returncode, said(err)) == (0, "")
    assert out == "model: two/model   samples: two/samples   next: ign sample two\n"
    assert steps(tmp_path / "two") == [1, 2, 3, 4]
    assert close(tmp_path / "two", begin(tmp_path / "one", words))
    for one, two in zip(rows(tmp_path / "one"), rows(tmp_path / "two"), strict=True):
        for term in ("total", "rec", "idem", "tight", "match"):
            assert float(one[term]) == pytest.approx(float(two[term]), abs=1e-4), term


@pytest.mark.parametrize("more", [[], [SHARDED]], ids=["ddp", "fsdp"])
def test_only_the_first_process_writes(more, tmp_path):
    for rank in "01":
        (tmp_path / rank).mkdir()
    assert command(2, "train", "digits", *TINY, "--steps=4", *more, folder=tmp_path) == [0, 0]
    assert not list((tmp_path / "1").rglob("*"))
    run = tmp_path / "0" / "runs" / "digits"
    files = sorted(str(p.relative_to(run)) for p in run.rglob("*") if p.is_file())
    assert files.pop().startswith("tensorboard/events")
    assert files == [
        "checkpoints/step-00000004.ckpt", "config.yaml", "metrics.csv", "model/config.json",
        "model/model.safetensors", "samples/step-00000004.png",
    ]  # fmt: skip
    assert IGN.from_pretrained(run).sample(2).isfinite().all()


@pytest.fixture(scope="module")
def spread(tmp_path_factory):
    """The run EXACT by several processes."""
    folder = tmp_path_factory.mktemp("spread")
    for name, world, more in (("2", 2, []), ("4", 4, []), ("shards", 2, [SHARDED])):
        words = ["train", "digits", *EXACT, *more, f"--out={folder / name}"]
        assert command(world, *words) == [0] * world
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run EXACT by one process."""
    return begin(tmp_path_factory.mktemp("exact") / "run", EXACT)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["2", "4", "shards"])
def test_runs_are_those_of_one_process(name, spread, whole):
    assert close(spread / name, whole)
    assert steps(spread / name) == steps(whole)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "world", "more"),
    [
        ("2", 1, []), ("2", 4, []), ("4", 2, []), ("4", 1, []), ("1", 2, []), ("1", 4, []),
        ("shards", 1, ["--trainer.strategy=auto"]), ("shards", 4, []), ("1", 2, [SHARDED]),
        ("shards", 4, ["--trainer.strategy=ddp"]),
    ],
)  # fmt: skip
def test_goes_on_with_another_number_of_processes(name, world, more, spread, whole, tmp_path):
    run = cut(whole if name == "1" else spread / name, tmp_path / "run")
    assert command(world, "train", "--resume", run, *more) == [0] * world
    assert saved(run)[-1] == "step-00000012.ckpt"
    assert close(run, whole)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "world"), [("2", 2), ("shards", 2)])
def test_goes_on_with_the_same_number_to_the_bit(name, world, spread, tmp_path):
    run = cut(spread / name, tmp_path / "run")
    assert command(world, "train", "--resume", run) == [0] * world
    assert same_end(run, spread / name)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ign", "dcgan"])
def test_two_processes_take_the_step_of_one(method, ign, tmp_path):
    words = [*TINY, "--steps=1", f"--method={method}"]
    running = ign("train", "digits", *words, *PAIR, f"--out={tmp_path / 'two'}")
    out, err = running.communicate(timeout=300)
    assert (running.returncode, said(err)) == (0, "")
    assert out.count("\n") == 1
    begin(tmp_path / "one", words)
    one, two = (state(tmp_path / name)["optimizer_states"][0]["state"] for name in ("one", "two"))
    for a, b in zip(one.values(), two.values(), strict=True):
        assert (a["exp_avg"] - b["exp_avg"]).abs().max() < 1e-6 * a["exp_avg"].abs().max() + 1e-7


def said(err: str) -> str:
    """What a command printed on stderr, without the lines about its progress."""
    ends, starts = (" left\n", " fused Adam\n"), ("about ", "step ")
    lines = err.splitlines(keepends=True)
    return "".join(x for x in lines if not (x.endswith(ends) or x.startswith(starts)))


def until(running, run: Path, count: int) -> None:
    """Wait until a run has so many rows."""
    while not ((run / "metrics.csv").is_file() and len(rows(run)) > count):
        assert running.poll() is None, running.communicate()
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_two_processes_stop_and_go_on(name, ign, tmp_path):
    run, words = tmp_path / "run", [*TINY, *PAIR, "--steps=200", "--every=100"]
    running = ign("train", "digits", *words, f"--out={run}")
    until(running, run, 5)
    os.killpg(running.pid, signal.Signals[name])
    out, err = running.communicate(timeout=120)
    assert (running.returncode, out) == (128 + signal.Signals[name], "")
    assert said(err).count("\n") == 1
    assert saved(run) == [f"step-{steps(run)[-1]:08d}.ckpt"]
    again = ign("train", "--resume", run)
    out, err = again.communicate(timeout=300)
    assert (again.returncode, said(err)) == (0, "")
    assert steps(run) == list(range(1, 201))
    whole = ign("train", "digits", *words, f"--out={tmp_path / 'whole'}")
    assert said(whole.communicate(timeout=300)[1]) == ""
    assert same(state(run)["state_dict"], state(tmp_path / "whole")["state_dict"])


LAUNCH = ("torchrun", "--standalone", "--nproc-per-node=2", "-m", "ign")


def workers(parent: int) -> dict[str, int]:
    """The processes that torchrun started, by their ranks."""
    found = {}
    for line in Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split():
        place = Path(f"/proc/{line}/environ").read_bytes().decode().split("\0")
        rank = next((x.partition("=")[2] for x in place if x.startswith("RANK=")), "")
        found[rank] = int(line)
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds ranks in /proc")
@pytest.mark.parametrize("victim", ["0", "1"])
def test_dead_process_ends_the_job_and_a_checkpoint_stays(victim, start, tmp_path):
    run, words = tmp_path / "run", [*TINY, "--steps=400", "--every=5"]
    running = start(*LAUNCH, "train", "digits", *words, f"--out={run}")
    until(running, run, 12)
    killed = time.monotonic()
    os.kill(workers(running.pid)[victim], signal.SIGKILL)
    out, err = running.communicate(timeout=100)
    assert time.monotonic() - killed < 60
    assert (running.returncode, out) == (1, "")
    assert "Signal 9 (SIGKILL)" in err
    if victim == "1":
        line = next(line for line in err.splitlines() if line.startswith("ign train: lost another"))
        kept = saved(run)[-1]
        assert line.endswith(f"kept: {kept} and its model; continue with: ign train --resume {run}")
    assert IGN.from_pretrained(run).sample(2).isfinite().all()
    end = f"--steps={int(saved(run)[-1][5:13]) + 5}"
    assert main("train", "--resume", run, end) == 0
    assert close(run, begin(tmp_path / "one", [*words, end]))


@pytest.mark.slow
def test_torchrun_passes_a_signal_on_and_the_run_goes_on(start, tmp_path):
    run, words = tmp_path / "run", [*TINY, "--steps=5000", "--every=1000"]
    running = start(*LAUNCH, "train", "digits", *words, SHARDED, f"--out={run}")
    until(running, run, 5)
    running.send_signal(signal.SIGTERM)
    _, err = running.communicate(timeout=100)
    assert running.returncode != 0
    assert f"continue with: ign train --resume {run}" in err
    assert saved(run) == [f"step-{steps(run)[-1]:08d}.ckpt"]


def test_scripts_are_sound():
    for name in ("torchrun/train.sh", "slurm/train.sbatch"):
        script = ROOT / "examples" / name
        subprocess.run(["bash", "-n", script], check=True)
        if shutil.which("shellcheck"):
            subprocess.run(["shellcheck", script], check=True)


def test_torchrun_script_needs_a_place_to_meet(start):
    running = start("bash", ROOT / "examples" / "torchrun" / "train.sh", "digits", NODES=2)
    assert "NODES=2 needs HEAD" in running.communicate(timeout=60)[1]
    assert running.returncode == 2


@pytest.mark.slow
def test_slurm_script_begins_and_goes_on(start, tmp_path):
    """With srun and scontrol played by scripts, on one machine of two processes."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("srun", 'shift\nexec "$@"'), ("scontrol", "echo localhost")):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    job = {
        "PATH": path, "SLURM_JOB_NODELIST": "localhost", "SLURM_NNODES": 1, "SLURM_JOB_ID": 7,
        "SLURM_GPUS_ON_NODE": 2, "SLURM_NTASKS": 1, "SLURM_JOB_NAME": "ign",
        "RUN": tmp_path / "run",
    }  # fmt: skip
    script = ROOT / "examples" / "slurm" / "train.sbatch"
    at_end = f"{job['RUN']} is at step 12, its end; give more --steps to continue\n"
    for expected in ("", at_end):
        running = start("bash", script, "digits", *TINY, **job)
        out, err = running.communicate(timeout=300)
        assert (running.returncode, said(err)) == (0, expected)
        assert out.startswith(f"model: {job['RUN']}/model")
    assert torch.load(tmp_path / "run" / "checkpoints" / saved(tmp_path / "run")[-1])
