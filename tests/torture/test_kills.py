"""A run that is killed, however, goes on to the bits of a run that is not."""

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
import torch
from torture import command
from training.runs import same_end, steps

WORDS = [*command.TINY, "--steps=6", "--every=2", "--network.norm=role", "--denoise=0.5"]
TOUCHING = ("open", "os.mkdir", "os.rename", "os.remove", "shutil.rmtree", "os.truncate")
"""Operations on files, as Python's audit events name them."""


def operations(out: Path, act: Callable[[int], object]) -> Callable[[], None]:
    """Call ``act`` with the number of each file operation in a folder, before it is done."""
    number = count(1)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in TOUCHING and str(arguments[0]).startswith(str(out)):
            act(next(number))

    return lambda: sys.addaudithook(hook)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dies_at(out: Path, number: int) -> Callable[[], None]:
    return operations(out, lambda n: die() if n == number else None)


def dies_in_a_file_of(most: int) -> Callable[[], None]:
    """The process is killed when a file grows beyond so many bytes, which are written."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        command.limit_files(most)

    return limit


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The run that nobody kills."""
    out = tmp_path_factory.mktemp("whole") / "run"
    with command.world() as place:
        result = command.run(place, "train", "digits", *WORDS, "--out", out)
        assert result.status == 0, result
    return out


def goes_on(place: command.World, attempt, whole: Path) -> None:
    """Go on as a user would: resume; where there is nothing to resume, start again."""
    result = attempt(place, "train", "--resume", place.out, named=(str(place.out),))
    if result.status == 2:
        assert not list((place.out / "checkpoints").glob("step-*.ckpt")), result
        force = ["--force"] * place.out.exists()
        result = attempt(place, "train", "digits", *WORDS, "--out", place.out, *force)
    assert result.status == 0, result
    assert same_end(place.out, whole)
    assert steps(place.out) == list(range(1, 7))
    left = [p for p in place.out.rglob(".*") if p.name != ".lock"]
    assert not left, left


def killed(place: command.World, attempt, whole: Path, before: Callable[[], object]) -> bool:
    """Kill one run, go on with it, and say whether it was killed before its end."""
    shutil.rmtree(place.out, ignore_errors=True)
    first = place.snapshot()
    result = command.run(place, "train", "digits", *WORDS, "--out", place.out, before=before)
    assert result.status in (0, -signal.SIGKILL, -signal.SIGXFSZ), result
    assert place.snapshot() == first
    goes_on(place, attempt, whole)
    return result.status < 0


@pytest.mark.promise("kills")
def test_killed_at_each_file_operation(whole, attempt, many, world):
    tally = world.root / "tally"

    def write(number: int) -> None:
        fd = os.open(tally, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.write(fd, str(number).encode())
        os.close(fd)

    words = ("train", "digits", *WORDS, "--out", world.out)
    assert command.run(world, *words, before=operations(world.out, write)).status == 0
    last = int(tally.read_text(encoding="ascii"))
    assert last > 30
    tally.unlink()
    numbers = random.Random(0).sample(range(1, last + 1), min(last, many(3, 50)))
    deaths = [killed(world, attempt, whole, dies_at(world.out, n)) for n in numbers]
    assert sum(deaths) >= 0.9 * len(numbers)


@pytest.mark.promise("kills")
def test_killed_in_the_middle_of_a_file(whole, attempt, many, world):
    sizes = sorted({p.stat().st_size for p in whole.rglob("*") if p.is_file()})
    limits = [random.Random(1).randrange(1, size) for size in sizes]
    for most in limits[:: many(4, 1)]:
        assert killed(world, attempt, whole, dies_in_a_file_of(most))


@pytest.mark.promise("kills")
def test_killed_at_random_moments(whole, attempt, many, world):
    shutil.rmtree(world.out, ignore_errors=True)
    began = time.monotonic()
    words = ("train", "digits", *WORDS, "--out", world.out)
    assert command.run(world, *words).status == 0
    seconds, chance = time.monotonic() - began, random.Random(2)
    for _ in range(many(1, 20)):
        shutil.rmtree(world.out)
        running = command.start(world, *words)
        time.sleep(chance.uniform(0, seconds))
        os.kill(running.child, signal.SIGKILL)
        assert running.wait().status in (0, -signal.SIGKILL)
        goes_on(world, attempt, whole)


@pytest.mark.promise("kills")
def test_killed_again_and_again(whole, attempt, many, world):
    """Each process dies at its twentieth to sixtieth file operation; the last one ends the run."""
    chance, kills = random.Random(3), 0
    words = ["train", "digits", *WORDS, "--out", world.out]
    for _ in range(many(3, 15)):
        result = command.run(world, *words, before=dies_at(world.out, chance.randrange(20, 60)))
        kills += result.status == -signal.SIGKILL
        if list((world.out / "checkpoints").glob("step-*.ckpt")):
            words = ["train", "--resume", world.out]
        elif world.out.exists():
            words = ["train", "digits", *WORDS, "--out", world.out, "--force"]
    assert kills > 0
    goes_on(world, attempt, whole)


@pytest.mark.promise("kills")
def test_checkpoints_are_equal_when_nothing_happens(whole, attempt, world):
    """What the other tests compare does not differ by itself."""
    words = ("train", "digits", *WORDS, "--out", world.out)
    assert attempt(world, *words).status == 0
    assert same_end(world.out, whole)
    assert torch.load(sorted((whole / "checkpoints").iterdir())[-1], weights_only=True)
