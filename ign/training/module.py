"""The training step as a LightningModule that owns network, objective and data."""

__all__ = ["Training"]

from typing import Any

import torch
from lightning import LightningModule
from torch import Tensor

from ign import random
from ign.data import ImageSet, order
from ign.model import IGN
from ign.nn.ema import Average
from ign.objective import IGNObjective, Losses
from ign.training.config import Config


class Training(LightningModule):
    """One network, one objective, one optimizer.

    What a step sees is a function of (seed, step, position in the step's batch) alone: order,
    flips and noise are the same after a restart and for any number of processes.

    Args:
        model: The model to train.
        objective: The objective.
        images: The training images.
        config: The run.
    """

    def __init__(self, model: IGN, objective: IGNObjective, images: ImageSet, config: Config):
        super().__init__()
        self.model, self.objective, self.images, self.config = model, objective, images, config
        self.average = Average(model.network, config.ema)
        self.losses: Losses | None = None
        self._step, self._micro = -1, 0

    def setup(self, stage: str) -> None:
        self._part = self.part(self.trainer.world_size)
        self.model.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def part(self, processes: int) -> int:
        """How many images each of so many processes sees at a time.

        Raises:
            ValueError: The batch does not divide into such parts.
        """
        parts = processes * self.config.trainer.accumulate_grad_batches
        if self.config.batch_size % parts:
            raise ValueError(
                f"batch_size {self.config.batch_size} is not a multiple of {parts}"
                " (processes times micro-batches)"
            )
        return self.config.batch_size // parts

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["images"] = list(self.images.images.shape)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse other images, and begin with a step's first micro-batch, however many it has."""
        before, now = checkpoint["images"], list(self.images.images.shape)
        if before != now:
            raise ValueError(
                f"the run was trained on {before} images (number, channels, height, width),"
                f" {self.config.data} holds {now}; give the same with --data"
            )
        done = checkpoint["global_step"] * self.config.trainer.accumulate_grad_batches
        progress = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]["current"]
        progress.update(ready=done, started=done, processed=done, completed=done - 1)

    def on_fit_start(self) -> None:
        self.model.network.train()
        if self.device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.device)
            if self.images.images.nbytes < free // 4:
                self.images = self.images.to(self.device)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        first = self._position()
        x, z = self.batch(self.global_step, first, self._part)
        self.losses = self.objective(self.model.network, x, z, self.anchors(self.global_step))
        return self.losses.total

    def _position(self) -> int:
        """The place in the step's batch at which this process's next micro-batch begins."""
        if self._step != self.global_step:
            self._step, self._micro = self.global_step, 0
        part = self._micro * self.trainer.world_size + self.trainer.global_rank
        self._micro += 1
        return part * self._part

    def batch(self, step: int, first: int, count: int) -> tuple[Tensor, Tensor]:
        """Data and noise at the places first to first + count of a step, (count, C, H, W) each."""
        seed, start = self.config.seed, step * self.config.batch_size + first
        index = torch.arange(first, first + count, device=self.device)
        chosen = order(len(self.images), seed, start, count)
        flip = None
        if self.config.flip:
            flip = random.uniform(random.keys(seed, "flip", step, index)) < 0.5
        x = self.images.batch(chosen, flip).to(self.device)
        return x, self.model.noise.at(random.keys(seed, "noise", step, index))

    def anchors(self, step: int) -> Tensor | None:
        """The images that f(z) is matched with in this step, (M, C, H, W); None for none."""
        if not self.objective.match_weight:
            return None
        count = min(self.config.anchors, len(self.images))
        chosen = order(len(self.images), self.config.seed, step * count, count)
        return self.images.batch(chosen).to(self.device)

    def configure_optimizers(self) -> Any:
        config = self.config
        optimizer = torch.optim.Adam(
            self.model.network.parameters(), config.learning_rate, config.betas, fused=True
        )
        falling = max(1, round(config.decay * config.steps))

        def factor(step: int) -> float:
            return min(1.0, (config.steps - step) / falling) if config.decay else 1.0

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }
