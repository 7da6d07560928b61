"""An estimate of the duration of a run, measured on its first steps."""

__all__ = ["Estimate", "device_name"]

import time
from pathlib import Path

import torch

from ign.core import processes
from ign.core.text import duration
from ign.training.config import Config
from ign.training.failures import restart_command
from ign.training.precision import device_of

STEPS, SECONDS = 20, 8
"""The maximum number of steps and seconds of the measurement, which takes at least :data:`LEAST`
steps, or three times as many seconds."""
LEAST, WARM_UP = 4, 2
"""The number of first steps that are not counted, because they take longer than the others."""
SHORT = 60
"""Nothing is printed for a run that takes fewer seconds."""
WANTED = 15 * 60
"""The duration in seconds of the shorter run that is proposed instead of a longer one."""


def device_name(config: Config, count: int) -> str:
    """Describe the hardware of a run, such as "2 CPU cores" or "4 x NVIDIA H100".

    Args:
        config: The run.
        count: The number of processes.
    """
    kind = device_of(config.trainer.accelerator)
    if kind == "cpu":
        cores = torch.get_num_threads() * count
        return f"{cores} CPU core{'s' if cores > 1 else ''}"
    name = torch.cuda.get_device_name() if kind == "cuda" else "the Apple GPU"
    return f"{count} x {name}" if count > 1 else name


class Estimate:
    """Measures the first steps, then says how long the run will take.

    Args:
        run: The run's folder.
        config: The run.
    """

    def __init__(self, run: Path, config: Config):
        self.run, self.config = run, config
        self.first: int | None = None
        self.done = False

    def after(self, step: int, steps: int) -> str:
        """Return a line once the duration is known and long enough to matter, else an empty string.

        Args:
            step: The step that has just ended.
            steps: The run's last step.
        """
        if self.done:
            return ""
        if self.first is None:
            self.first = step
        taken = step - self.first - WARM_UP + 1
        if taken == 0:
            self.began = _now()
        passed = time.perf_counter() - self.began if taken > 0 else 0.0
        few = taken < LEAST and passed < 3 * SECONDS
        if few or (taken < STEPS and passed < SECONDS):
            return ""
        self.done = True
        return self._describe((_now() - self.began) / taken, step, steps)

    def _describe(self, seconds: float, step: int, steps: int) -> str:
        total, left = steps * seconds, (steps - step) * seconds
        device = device_name(self.config, processes.number())
        if left < SHORT:
            return ""
        if self.first != 1:
            return f"about {duration(left)} left for {steps - step:,} more steps on {device}"
        text = f"about {duration(total)} for {steps:,} steps on {device}"
        if total < 1.5 * WANTED:
            return text
        names = (f"{self.run.name}-short{i}" for i in ("", *range(2, 10**6)))
        out = next(p for p in map(self.run.with_name, names) if not p.exists())
        short = restart_command(self.run, out)
        count = _round_down(int(WANTED / seconds))
        return f"{text}; `{short} --steps {count}` would be done in {duration(WANTED)}"


def _now() -> float:
    """The time at which all operations on the GPU have finished."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.perf_counter()


def _round_down(count: int) -> int:
    """Round down to two digits followed by zeros, and to at least 1."""
    unit = 10 ** max(0, len(str(count)) - 2)
    return max(1, count // unit * unit)
