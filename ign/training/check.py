"""Every so many steps: is the run healthy? If so, it is saved."""

__all__ = ["Check", "averaged"]

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import Trainer
from lightning.pytorch.callbacks import Callback
from safetensors import SafetensorError
from torch import Tensor, nn

from ign.model import IGN
from ign.nn.sharding import local, whole
from ign.training.checkpoints import Failure, keep, kept, path_of
from ign.training.journal import Journal
from ign.view import pictures

SAMPLES = 64
COLLAPSED = 0.05
"""The share of the data's diversity under which samples count as collapsed."""
ALIVE = 0.2
"""The share that shows that samples have begun to differ, which early on they do not."""
PATIENCE = 3
GRACE = 3000
"""Steps after which samples that never began to differ count as collapsed too."""


class Check(Callback):
    """Every so many steps: measures of the average, a grid of its samples, a checkpoint, the model.

    Nothing is saved of a network that holds NaN or whose samples have collapsed; several
    collapsed checks in a row, or one at the end, stop the run.

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
        self.data_diversity = _diversity(train)
        self.alive, self.collapsed, self.last = False, 0, -1

    def state_dict(self) -> dict[str, Any]:
        return {"alive": self.alive}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.alive = state["alive"]

    def on_train_start(self, trainer: Trainer, module: Any) -> None:
        self.last = trainer.global_step

    def on_train_batch_end(self, trainer: Trainer, module: Any, *_: Any) -> None:
        step = trainer.global_step
        due = step % self.every == 0 or step == module.config.steps or trainer.should_stop
        if due and step != self.last:
            self.check(trainer, module)

    def check(self, trainer: Trainer, module: Any) -> None:
        """Measure, and save what is healthy."""
        step = self.last = trainer.global_step
        model = averaged(module)
        found, once = self._measure(model, module)
        sound = _finite(module.model) and _finite(model) and all(map(math.isfinite, found.values()))
        if not trainer.strategy.reduce_boolean_decision(sound):  # a shard is its process's own
            raise Failure(
                f"step {step}: the weights or the images hold NaN or infinity; {kept(self.run)};"
                " try a lower learning_rate"
            )
        self.journal.write(trainer, found)
        if trainer.is_global_zero:
            picture = pictures.grid(once)
            pictures.save(picture, self.run / "samples" / f"step-{step:08d}.png")
            self.journal.picture(trainer, "samples", torch.from_numpy(np.array(picture)))
        self._watch(found["diversity"], step, module)
        if not self.collapsed:
            self._save(trainer, model, step)

    def _measure(self, model: IGN, module: Any) -> tuple[dict[str, float], Tensor]:
        """The measures and the samples, from the same noise each time, that they are taken from."""
        once = model.sample(SAMPLES)
        found = {"diversity": _diversity(once) / max(self.data_diversity, 1e-12)}
        if model.projects:
            distance = module.config.distance
            found |= {
                "drift_held_out": model.drift(self.held_out, distance=distance).mean().item(),
                "drift_train": model.drift(self.train, distance=distance).mean().item(),
                "gap": (model.project(once) - once).abs().mean().item(),
            }
        return found, once

    def _watch(self, diversity: float, step: int, module: Any) -> None:
        """Count collapsed checks in a row, and stop where there are too many."""
        self.alive = self.alive or diversity >= ALIVE
        lost = diversity < COLLAPSED and (self.alive or step > GRACE)
        self.collapsed = self.collapsed + 1 if lost else 0
        if self.collapsed >= PATIENCE or (lost and step == module.config.steps):
            raise Failure(
                f"step {step}: the samples have collapsed, their diversity is {diversity:.3f} of"
                f" the data's; {kept(self.run)}; try {module.method.remedy}"
            )

    def _save(self, trainer: Trainer, model: IGN, step: int) -> None:
        """Save the model, then the checkpoint, so that none is ahead of its model."""
        if trainer.is_global_zero:
            try:
                model.save_pretrained(self.run / "model")
            except SafetensorError as error:
                raise OSError(str(error)) from error
        trainer.save_checkpoint(path_of(self.run, step))
        if trainer.is_global_zero:
            keep(self.run, step)


def averaged(module: Any) -> IGN:
    """The model with the average in the network's place, in one piece and complete."""
    model: IGN = module.model
    network = whole(module.average.network)
    module.method.finalize(network, module.images)
    about = {**model.about, "steps": module.trainer.global_step}
    return IGN(network, model.noise, model.distance, about)


def _diversity(images: Tensor) -> float:
    """The mean distance of two images, 0 where there is one."""
    return torch.pdist(images.flatten(1).cpu()).mean().item() if len(images) > 1 else 0.0


def _finite(module: nn.Module) -> bool:
    return all(torch.isfinite(local(t)).all() for t in module.state_dict().values())
