"""A command in a world of its own, and the rules that every command obeys there."""

import contextlib
import hashlib
import io
import os
import resource
import shutil
import signal
import stat
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

TINY = [
    "--size=8", "--limit=16", "--batch_size=2", "--steps=2", "--every=1", "--log_every=1",
    "--network.width=1", "--match.weight=0", "--adversarial.weight=0", "--code.weight=0",
    "--code.own_weight=0",
    "--adversarial.reconstruction_weight=0", "--denoise=0", "--device=cpu",
    "--trainer.precision=32",
]  # fmt: skip
"""The shortest run of ``ign train``."""

SECONDS = 120
"""A command that takes longer hangs."""

MEMORY = 2 * 2**30
"""The bytes that a command may take besides those that it begins with."""

CACHES = ("cache/", "home/.config", "home/.cache", "tmp/torchinductor_")
"""Where matplotlib, torch and ign keep caches."""

REPORT = "tmp/ign-"
"""Where an error that was not expected is written; such an error is a broken rule."""


NOTICES = ("skipped", "  ", "not calibrated", "warning: ")
"""How lines begin that may stand beside the one line of status 2."""


class Result(NamedTuple):
    """What a command leaves: exit status, and the bytes on its standard output and error."""

    status: int
    out: bytes
    err: bytes


@dataclass(frozen=True)
class World:
    """Folders that a command can reach; it may write to ``out`` and nowhere else.

    Args:
        root: Holds all others.
        environment: Variables of the command; None removes one.
    """

    root: Path
    environment: dict[str, str | None] = field(default_factory=dict)

    @property
    def inputs(self) -> Path:
        """What the command reads."""
        return self.root / "inputs"

    @property
    def work(self) -> Path:
        """Its working folder."""
        return self.root / "work"

    @property
    def out(self) -> Path:
        """Where it writes; absent at first."""
        return self.root / "out"

    def snapshot(self) -> dict[str, tuple[object, ...]]:
        """All that lies outside ``out``: kinds, permissions, times of change and contents."""
        found: dict[str, tuple[object, ...]] = {}
        waiting = [os.fsencode(self.root)]
        while waiting:
            for entry in os.scandir(waiting.pop()):
                if entry.path == os.fsencode(self.out):
                    continue
                status = entry.stat(follow_symlinks=False)
                known: tuple[object, ...] = (stat.S_IFMT(status.st_mode), status.st_mode)
                if entry.is_symlink():
                    known += (os.readlink(entry.path),)
                elif entry.is_dir():
                    waiting.append(entry.path)
                elif entry.is_file():
                    with open(entry.path, "rb") as file:
                        known += status.st_mtime_ns, hashlib.file_digest(file, "sha256").digest()
                name = os.path.relpath(os.fsdecode(entry.path), self.root)
                if not f"{name}/".startswith(CACHES) or "precious" in name:
                    found[name] = known
        return found


@contextlib.contextmanager
def world() -> Iterator[World]:
    """A world with somebody else's files in each folder."""
    root = Path(tempfile.mkdtemp(prefix="ign-"))
    try:
        for name in ("home", "tmp", "work", "cache", "inputs"):
            (root / name).mkdir()
            if name != "inputs":
                (root / name / "precious.txt").write_text("somebody else's", encoding="utf-8")
        folders = {"HOME": "home", "TMPDIR": "tmp", "XDG_CACHE_HOME": "cache"}
        yield World(root, {name: str(root / folder) for name, folder in folders.items()})
    finally:
        shutil.rmtree(root, ignore_errors=True)


class Running(NamedTuple):
    """A command in a forked process; each is to be waited for.

    Args:
        child: The process.
        words: The command.
        out: The pipe of its standard output.
        err: The pipe of its standard error.
    """

    child: int
    words: tuple[object, ...]
    out: int
    err: int

    def wait(self, seconds: float = SECONDS) -> Result:
        """What it leaves; it is killed after so many seconds.

        Raises:
            TimeoutError: It took too long.
        """
        found: dict[int, bytes] = {self.out: b"", self.err: b""}
        end, pause, status = time.monotonic() + seconds, 0.001, None
        while status is None and time.monotonic() < end:
            done, code = os.waitpid(self.child, os.WNOHANG)
            status = os.waitstatus_to_exitcode(code) if done else None
            for pipe in found:
                found[pipe] += _read(pipe)
            time.sleep(0 if done else pause)
            pause = min(2 * pause, 0.02)
        if status is None:
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
        os.close(self.out)
        os.close(self.err)
        if status is None:
            raise TimeoutError(f"{self.words} takes over {seconds} s: {found[self.err]!r}")
        return Result(status, found[self.out], found[self.err])


def _read(pipe: int) -> bytes:
    """All that a pipe holds now."""
    found = b""
    with contextlib.suppress(BlockingIOError):
        while part := os.read(pipe, 2**16):
            found += part
    return found


def start(place: World, *words: object, before: Callable[[], object] = lambda: None) -> Running:
    """Begin ``ign WORDS`` in a forked process.

    Args:
        place: Gives the working folder and the environment.
        *words: Texts, paths, or names in bytes.
        before: Called in the new process first.
    """
    out, err = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        _become(place, out[1], err[1], before, words)
    for read, write in (out, err):
        os.close(write)
        os.set_blocking(read, False)
    return Running(child, words, out[0], err[0])


def run(
    place: World,
    *words: object,
    before: Callable[[], object] = lambda: None,
    seconds: float = SECONDS,
) -> Result:
    """Run ``ign WORDS`` to its end, as :func:`start` and :meth:`Running.wait` do."""
    return start(place, *words, before=before).wait(seconds)


def _become(
    place: World, out: int, err: int, before: Callable[[], object], words: tuple[object, ...]
) -> None:
    """Be the command, and end."""
    status = 70
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), encoding="utf-8")
        sys.stderr = io.TextIOWrapper(
            io.FileIO(2, "w"), encoding="utf-8", errors="backslashreplace", write_through=True
        )
        _environment(place.environment)
        tempfile.tempdir = None
        os.chdir(place.work)
        _limit(resource.RLIMIT_AS, _size() + MEMORY)
        before()
        from ign.cli import main

        status = main([os.fsdecode(w) if isinstance(w, bytes) else str(w) for w in words])
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(status)


def _environment(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def _size() -> int:
    """The bytes of address space that this process has."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _limit(kind: int, value: int) -> None:
    resource.setrlimit(kind, (value, resource.getrlimit(kind)[1]))


def files_of(most: int) -> Callable[[], None]:
    """To give :func:`run` as ``before``: no file grows beyond so many bytes, as on a full disk."""

    return lambda: limit_files(most)


def limit_files(most: int) -> None:
    """Let no file of this process grow beyond so many bytes."""
    _limit(resource.RLIMIT_FSIZE, most)


def faults(result: Result, *named: str) -> list[str]:
    """The rules that a result breaks, a line for each.

    The exit status is 0; 1 where memory ran out or one of the ``named`` files is named; or 2,
    where standard error holds one line that begins with ``ign``. Skipped images, images at fault
    and notices have lines of their own. No control character reaches a pipe.

    Args:
        result: What the command left.
        *named: Parts of names, of which a command with status 1 gives at least one.
    """
    found = []
    said = (result.out + result.err).decode("utf-8", "replace")
    if result.status not in (0, 1, 2):
        found.append(f"exit status {result.status}")
    if "Traceback" in said:
        found.append("a traceback")
    if raw := sorted({c for c in said if (c < " " and c not in "\n\t") or c == "\x7f"}):
        found.append(f"raw control characters {raw}")
    if "details for a bug report" in said and "out of memory" not in said:
        found.append("an error that the command did not expect")
    known = (*named, "out of memory")
    if result.status == 1 and not any(name in said for name in known):
        found.append("exit status 1 and no file is named")
    if result.status == 2:
        lines = result.err.decode("utf-8", "replace").removesuffix("\n").split("\n")
        lines = [x for x in lines if not x.startswith(NOTICES)]
        if len(lines) != 1 or not lines[0].startswith("ign"):
            found.append(f"exit status 2 with {len(lines)} lines")
    return [f"{fault}: {result.err[-600:]!r}" for fault in found]


def attempt(
    place: World,
    *words: object,
    named: tuple[str, ...] = (),
    before: Callable[[], object] = lambda: None,
    seconds: float = SECONDS,
) -> Result:
    """Run a command; fail where it breaks a rule or changes a file outside of ``out``."""
    first = place.snapshot()
    result = run(place, *words, before=before, seconds=seconds)
    broken = faults(result, *named)
    assert not broken, f"{words}: {broken}"
    then = place.snapshot()
    changed = sorted(k for k in first.keys() | then.keys() if first.get(k) != then.get(k))
    changed = [k for k in changed if k in first or not k.startswith(REPORT)]
    assert not changed, f"{words}: created, changed or deleted {changed}"
    return result
