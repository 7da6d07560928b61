"""The errors that end a run before its last step, each with a message of one line."""

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
    """A run cannot continue. The message says what happened, what is kept, and what to do."""


class Interrupted(Failure):
    """A signal stopped a run.

    Args:
        message: The step, what is kept, and the command that continues the run.
        signal: The number of the signal.
    """

    def __init__(self, message: str, signal: int):
        super().__init__(message)
        self.signal = signal


class ProcessLostError(Failure):
    """A run ended because another of its processes ended; the message was already printed."""


ADVICE = {
    errno.ENOSPC: "free some disk space, then ",
    errno.EDQUOT: "free some of your disk quota, then ",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f), then ",
    errno.EACCES: "make it writable, then ",
    errno.EPERM: "make it writable, then ",
    errno.EROFS: "make it writable, then ",
}


def disk_advice(error: OSError) -> str:
    """The remedy for a file that could not be written, or an empty string."""
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
    """Whether memory could not be allocated, on any device."""
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
    """The remedy for a batch that does not fit: more micro-batches, or a smaller batch.

    Args:
        config: The run.
        processes: The number of processes.
        command: The command that continues the run.
    """
    batch, parts = config.batch_size // processes, config.trainer.accumulate_grad_batches
    larger = next((n for n in range(parts + 1, min(batch, 10**4) + 1) if batch % n == 0), None)
    if larger is None or "--resume" not in command:
        return "use a smaller batch_size or network.width, or raise trainer.accumulate_grad_batches"
    return f"continue with: {command} --trainer.accumulate_grad_batches {larger}"


def describe_kept(run: Path) -> str:
    """Describe what a failed run has saved."""
    checkpoint, _ = newest(run)
    return f"kept: {checkpoint.name} and its model" if checkpoint else "nothing was saved before"


def restart_command(run: Path, out: Path | None = None, init: str | Path | None = None) -> str:
    """The command that repeats a run from its first step, with the same configuration.

    Args:
        run: The folder of the run, which contains config.yaml.
        out: The folder of the new run; None to replace the old one.
        init: The model whose weights the run started from.
    """
    words = ["ign", "train", "--config", str(run / "config.yaml"), "--out", str(out or run)]
    words += [] if out else ["--force"]
    words += [] if init is None else ["--init", str(init)]
    return shlex.join(words)


def resume_command(run: Path, init: str | Path | None = None) -> str:
    """The command that continues a run, or starts it again if it has no checkpoint yet."""
    if newest(run)[0] is None:
        return restart_command(run, init=init)
    return shlex.join(["ign", "train", "--resume", str(run)])
