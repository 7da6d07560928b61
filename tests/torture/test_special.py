"""What is no regular file, and records that are damaged."""

import gzip
import json
import os
import shutil
from pathlib import Path

import pytest
from torture import command, hostile

import ign

DIGITS = Path(ign.__file__).parent / "models" / "digits"
KINDS = {
    "folder": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "zeros": lambda path: path.symlink_to("/dev/zero"),
    "full": lambda path: path.symlink_to("/dev/full"),
    "null": lambda path: path.symlink_to("/dev/null"),
    "nowhere": lambda path: path.symlink_to("nowhere"),
    "itself": lambda path: path.symlink_to(path.name),
    "empty": Path.touch,
}
PLACES = {
    "score": "score digits {png}",
    "project": "project digits {png} --out {out}",
    "mask": "edit inpaint digits {good} --mask {png} --out {out}",
    "calibrate": "calibrate digits --data {zip} --out {out}",
    "train": "train --data {zip} TINY --out {out}",
    "info": "info {png}",
    "compare": "compare {json} --out {out}",
    "card": "push digits a/b --dry-run --card {md} --out {out}",
    "results": "push digits a/b --dry-run --results {json} --out {out}",
    "config": "train digits TINY --config {yaml} --out {out}",
    "resume": "train --resume {png}",
    "init": "train digits TINY --init {png} --out {out}",
    "features": "evaluate digits --data digits -n 10 --features {net} --out {out}",
}
FINE = {("empty", "config"), ("null", "config"), ("empty", "card"), ("folder", "resume")}
"""An empty configuration changes nothing."""
SECONDS = 45
"""What does not hang takes no longer, on a busy machine too."""


@pytest.mark.promise("special")
@pytest.mark.one_in(9)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_regular_file(kind, place, attempt, world):
    paths = {
        name: world.inputs / f"bad.{name if name != 'net' else 'safetensors'}"
        for name in ("png", "zip", "json", "md", "yaml", "net")
    }
    paths |= {"good": world.inputs / "good.png", "out": world.out}
    paths["good"].write_bytes(hostile.image())
    words = [word for part in PLACES[place].split() for word in
             (command.TINY if part == "TINY" else [part.format(**paths)])]  # fmt: skip
    KINDS[kind](next(p for p in paths.values() if str(p) in words and "bad" in p.name))
    status = attempt(world, *words, named=("bad.",), seconds=SECONDS).status
    assert status in (1, 2) or (kind, place) in FINE or place in ("card", "config", "resume")


@pytest.mark.promise("special")
@pytest.mark.one_in(3)
@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_regular_file_in_a_model(kind, file, attempt, world):
    model = world.inputs / "model"
    shutil.copytree(DIGITS, model)
    (model / file).unlink()
    KINDS[kind](model / file)
    assert attempt(world, "info", model, named=(file,), seconds=SECONDS).status == 2


@pytest.mark.promise("special")
@pytest.mark.one_in(3)
@pytest.mark.parametrize("kind", KINDS)
def test_no_regular_file_among_images(kind, attempt, world):
    """It is left out, or named; the images beside it are used."""
    (world.inputs / "good.png").write_bytes(hostile.image())
    KINDS[kind](world.inputs / "bad.png")
    result = attempt(world, "score", "digits", world.inputs, named=("bad.png",), seconds=SECONDS)
    assert result.status in (0, 1)
    assert b"good.png," in result.out


DEEP = b"[" * 100_000


def variants(content: bytes, count: int) -> list[bytes]:
    return [*hostile.damaged(content, count), DEEP, b"null", b"[1]", b"{}", b'{"a": 1}']


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory) -> Path:
    """A results.json."""
    from ign.cli import main

    folder = tmp_path_factory.mktemp("evaluated")
    with command.world() as place:
        data = place.inputs / "mnist"
        data.mkdir()
        for i in range(60):
            (data / f"{i}.png").write_bytes(hostile.image(i, side=28))
        words = ["train", "--data", data, *command.TINY, "--size=28", "--limit=60"]
        out = command.run(place, *words, "--out", place.out)
        assert out.status == 0, out
        words = ["evaluate", place.out, "--data", data, "-n", 20, "--neighbours", 2]
        assert main([str(w) for w in [*words, "--split", "test", "--out", folder]]) == 0
    return folder / "results.json"


@pytest.mark.promise("records")
def test_damaged_results(evaluated, attempt, many, world):
    file = world.inputs / "results.json"
    whole = evaluated.read_bytes()
    for content in variants(whole, many(4, 40)):
        file.write_bytes(content)
        attempt(
            world, "compare", file, "--out", world.out / "c", "--force", named=("results.json",)
        )
        words = ("--results", file, "--out", world.out / "p", "--force")
        attempt(world, "push", "digits", "a/b", "--dry-run", *words, named=("results.json",))
    for key in list(json.loads(whole)):
        for value in (None, 10**400, "\x1b[31m", [], {"a": float("nan")})[:: many(5, 1)]:
            file.write_text(json.dumps(json.loads(whole) | {key: value}), encoding="utf-8")
            words = ("--out", world.out / "c", "--force")
            attempt(world, "compare", file, *words, named=("results.json",))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A run."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    with command.world() as place:
        result = command.run(place, "train", "digits", *command.TINY, "--out", folder)
        assert result.status == 0, result
    return folder


@pytest.mark.promise("records")
@pytest.mark.parametrize("name", ["config.yaml", "metrics.csv", "checkpoint"])
def test_damaged_run(name, trained, attempt, many, world):
    for content in variants(file_of(trained, name).read_bytes(), many(3, 25)):
        shutil.rmtree(world.out, ignore_errors=True)
        shutil.copytree(trained, world.out)
        file_of(world.out, name).write_bytes(content)
        words = ("train", "--resume", world.out, "--steps=3")
        attempt(world, *words, named=(str(world.out),))


def file_of(run: Path, name: str) -> Path:
    return sorted((run / "checkpoints").glob("*"))[-1] if name == "checkpoint" else run / name


@pytest.mark.promise("records")
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_damaged_idx(suffix, attempt, many, world):
    head = bytes((0, 0, 8, 3)) + b"".join(n.to_bytes(4, "big") for n in (40, 10, 10))
    whole = head + bytes(range(100)) * 40
    whole = gzip.compress(whole, mtime=0) if suffix else whole
    for content in hostile.damaged(whole, many(4, 40), head=30):
        data = world.inputs / "data"
        data.mkdir(exist_ok=True)
        (data / f"train-images-idx3-ubyte{suffix}").write_bytes(content)
        words = ("--data", data, "--split", "all", "--out", world.out, "--force")
        attempt(world, "calibrate", "digits", *words, named=("idx3",))


@pytest.mark.promise("records")
def test_idx_that_unpacks_to_gigabytes(attempt, world):
    """It is larger than the memory that the command gets."""
    data = world.inputs / "data"
    data.mkdir()
    with gzip.open(data / "train-images-idx3-ubyte.gz", "wb", compresslevel=1) as file:
        file.write(bytes((0, 0, 8, 3)) + b"".join(n.to_bytes(4, "big") for n in (40, 10, 10)))
        for _ in range(3 * 2**10 // 16):
            file.write(bytes(2**24))
    words = ("--data", data, "--split", "all", "--out", world.out)
    assert attempt(world, "calibrate", "digits", *words, named=("idx3",)).status == 2
