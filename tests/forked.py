"""Processes that are forked from one which has imported what they need, and so begin at once."""

import io
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

PRELOAD = [
    "torch.distributed.fsdp", "lightning", "ign.training", "tensorboard", "sklearn.datasets",
    "matplotlib.pyplot", "ign.app.server", "forked",
]  # fmt: skip
COMMAND = "from ign.cli import main\nraise SystemExit(main())\n"
SECONDS = 300


def context() -> multiprocessing.context.ForkServerContext:
    """Where the processes of a test process come from."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(PRELOAD)
    return made


class Forked:
    """A process that runs Python code, with the environment and the folder of this one.

    Args:
        words: ``sys.argv`` without the name of the program.
        code: What is run.
        variables: More variables of its environment.
        folder: Where it runs; None for here.
    """

    def __init__(
        self,
        *words: object,
        code: str = COMMAND,
        variables: dict[str, str] | None = None,
        folder: Path | None = None,
    ):
        self.place = Path(tempfile.mkdtemp(prefix="ign-forked-"))
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **(variables or {})}
        given = [os.fspath(w) if isinstance(w, Path) else str(w) for w in words]
        self.process = context().Process(
            target=_run, args=(code, given, environment, folder or Path.cwd(), self.place),
            daemon=True,
        )  # fmt: skip
        self.process.start()

    @property
    def out(self) -> str:
        """Its standard output so far."""
        return self._read("out")

    @property
    def err(self) -> str:
        """Its standard error so far."""
        return self._read("err")

    @property
    def returncode(self) -> int | None:
        """The exit status, -n if signal n ended it; None while it runs."""
        return self.process.exitcode

    def line(self) -> str:
        """The first line of its standard output, waited for."""
        end = time.monotonic() + SECONDS
        while "\n" not in self.out and self.returncode is None:
            assert time.monotonic() < end, self.err
            time.sleep(0.01)
        return self.out.partition("\n")[0]

    def send_signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """End it and wait for its end."""
        self.process.kill()
        self.process.join()

    def wait(self, seconds: float = SECONDS) -> int:
        """Its exit status; it is an error if it takes longer."""
        self.process.join(seconds)
        assert self.returncode is not None, f"it takes over {seconds} s: {self.err}"
        return self.returncode

    def _read(self, name: str) -> str:
        file = self.place / name
        return file.read_text(encoding="utf-8") if file.exists() else ""


def _run(code: str, words: list[str], environment: dict[str, str], folder: Path, place: Path):
    """Be the process, and end."""
    status = 1
    try:
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        tempfile.tempdir = None
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(place / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
        sys.stdout, sys.stderr = (_text(number) for number in (1, 2))
        sys.argv = ["ign", *words]
        exec(compile(code, "command", "exec"), {"__name__": "__main__"})
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        status = 130
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _text(number: int) -> io.TextIOWrapper:
    """A file descriptor as a stream of text."""
    return io.TextIOWrapper(io.FileIO(number, "w"), encoding="utf-8", line_buffering=True)
