"""The log of a run, with one row for each logged step, as CSV and in TensorBoard."""

__all__ = ["Journal"]

import csv
import math
import os
import time
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from lightning import Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from ign.core import processes
from ign.core.files import atomic
from ign.core.text import printable
from ign.training.failures import Failure, describe_kept

MEASURES = ("drift_held_out", "drift_train", "gap", "diversity")


class Journal(Callback):
    """Writes the terms of the loss and the measures of the checks to CSV and TensorBoard.

    A term is the mean over all processes for the last micro-batch of a step.

    Args:
        run: The run's folder.
        every: The number of steps between rows.
        terms: The terms of the loss.

    Raises:
        Failure: The loss is NaN or infinite.
    """

    def __init__(self, run: Path, every: int, terms: Sequence[str]):
        self.run, self.path, self.every = run, run / "metrics.csv", every
        self.columns = ("step", "seconds", "steps_per_second", *terms, *MEASURES)
        self._row: dict[str, float] = {}
        self._begin = 0
        self._tensorboard: Any = None

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        self.first = trainer.global_step
        self.began, self.before = time.perf_counter(), 0.0
        if trainer.is_global_zero:
            self._continue(trainer.global_step)
            self._tensorboard = _writer(self.run / "tensorboard", trainer.global_step)

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: Any) -> None:
        step = trainer.global_step
        if step % self.every and step != module.config.steps:
            return
        terms = processes.mean(torch.stack(list(module.losses.values())))
        values = dict(zip(module.losses, terms.tolist(), strict=True))
        now = time.perf_counter() - self.began
        rate = (step - self.first) / now
        wrong = [v for v in values.values() if not math.isfinite(v)]
        if wrong:
            raise Failure(
                f"step {step}: the loss is {wrong[0]}; {describe_kept(self.run)};"
                " try a lower learning_rate"
            )
        self.write(trainer, {"seconds": self.before + now, "steps_per_second": rate, **values})

    def write(self, trainer: Trainer, values: dict[str, float]) -> None:
        """Add values to the row of the current step, which is the last row of the file."""
        if not trainer.is_global_zero:
            return
        step = trainer.global_step
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            if self._row.get("step") == step:
                file.truncate(self._begin)
            else:
                self._row, self._begin = {"step": step}, file.tell()
            self._row |= values
            csv.DictWriter(file, self.columns).writerow(self._row)
        if self._tensorboard:
            for name, value in values.items():
                self._tensorboard.add_scalar(name, value, step)

    def picture(self, trainer: Trainer, name: str, image: Tensor) -> None:
        if self._tensorboard:
            self._tensorboard.add_image(name, image, trainer.global_step, dataformats="HWC")

    def on_fit_end(self, trainer: Trainer, module: Any) -> None:
        if self._tensorboard:
            self._tensorboard.close()

    def on_exception(self, trainer: Trainer, module: Any, exception: BaseException) -> None:
        with suppress(OSError):
            self.on_fit_end(trainer, module)

    def _continue(self, step: int) -> None:
        """Keep one readable row for each step up to the step at which a run resumes."""
        found = _read(self.path) if step and self.path.exists() else {}
        rows = [row for at, row in sorted(found.items()) if at <= step]
        self.before = max((float(r["seconds"]) for r in rows if r.get("seconds")), default=0.0)
        with atomic(self.path) as path, open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, self.columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)


def _read(path: Path) -> dict[int, dict[str, str]]:
    """Read the rows of a log by step, even if a spreadsheet program has rewritten the file.

    A byte order mark, semicolons or tabs between the values, decimal commas and quotes are
    accepted. Rows that are incomplete, too long or not numeric are skipped.
    """
    text = path.read_text(encoding="utf-8-sig", errors="replace").replace("\0", "")
    head, *lines = text.splitlines() or [""]
    mark = max(",;\t", key=head.count)
    names = [name.strip().strip('"') for name in head.split(mark)]
    rows = {}
    for line in lines:
        values = [value.strip().strip('"') for value in line.split(mark)]
        values = [v.replace(",", ".") for v in values]
        row = dict(zip(names, values, strict=False))
        if len(values) == len(names) and (step := _step(row)):
            rows[step] = row | {"step": str(step)}
    return rows


def _step(row: dict[str, str]) -> int:
    """The step of a row, or 0 if any value of the row is not a finite number."""
    try:
        numbers = {name: float(value) for name, value in row.items() if value}
        step = numbers.get("step", 0.0)
        return int(step) if step >= 1 and all(map(math.isfinite, numbers.values())) else 0
    except ValueError:
        return 0


def _writer(folder: Path, step: int) -> Any:
    """A writer of TensorBoard's files; None where it cannot write the name of the folder."""
    try:
        os.fspath(folder).encode()
    except UnicodeEncodeError:
        warnings.warn(
            f"{printable(folder)}: TensorBoard takes no name that is not UTF-8, so that nothing is"
            " written there; metrics.csv has the same numbers",
            stacklevel=2,
        )
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step)
