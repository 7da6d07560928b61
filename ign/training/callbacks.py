"""What happens beside the steps: checks, checkpoints, logs, the bar, a clean stop."""

__all__ = [
    "AtomicCheckpoints",
    "Bar",
    "Check",
    "Failure",
    "Follow",
    "Journal",
    "Stop",
    "averaged",
    "newest",
]

import csv
import math
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import Trainer
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins.io import TorchCheckpointIO
from rich.console import Console
from rich.progress import Progress
from torch import Tensor

from ign import pictures
from ign.files import atomic
from ign.model import IGN
from ign.terminal import progress

KEPT = 2
SAMPLES = 64
COLLAPSED = 0.05
"""The share of the data's diversity under which samples count as collapsed."""
ALIVE = 0.2
"""The share that shows that samples have begun to differ, which early on they do not."""
PATIENCE = 3
GRACE = 3000
"""Steps after which samples that never began to differ count as collapsed too."""


class Failure(RuntimeError):
    """A run that cannot go on, in one line: what happened, what is kept, what to try."""


def checkpoints(run: Path) -> list[Path]:
    """A run's checkpoints, oldest first."""
    return sorted((run / "checkpoints").glob("step-*.ckpt"))


def newest(run: Path) -> Path | None:
    """A run's last checkpoint."""
    return next(reversed(checkpoints(run)), None)


class AtomicCheckpoints(TorchCheckpointIO):
    """Checkpoints written under a temporary name and renamed when complete."""

    def save_checkpoint(self, checkpoint: Any, path: Any, storage_options: Any = None) -> None:
        with atomic(path) as file:
            torch.save(checkpoint, file)


class Follow(Callback):
    """Moves the average after each optimizer step."""

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        self.step = trainer.global_step

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: Any) -> None:
        if trainer.global_step != self.step:
            module.average.update(module.model.network, self.step)
            self.step = trainer.global_step


class Journal(Callback):
    """Writes the terms of the loss and the measures of the checks to CSV and TensorBoard.

    Stops the run when the loss is no longer a number.
    """

    columns = (
        "step", "seconds", "steps_per_second", "total", "rec", "idem", "tight", "match",
        "drift_held_out", "drift_train", "gap", "diversity",
    )  # fmt: skip

    def __init__(self, run: Path, every: int):
        self.path, self.every = run / "metrics.csv", every

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        self.first = self.step = trainer.global_step
        self.began, self.before = time.perf_counter(), 0.0
        if trainer.is_global_zero:
            self._keep(trainer.global_step)
            self._tensorboard = _writer(self.path.parent / "tensorboard", trainer.global_step)

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: Any) -> None:
        step = trainer.global_step
        if step == self.step or (step % self.every and step != module.config.steps):
            return
        values = {k: v.item() for k, v in vars(module.losses).items()}
        now = time.perf_counter() - self.began
        rate = (step - self.first) / now
        self.step = step
        if not math.isfinite(values["total"]):
            raise Failure(
                f"step {step}: the loss is {values['total']}; the last good checkpoint is kept:"
                " resume from it with a lower learning rate"
            )
        self.write(trainer, {"seconds": self.before + now, "steps_per_second": rate, **values})

    def write(self, trainer: Trainer, values: dict[str, float]) -> None:
        """Add a row at the present step."""
        if not trainer.is_global_zero:
            return
        step = trainer.global_step
        with open(self.path, "a", newline="") as file:
            csv.DictWriter(file, self.columns).writerow({"step": step, **values})
        for name, value in values.items():
            self._tensorboard.add_scalar(name, value, step)

    def picture(self, trainer: Trainer, name: str, image: Tensor) -> None:
        if trainer.is_global_zero:
            self._tensorboard.add_image(name, image, trainer.global_step, dataformats="HWC")

    def on_fit_end(self, trainer: Trainer, module: Any) -> None:
        if trainer.is_global_zero:
            self._tensorboard.close()

    def _keep(self, step: int) -> None:
        """Keep the rows up to this step, whole ones only, when a run resumes."""
        rows: list[dict[str, Any]] = []
        if step and self.path.exists():
            with open(self.path, newline="") as file:
                known = [r for r in csv.DictReader(file) if None not in r.values()]
            rows = [r for r in known if int(r["step"]) <= step]
        self.before = max((float(r["seconds"]) for r in rows if r["seconds"]), default=0.0)
        with atomic(self.path) as path, open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(rows)


def _writer(folder: Path, step: int) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step)


class Check(Callback):
    """Every so many steps: measures of the average, a grid of its samples, a checkpoint, the model.

    Nothing is saved of a network that holds NaN or whose samples have collapsed; several
    collapsed checks in a row stop the run.

    Args:
        run: The run's folder.
        held_out: Images (N, C, H, W) in [-1, 1] that are not trained on.
        train: As many that are.
        journal: Where the measures go.
        every: Steps between checks.
    """

    def __init__(self, run: Path, held_out: Tensor, train: Tensor, journal: Journal, every: int):
        self.run, self.journal, self.every = run, journal, every
        self.held_out, self.train = held_out, train
        pairs = torch.pdist(train.flatten(1))
        self.data_diversity = pairs.mean().item()
        self.alive, self.collapsed, self.last = False, 0, -1

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: Any) -> None:
        step = trainer.global_step
        due = step % self.every == 0 or step == module.config.steps or trainer.should_stop
        if due and step != self.last and step > 0:
            self.check(trainer, module)

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        self.last = trainer.global_step

    def check(self, trainer: Trainer, module: Any) -> None:
        """Measure, and save what is healthy."""
        step = self.last = trainer.global_step
        if not all(torch.isfinite(p).all() for p in module.model.network.parameters()):
            raise Failure(
                f"step {step}: the weights hold NaN or infinity; the last good checkpoint is kept:"
                " resume from it with a lower learning rate"
            )
        model = averaged(module)
        once, twice = model.sample_trajectory(SAMPLES, [1, 2])
        diversity = torch.pdist(once.flatten(1).cpu()).mean().item() / self.data_diversity
        self.journal.write(
            trainer,
            {
                "drift_held_out": model.drift(self.held_out).mean().item(),
                "drift_train": model.drift(self.train).mean().item(),
                "gap": (twice - once).abs().mean().item(),
                "diversity": diversity,
            },
        )
        if trainer.is_global_zero:
            picture = pictures.grid(once)
            pictures.save(picture, self.run / "samples" / f"step-{step:08d}.png")
            self.journal.picture(trainer, "samples", torch.from_numpy(np.array(picture)))
        self.alive = self.alive or diversity >= ALIVE
        lost = diversity < COLLAPSED and (self.alive or step > GRACE)
        self.collapsed = self.collapsed + 1 if lost else 0
        if self.collapsed >= PATIENCE:
            raise Failure(
                f"step {step}: the samples have collapsed, their diversity is {diversity:.3f} of"
                " the data's; the last good checkpoint is kept: try norm role, a clamp_ratio of"
                " 1.5, a lower learning rate"
            )
        if not self.collapsed:
            self._save(trainer, model, step)

    def _save(self, trainer: Trainer, model: IGN, step: int) -> None:
        trainer.save_checkpoint(self.run / "checkpoints" / f"step-{step:08d}.ckpt")
        if trainer.is_global_zero:
            model.save_pretrained(self.run / "model")
            for old in checkpoints(self.run)[:-KEPT]:
                old.unlink()


def averaged(module: Any) -> IGN:
    """The model with the average in the network's place."""
    model: IGN = module.model
    about = {**model.about, "steps": module.trainer.global_step}
    return IGN(module.average.network, model.noise, model.distance, about)


class Stop(Callback):
    """Ends the run after the present step on SIGINT or SIGTERM; at once on a second signal."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        def stop(number: int, frame: Any) -> None:
            if self.signal is not None:
                raise KeyboardInterrupt
            self.signal = number

        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, stop)

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: Any) -> None:
        if self.signal is not None:
            trainer.should_stop = True

    def teardown(self, trainer: Trainer, module: Any, stage: str) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()


class Bar(Callback):
    """A progress bar with the terms and the time left; lines where there is no terminal."""

    def __init__(self, console: Console, every: int):
        self.console, self.every = console, every
        self.live: Progress | None = None

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        self.live = progress(self.console) if trainer.is_global_zero else None
        self.step, self.lines = trainer.global_step, time.perf_counter()
        self.first, self.began = trainer.global_step, time.perf_counter()
        if self.live:
            total = module.config.steps
            self.task = self.live.add_task("training", total=total, completed=self.step)
            self.live.start()

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: Any) -> None:
        step = trainer.global_step
        if self.live is None or step == self.step or step % self.every:
            return
        self.step = step
        terms = {k: v.item() for k, v in vars(module.losses).items() if k != "total"}
        text = "  ".join(f"{k} {v:.4f}" for k, v in terms.items() if v)
        self.live.update(self.task, completed=step, description=text)
        now = time.perf_counter()
        if not self.console.is_terminal and now - self.lines > 10:
            self.lines = now
            left = (module.config.steps - step) * (now - self.began) / (step - self.first)
            self.console.print(f"step {step} of {module.config.steps}  {text}  {left:.0f} s left")

    def teardown(self, trainer: Trainer, module: Any, stage: str) -> None:
        if self.live:
            self.live.stop()
