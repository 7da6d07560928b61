"""What happens beside the steps: a clean stop and the progress bar."""

__all__ = ["Bar", "Stop", "Tell", "lost", "say"]

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
from ign.training.checkpoints import again, kept

SECONDS = 10
"""Between lines where there is no terminal."""


def say(console: Console, text: str) -> None:
    """Print a line as it is."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


class Stop(Callback):
    """Ends the run after the present step on SIGINT or SIGTERM; at once on a second signal.

    Lightning gives the signals back their meaning when the run is over.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._note)

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: Any) -> None:
        wanted = trainer.strategy.reduce_boolean_decision(self.signal is not None, all=False)
        trainer.should_stop = trainer.should_stop or wanted

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number


def lost(exception: BaseException) -> bool:
    """Whether this is how a collective ends when another process is gone."""
    return isinstance(exception, torch.distributed.DistError) or (
        isinstance(exception, RuntimeError) and "gloo" in str(exception)
    )


class Tell(Callback):
    """Says at once what ends one process of several: a launcher is about to end the others.

    Args:
        run: The run's folder.
    """

    def __init__(self, run: Path):
        self.run = run

    def on_exception(self, trainer: Trainer, module: Any, exception: BaseException) -> None:
        step, rank = trainer.global_step, trainer.global_rank
        if rank == 0 and lost(exception):
            text = f"lost another process at step {step}; {kept(self.run)}"
        elif rank > 0 and isinstance(exception, torch.OutOfMemoryError):
            text = f"process {rank} is out of memory at step {step}"
        else:
            return
        print(f"ign train: {text}; go on with: {again(self.run)}", file=sys.stderr, flush=True)


class Bar(Callback):
    """A progress bar with the terms and the time left; lines where there is no terminal.

    Args:
        console: Where to.
        every: Steps between terms.
        means: How the run computes, said before the rest.
    """

    def __init__(self, console: Console, every: int, means: str):
        self.console, self.every, self.means = console, every, means
        self.live: Progress | None = None

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        self.live = progress(self.console) if trainer.is_global_zero else None
        self.first = trainer.global_step
        self.began = self.line = time.perf_counter()
        if self.live:
            if self.console.is_terminal:
                say(self.console, self.means)
            total = module.config.steps
            self.task = self.live.add_task("training", total=total, completed=self.first)
            self.live.start()

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: Any) -> None:
        step = trainer.global_step
        if self.live is None:
            return
        self.live.update(self.task, completed=step)
        if step % self.every:
            return
        terms = {k: v.item() for k, v in module.losses.items() if k != "total"}
        text = "  ".join(f"{k} {v:.4f}" for k, v in terms.items() if v)
        self.live.update(self.task, description=text)
        now = time.perf_counter()
        if not self.console.is_terminal and now - self.line > SECONDS:
            if self.line == self.began:
                say(self.console, self.means)
            self.line = now
            left = (module.config.steps - step) * (now - self.began) / (step - self.first)
            steps = module.config.steps
            say(self.console, f"step {step} of {steps}  {text}  {left:.0f} s left")

    def teardown(self, trainer: Trainer, module: Any, stage: str) -> None:
        if self.live:
            self.live.stop()

    def on_exception(self, trainer: Trainer, module: Any, exception: BaseException) -> None:
        self.teardown(trainer, module, "fit")
