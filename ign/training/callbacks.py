"""Callbacks of a run: stop on a signal, report a lost process, and show the progress."""

__all__ = ["ProgressBar", "ReportLostProcess", "StopOnSignal", "print_line"]

import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from lightning import Trainer
from lightning.pytorch.callbacks import Callback
from rich.console import Console
from rich.progress import Progress

from ign.core.terminal import progress
from ign.core.text import duration
from ign.training.estimate import Estimate
from ign.training.failures import describe_kept, is_process_lost, resume_command

SECONDS = 10
"""The minimum number of seconds between two lines without a terminal."""


def print_line(console: Console, text: str) -> None:
    """Print a line without markup, highlights or line breaks."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


class StopOnSignal(Callback):
    """Ends the run after the current step on SIGINT or SIGTERM, and immediately on a second signal.

    Lightning restores the previous signal handlers when the run ends.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._handle)

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: Any) -> None:
        wanted = trainer.strategy.reduce_boolean_decision(self.signal is not None, all=False)
        trainer.should_stop = trainer.should_stop or wanted

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number


class ReportLostProcess(Callback):
    """Prints immediately why one of several processes ended, since a launcher then ends the others.

    Args:
        run: The run's folder, in the first process.
    """

    def __init__(self, run: Path):
        self.run = run

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        self.run = Path(trainer.strategy.broadcast(str(self.run)))

    def on_exception(self, trainer: Trainer, module: Any, exception: BaseException) -> None:
        step, rank = trainer.global_step, trainer.global_rank
        if rank == 0 and is_process_lost(exception):
            text = f"lost another process at step {step}; {describe_kept(self.run)}"
        elif rank > 0 and isinstance(exception, torch.OutOfMemoryError):
            text = f"process {rank} is out of memory at step {step}"
        else:
            return
        advice = f"continue with: {resume_command(self.run)}"
        print(f"ign train: {text}; {advice}", file=sys.stderr, flush=True)


class ProgressBar(Callback):
    """A progress bar with the terms of the loss and the time left, or lines without a terminal.

    Args:
        console: The console to print to.
        every: The number of steps between two updates of the terms.
        computation: A description of device and precision, which is printed first.
        estimate: The estimate of the duration, which is printed once it is known, before any step.
    """

    def __init__(
        self, console: Console, every: int, computation: str, estimate: Estimate | None = None
    ):
        self.console, self.every, self.computation = console, every, computation
        self.estimate = estimate
        self.live: Progress | None = None

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        self.live = progress(self.console) if trainer.is_global_zero else None
        self.first = trainer.global_step
        self.began = self.line = time.perf_counter()
        if self.live:
            if self.console.is_terminal:
                print_line(self.console, self.computation)
            total = module.config.steps
            self.task = self.live.add_task("training", total=total, completed=self.first)
            self.live.start()

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: Any) -> None:
        step = trainer.global_step
        if self.live is None:
            return
        self.live.update(self.task, completed=step)
        if self.estimate and (text := self.estimate.after(step, module.config.steps)):
            self._print(text)
        if step % self.every:
            return
        terms = {k: v.item() for k, v in module.losses.items() if k != "total"}
        text = "  ".join(f"{k} {v:.4f}" for k, v in terms.items() if v)
        self.live.update(self.task, description=text)
        known = self.estimate is None or self.estimate.done
        if known and not self.console.is_terminal and self._is_due():
            steps, passed = module.config.steps, time.perf_counter() - self.began
            left = duration((steps - step) * passed / (step - self.first))
            self._print(f"step {step} of {steps}  {text}  {left} left")

    def report(self, text: str, always: bool = False) -> None:
        """Print a line about a check, but not in the first seconds without a terminal."""
        if self.live and (always or self.console.is_terminal or self._took_a_while()):
            self._print(text)

    def _took_a_while(self) -> bool:
        return time.perf_counter() - self.began > SECONDS

    def _is_due(self) -> bool:
        return time.perf_counter() - self.line > SECONDS

    def _print(self, text: str) -> None:
        """Print a line, after the one about the computation."""
        if not self.console.is_terminal and self.line == self.began:
            print_line(self.console, self.computation)
        self.line = time.perf_counter()
        print_line(self.console, text)

    def teardown(self, trainer: Trainer, module: Any, stage: str) -> None:
        if self.live:
            self.live.stop()

    def on_exception(self, trainer: Trainer, module: Any, exception: BaseException) -> None:
        self.teardown(trainer, module, "fit")
