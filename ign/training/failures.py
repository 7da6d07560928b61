"""How a run can end before its last step, and the one line that says so."""

__all__ = [
    "Failure",
    "Interrupted",
    "ProcessLostError",
    "describe_kept",
    "disk_advice",
    "is_out_of_memory",
    "is_process_lost",
    "memory_advice",
    "restart_command",
    "resume_command",
]

import errno
import re
import shlex
from pathlib import Path

import torch

from ign.training.checkpoints import newest
from ign.training.config import Config


class Failure(RuntimeError):
    """A run that cannot go on; the message is one line: what happened, what is kept, what to do."""


class Interrupted(Failure):
    """A run that a signal stopped.

    Args:
        message: The step, what is kept, and the command that continues the run.
        signal: The number of the signal.
    """

    def __init__(self, message: str, signal: int):
        super().__init__(message)
        self.signal = signal


class ProcessLostError(Failure):
    """A run that ended because another of its processes ended; the message was printed already."""


ADVICE = {
    errno.ENOSPC: "free some disk space, then ",
    errno.EDQUOT: "free some of your disk quota, then ",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f), then ",
    errno.EACCES: "make it writable, then ",
    errno.EPERM: "make it writable, then ",
    errno.EROFS: "make it writable, then ",
}


def disk_advice(error: OSError) -> str:
    """The remedy for a file that could not be written; empty if it is not known."""
    number = error.errno
    if number is None and (found := re.search(r"os error (\d+)", str(error))):
        number = int(found[1])  # an error of safetensors
    return ADVICE.get(number or 0, "")


def is_process_lost(exception: BaseException) -> bool:
    """Whether a collective operation failed because another process ended."""
    return isinstance(exception, torch.distributed.DistError) or (
        isinstance(exception, RuntimeError) and "gloo" in str(exception)
    )


def is_out_of_memory(exception: BaseException) -> bool:
    """Whether memory could not be allocated, on a GPU or not."""
    if isinstance(exception, MemoryError | torch.OutOfMemoryError):
        return True
    said = (
        "can't allocate memory",
        "not enough memory",
        "out of memory",
        "Storage size calculation",
    )
    return isinstance(exception, RuntimeError) and any(text in str(exception) for text in said)


def memory_advice(config: Config, processes: int, command: str) -> str:
    """What to do about a batch that does not fit: more micro-batches, or a smaller batch.

    Args:
        config: The run.
        processes: The number of processes.
        command: The command that continues it.
    """
    batch, parts = config.batch_size // processes, config.trainer.accumulate_grad_batches
    larger = next((n for n in range(parts + 1, min(batch, 10**4) + 1) if batch % n == 0), None)
    if larger is None or "--resume" not in command:
        return "use a smaller batch_size or network.width, or raise trainer.accumulate_grad_batches"
    return f"go on with: {command} --trainer.accumulate_grad_batches {larger}"


def describe_kept(run: Path) -> str:
    """Describe what is kept of a failed run."""
    checkpoint, _ = newest(run)
    return f"kept: {checkpoint.name} and its model" if checkpoint else "nothing was saved before"


def restart_command(run: Path, out: Path | None = None, init: str | Path | None = None) -> str:
    """The command that trains with the configuration of a run again from its first step.

    Args:
        run: The run's folder, which holds config.yaml.
        out: A new run's folder; None to replace the run.
        init: The model whose weights the run started from.
    """
    words = ["ign", "train", "--config", str(run / "config.yaml"), "--out", str(out or run)]
    words += [] if out else ["--force"]
    words += [] if init is None else ["--init", str(init)]
    return shlex.join(words)


def resume_command(run: Path, init: str | Path | None = None) -> str:
    """The command that continues a run, or starts it again where it has no checkpoint yet."""
    if newest(run)[0] is None:
        return restart_command(run, init=init)
    return shlex.join(["ign", "train", "--resume", str(run)])
