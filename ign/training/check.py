"""Periodic checks of a run, which save the model if the run is healthy."""

__all__ = ["Check", "averaged_model"]

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from ign.core.statistics import diversity
from ign.model import IGN, ModelError
from ign.nn.sharding import local, whole
from ign.training.checkpoints import prune
from ign.training.failures import Failure, describe_kept
from ign.training.journal import Journal
from ign.training.paths import path_of
from ign.view import pictures

SAMPLES = 64
COLLAPSED = 0.05
"""Samples are all alike if their diversity is below this share of the diversity of the data."""
ALIVE = 0.2
"""Samples differ if their diversity is at least this share."""
PATIENCE = 3
GRACE = 3000
"""After this step, samples that have never differed count as collapsed too."""
ESTABLISHED = 1000
"""After this step, samples that are all alike are always reported."""


class Check(Callback):
    r"""Measures the averaged model, and saves samples, a checkpoint and the model, periodically.

    The diversity of samples is their mean distance divided by the mean distance of the data.
    Below 0.05 the samples are all alike, which is normal early in training. At 0.2 and above they
    differ. Samples that are all alike have collapsed if they differed before, or after step 3,000.
    Three such checks in a row, or one at the last step, stop the run without saving that state.
    The result of each check is reported in a sentence. The diversity is not measured if the
    diversity of the data is 0.

    Args:
        run: The run's folder.
        held_out: Images (N, C, H, W) in [-1, 1] that are not used for training.
        train: The same number of training images.
        journal: The journal, which records the measures.
        every: The number of steps between checks.
        report: A function that takes a message about the samples, and whether it must be printed.

    Raises:
        Failure: The weights or the samples hold NaN or infinity, or the samples have collapsed.
    """

    def __init__(
        self,
        run: Path,
        held_out: Tensor,
        train: Tensor,
        journal: Journal,
        every: int,
        report: Callable[[str, bool], None] = lambda text, always: None,
    ):
        self.run, self.journal, self.every, self.report = run, journal, every, report
        self.held_out, self.train = held_out, train
        self.data_diversity = diversity(train)
        self.alive, self.collapsed, self.last = False, 0, -1
        self.before: float | None = None

    def state_dict(self) -> dict[str, Any]:
        return {"alive": self.alive}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.alive = state["alive"]

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        self.last = trainer.global_step
        if not self.data_diversity:
            self.report("the images are all the same, so the diversity is not measured", True)

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: Any) -> None:
        step = trainer.global_step
        due = step % self.every == 0 or step == module.config.steps or trainer.should_stop
        if due and step != self.last:
            self.check(trainer, module)

    def check(self, trainer: Trainer, module: Any) -> None:
        """Measure, and save the model if it is healthy."""
        step = self.last = trainer.global_step
        model = averaged_model(module)
        found, once = dict[str, float](), torch.empty(0)
        sound = _finite(module.model) and _finite(model)
        try:
            found, once = self._measure(model, module)
        except ModelError:  # an output holds NaN or infinity
            sound = False
        sound = sound and all(map(math.isfinite, found.values()))
        if not trainer.strategy.reduce_boolean_decision(sound):  # each process has its own shard
            raise Failure(
                f"step {step}: the weights or the images hold NaN or infinity;"
                f" {describe_kept(self.run)}; try a lower learning_rate"
            )
        self.journal.write(trainer, found)
        if trainer.is_global_zero:
            picture = pictures.grid(once)
            pictures.save(picture, self.run / "samples" / f"step-{step:08d}.png")
            self.journal.picture(trainer, "samples", torch.from_numpy(np.array(picture)))
        if self.data_diversity:
            self._watch(found["diversity"], step, module)
        if not self.collapsed:
            self.save(trainer, model, step)

    def _measure(self, model: IGN, module: Any) -> tuple[dict[str, float], Tensor]:
        """Compute the measures and their samples, always from the same noise."""
        once = model.sample(SAMPLES)
        found = {}
        if self.data_diversity:
            found["diversity"] = diversity(once) / self.data_diversity
        if model.projects:
            distance = module.config.distance
            found |= {
                "drift_held_out": model.drift(self.held_out, distance=distance).mean().item(),
                "drift_train": model.drift(self.train, distance=distance).mean().item(),
                "gap": (model.project(once) - once).abs().mean().item(),
            }
        return found, once

    def _watch(self, diversity: float, step: int, module: Any) -> None:
        """Report the diversity, and stop after too many collapsed checks in a row."""
        self.alive = self.alive or diversity >= ALIVE
        alike = diversity < COLLAPSED
        collapsed = alike and (self.alive or step > GRACE)
        self.collapsed = self.collapsed + 1 if collapsed else 0
        if self.collapsed >= PATIENCE or (collapsed and step == module.config.steps):
            raise Failure(
                f"step {step}: the samples have collapsed, their diversity is {diversity:.3f} of"
                f" the data's; {describe_kept(self.run)}; try {module.method.remedy}"
            )
        self.report(f"step {step}: {self._describe(diversity)}", alike and step >= ESTABLISHED)
        self.before = diversity

    def _describe(self, diversity: float) -> str:
        """Describe the state of the samples."""
        share = f"diversity {diversity:.2f} of the data's"
        if self.collapsed:
            return (
                f"the samples are all alike ({share}), check {self.collapsed} of {PATIENCE}"
                " after which the run stops"
            )
        if diversity < COLLAPSED:
            still = "" if self.before is None else "still "
            return (
                f"the samples are {still}all alike ({share}), as they are early in training;"
                f" the run stops if {PATIENCE} checks after step {GRACE:,} find the same"
            )
        if diversity < ALIVE:
            rising = self.before is None or diversity >= self.before
            return f"the samples begin to differ ({share}{', rising' if rising else ', falling'})"
        return f"the samples differ ({share})"

    def save(self, trainer: Trainer, model: IGN, step: int) -> None:
        """Save the model, then the checkpoint, so that no checkpoint is ahead of its model."""
        self.save_model(trainer, model)
        trainer.save_checkpoint(path_of(self.run, step))
        if trainer.is_global_zero:
            prune(self.run, step)

    def save_model(self, trainer: Trainer, model: IGN) -> None:
        """Save the model from the first process.

        Raises:
            OSError: The model cannot be written.
        """
        if trainer.is_global_zero:
            model.save_pretrained(self.run / "model")


def averaged_model(module: Any) -> IGN:
    """The complete model on one device, with the average of the weights instead of the weights."""
    model: IGN = module.model
    network = whole(module.average.network)
    module.method.finalize(network, module.images)
    about = {**model.about, "steps": module.trainer.global_step}
    return IGN(network, model.noise, model.distance, about)


def _finite(module: nn.Module) -> bool:
    return all(torch.isfinite(local(t)).all() for t in module.state_dict().values())
