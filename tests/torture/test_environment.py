"""Odd environments, full disks, and commands that run at the same time."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from torture import command, hostile

VARIABLES = {
    "no HOME": {"HOME": None},
    "HOME is a file": {"HOME": "/dev/null"},
    "no TMPDIR": {"TMPDIR": "/nowhere"},
    "RANK": {"RANK": "3"},
    "WORLD_SIZE": {"RANK": "0", "WORLD_SIZE": "many"},
    "LOCAL_RANK": {"LOCAL_RANK": "3"},
    "SLURM": {"SLURM_NTASKS": "4", "SLURM_JOB_ID": "1", "SLURM_PROCID": "2"},
    "LANG": {"LANG": "C", "LC_ALL": "C"},
    "COLUMNS": {"COLUMNS": "-1", "TERM": "dumb", "NO_COLOR": "1"},
    "OMP": {"OMP_NUM_THREADS": "0"},
    "SOURCE_DATE_EPOCH": {"SOURCE_DATE_EPOCH": "x"},
}
SHORT = {
    "train": ["train", "digits", *command.TINY, "--out", "OUT"],
    "sample": ["sample", "digits", "-n", "2", "--out", "OUT"],
    "score": ["score", "digits", "PICTURE"],
}


def words(verb: str, place: command.World) -> list[str]:
    picture = place.inputs / "a.png"
    picture.write_bytes(hostile.image())
    given = {"OUT": str(place.out), "PICTURE": str(picture)}
    return [given.get(word, word) for word in SHORT[verb]]


@pytest.mark.promise("environments")
@pytest.mark.one_in(5)
@pytest.mark.parametrize("verb", SHORT)
@pytest.mark.parametrize("name", VARIABLES)
def test_variables(name, verb, attempt, world):
    world.environment.update(VARIABLES[name])
    result = attempt(world, *words(verb, world))
    assert result.status == 0, result


@pytest.mark.promise("environments")
@pytest.mark.one_in(3)
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-16"])
def test_encoding(encoding, tried, world):
    """A process of its own, since the encoding is set at its start."""
    (world.inputs / "é😀\u202e.png").write_bytes(hostile.image())
    tried()
    done = subprocess.run(
        [sys.executable, "-m", "ign", "score", "digits", world.inputs],
        env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    text = done.stdout.decode(encoding if encoding == "utf-16" else "latin-1")
    assert text.count("\n") == 2


@pytest.mark.promise("environments")
def test_closed_pipe(tried, world):
    tried()
    process = subprocess.Popen(
        [sys.executable, "-m", "ign", "info", "digits"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), err) == (141, b"")


@pytest.mark.promise("environments")
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_working_folder_that_cannot_be_written(attempt, world):
    world.work.chmod(0o500)
    result = attempt(world, "train", "digits", *command.TINY)
    assert result.status == 2
    assert b"runs" in result.err


VERBS = {
    "sample": "sample digits -n 4 --out {out} --force",
    "project": "project digits {data} --out {out} --force",
    "edit": "edit inpaint digits {data} --hole half:left --out {out} --force",
    "score": "score digits {data} --out {out}/a.csv --force",
    "maps": "score digits {data} --out {out}/a.csv --maps {out}/maps --force",
    "calibrate": "calibrate digits --data {data} --out {out} --force",
    "push": "push digits a/b --dry-run --out {out} --force",
    "export": "export digits --format torch --out {out}/a.pt2 --force",
    "onnx": "export digits --out {out}/a.onnx --force",
}
CHANGING = {"export": ("a.pt2",), "onnx": ("a.onnx",)}
"""Files whose bytes differ from one time to the next."""


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.mark.promise("disks")
@pytest.mark.one_in(4)
@pytest.mark.parametrize("verb", VERBS)
def test_full_disk(verb, attempt, many, world):
    """After a failure each file is as it was before, or whole; nothing else is left."""
    for i in range(25):
        (world.inputs / f"{i}.png").write_bytes(hostile.image(i))
    words = VERBS[verb].format(data=world.inputs, out=world.out).split()
    assert attempt(world, *words).status == 0
    whole = contents(world.out)
    sizes = sorted({len(content) for content in whole.values()})
    limits = [0, 40, *(size - 1 for size in sizes)]
    for most in limits[:: many(3, 1)][: many(2, 8)]:
        result = attempt(world, *words, before=command.files_of(most), named=(str(world.out),))
        assert result.status in (1, 2)
        assert str(world.out).encode() in result.err
        after = contents(world.out)
        assert after.keys() == whole.keys()
        assert [k for k in after if after[k] != whole[k] and k not in CHANGING.get(verb, ())] == []


@pytest.mark.promise("disks")
@pytest.mark.one_in(4)
@pytest.mark.parametrize("most", [300, 0, 2000, 20_000])
def test_full_disk_while_training(most, attempt, world):
    words = ["train", "digits", *command.TINY, "--out", world.out]
    result = attempt(world, *words, before=command.files_of(most), named=(str(world.out),))
    assert result.status in (1, 2), result
    full = str(world.out) if most else "TMPDIR"  # no temporary file can be written either
    assert full.encode() in result.err
    assert result.err.count(b"\n") == 1
    assert attempt(world, *words, *["--force"] * world.out.exists()).status == 0


@pytest.mark.promise("disks")
@pytest.mark.parametrize("verb", ["score digits {data}", "info digits", "info digits --json"])
def test_standard_output_that_is_full(verb, attempt, world):
    (world.inputs / "a.png").write_bytes(hostile.image())

    def full() -> None:
        os.dup2(os.open("/dev/full", os.O_WRONLY), 1)

    result = attempt(world, *verb.format(data=world.inputs).split(), before=full)
    assert result.status in (1, 2)
    assert b"No space left" in result.err


@pytest.mark.promise("disks")
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system takes root")
@pytest.mark.parametrize("verb", ["train", "sample"])
def test_small_file_system(verb, attempt, tmp_path, world):
    """ENOSPC from a real file system of 96 KiB."""
    world.out.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=96k", "none", str(world.out)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        out = world.out / "run"
        words = words_of(verb, out)
        result = attempt(world, *words, named=(str(world.out),))
        assert result.status in (1, 2), result
        assert b"No space left" in result.err
        assert result.err.count(b"\n") == 1
    finally:
        subprocess.run(["umount", str(world.out)], check=True)


def words_of(verb: str, out: Path) -> list[object]:
    if verb == "train":
        return ["train", "digits", *command.TINY, "--network.width=8", "--out", out]
    return ["sample", "digits", "-n", "500", "--out", out]


def both(place: command.World, first: list[object], second: list[object]) -> list[command.Result]:
    """Two commands that begin at the same time."""
    started = [command.start(place, *words) for words in (first, second)]
    return [one.wait() for one in started]


@pytest.mark.promise("races")
def test_two_runs_at_one_place(tried, many, world):
    """One is refused, or both end and the later one's run is whole."""
    for i in range(many(1, 5)):
        tried()
        out = world.out / str(i)
        words = ["train", "digits", *command.TINY, "--steps=6", "--out", out]
        results = both(world, words, words)
        assert not [f for r in results for f in command.faults(r, str(out))], results
        assert sorted(r.status for r in results) == [0, 2], results
        assert command.run(world, "sample", out, "-n", 2, "--out", out / "s").status == 0
        steps = (out / "metrics.csv").read_text(encoding="utf-8").split("\n")[1:-1]
        assert [row.partition(",")[0] for row in steps] == [str(n) for n in range(1, 7)]


@pytest.mark.promise("races")
def test_two_runs_without_a_place(tried, many, world):
    """Each gets a folder of its own under ``runs``."""
    for _ in range(many(1, 5)):
        tried()
        words = ["train", "digits", *command.TINY]
        results = both(world, words, words)
        assert [r.status for r in results] == [0, 0], results
        runs = sorted((world.work / "runs").iterdir())
        assert len([p for p in runs if (p / "model" / "config.json").exists()]) == 2
        shutil.rmtree(world.work / "runs")


@pytest.mark.promise("races")
def test_two_that_resume(tried, many, world):
    for i in range(many(1, 5)):
        tried()
        out = world.out / str(i)
        words = ["train", "digits", *command.TINY, "--out", out]
        assert command.run(world, *words).status == 0
        words = ["train", "--resume", out, "--steps=6"]
        results = both(world, words, words)
        assert not [f for r in results for f in command.faults(r, str(out))], results
        assert 0 in [r.status for r in results]
        steps = (out / "metrics.csv").read_text(encoding="utf-8").split("\n")[1:-1]
        assert [row.partition(",")[0] for row in steps] == [str(n) for n in range(1, 7)]
