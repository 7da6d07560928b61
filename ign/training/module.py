"""The training step as a LightningModule that owns network, method and data."""

__all__ = ["Training"]

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from lightning import LightningModule
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Tensor, nn

from ign.core import random
from ign.data import ImageSet, order, to_float
from ign.model import IGN
from ign.nn import synchronize
from ign.nn.ema import Average
from ign.nn.sharding import shard
from ign.training.config import Config
from ign.training.methods import Batch, Method, Turn

COUNTER = "epoch_loop.manual_optimization.optim_step_progress"
"""Where Lightning counts the steps of a module that optimizes by itself."""

HELD = 8
"""For how many steps the images that f(z) is matched with stay: drawing so many costs time."""


class Training(LightningModule):
    """One network, one method, one optimizer.

    A step is a turn for each of the method's players: their losses over all micro-batches, then
    the optimizer. Adam passes over what has no gradient, so that it serves each player apart.

    What a step sees is a function of (seed, step, position in the step's batch) alone: order,
    flips and noise are the same after a restart and for any number of processes.

    Args:
        model: The model to train.
        method: How it is trained.
        images: The training images.
        config: The run.
    """

    automatic_optimization = False

    def __init__(self, model: IGN, method: Method, images: ImageSet, config: Config):
        super().__init__()
        self.model, self.method, self.images, self.config = model, method, images, config
        self.average = Average(model.network, config.ema)
        self.losses: dict[str, Tensor] = {}
        self._anchors: tuple[int, Tensor] | None = None

    def setup(self, stage: str) -> None:
        for module in (self.model.network, self.method):
            if self.trainer.world_size > 1:
                synchronize(module)
            if self.device_mesh is None:  # shards are contiguous
                module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.config.trainer.compile:
            cuda = self.trainer.strategy.root_device.type == "cuda"
            self.method.compile_step(mode="reduce-overhead" if cuda else None)
            self.drawn = torch.compile(self.drawn)  # type: ignore[method-assign]

    def configure_model(self) -> None:
        """Share network and average out, where the strategy is one that does."""
        if self.device_mesh is not None:
            for network in (self.model.network, self.average.network):
                network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
                shard(network, self.device_mesh["data_parallel"])

    def part(self, processes: int) -> int:
        """How many images each of so many processes sees at a time.

        Raises:
            ValueError: The batch does not divide into such parts, or several processes are to
                compile the objective.
        """
        if processes > 1 and self.config.trainer.compile:
            raise ValueError("trainer.compile is for one process; leave it out")
        parts = processes * self.config.trainer.accumulate_grad_batches
        if self.config.batch_size % parts:
            raise ValueError(
                f"batch_size {self.config.batch_size} is not a multiple of {parts}"
                " (processes times micro-batches)"
            )
        return self.config.batch_size // parts

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Write tensors in the one order that every strategy reads, channels first."""
        checkpoint["images"] = list(self.images.images.shape)
        for name in ("state_dict", "optimizer_states"):
            checkpoint[name] = apply_to_collection(checkpoint[name], Tensor, Tensor.contiguous)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse other images; take the step from the checkpoint, whichever loop counted it."""
        before, now = checkpoint["images"], list(self.images.images.shape)
        if before != now:
            raise ValueError(
                f"the run was trained on {before} images (number, channels, height, width),"
                f" {self.config.data} holds {now}; give the same with --data"
            )
        counted = checkpoint["loops"]["fit_loop"][COUNTER]["total"]
        counted.update(ready=checkpoint["global_step"], completed=checkpoint["global_step"])
        if self.device_mesh is None:
            for states in checkpoint["optimizer_states"]:
                self._lay_out(states["state"])

    def _lay_out(self, states: dict[int, dict[str, Tensor]]) -> None:
        """Give Adam's moments the memory order of their parameters, which fused Adam relies on."""
        for i, p in enumerate(self._trained()):
            for name, moment in states.get(i, {}).items():
                if moment.shape == p.shape:
                    states[i][name] = torch.empty_like(p, dtype=moment.dtype).copy_(moment).detach()

    def _trained(self) -> list[nn.Parameter]:
        every = [*self.model.network.parameters(), *self.method.parameters()]
        return [p for p in every if p.requires_grad]

    def on_fit_start(self) -> None:
        self.model.network.train()
        self.method.train()
        if self.device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.device)
            if self.images.images.nbytes < free // 4:
                self.images = self.images.to(self.device)

    def training_step(self, batch: Any, batch_idx: int) -> None:
        optimizer: Any = self.optimizers()
        parts = [self._turns(self.global_step, first) for first in self._places()]
        self.losses = {}
        for player in range(self.method.players):
            optimizer.zero_grad()
            for i, part in enumerate(parts, 1):
                loss, terms = next(part)
                with self._alone(i < len(parts)):
                    self.manual_backward(loss / len(parts))
                self.losses |= {name: term.detach() for name, term in terms.items()}
            last = player == self.method.players - 1
            (optimizer if last else optimizer.optimizer).step()  # Lightning counts the last
        self.lr_schedulers().step()  # type: ignore[union-attr]
        self.average.update(self.model.network, self.global_step - 1)

    @contextmanager
    def _alone(self, alone: bool) -> Iterator[None]:
        """Let a backward pass keep its gradients in the process: the last one joins them all."""
        wrapper: Any = self.trainer.strategy.model
        network: Any = self.model.network
        if self.device_mesh is not None:
            network.set_requires_gradient_sync(not alone)
        with wrapper.no_sync() if alone and hasattr(wrapper, "no_sync") else nullcontext():
            yield

    def _places(self) -> range:
        """Where in the step's batch this process's micro-batches begin."""
        count = self.part(self.trainer.world_size)
        first = self.trainer.global_rank * count
        return range(first, self.config.batch_size, self.trainer.world_size * count)

    def _turns(self, step: int, first: int) -> Iterator[Turn]:
        """The turns of one micro-batch of a step."""
        batch = self.batch(step, first, self.part(self.trainer.world_size))
        yield from self.method.turns(self.model.network, batch)

    def batch(self, step: int, first: int, count: int) -> Batch:
        """What the places first to first + count of a step see."""
        seed, start = self.config.seed, step * self.config.batch_size + first
        index = torch.arange(first, first + count, device=self.device)
        flip = None
        if self.config.flip:
            flip = random.uniform(random.keys(seed, "flip", step, index)) < 0.5
        images, chosen = self.near(order(len(self.images), seed, start, count))
        x, z = self.drawn(images, chosen, flip, random.keys(seed, "noise", step, index))
        wanted = self.config.denoise and self.method.restores
        noise = self.noise(x, step, index) if wanted else None
        return Batch(x, z, noise, self.anchors(step))

    def drawn(
        self, images: Tensor, chosen: Tensor, flip: Tensor | None, key: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The chosen of uint8 images, mirrored and in [-1, 1], and the noise of the keys."""
        return to_float(images[chosen], flip), self.model.noise.at(key)

    def noise(self, x: Tensor, step: int, index: Tensor) -> Tensor:
        """Noise of a random level for every second place of a step, none for the others."""
        odd = index % 2 == 1
        key = random.keys(self.config.seed, "denoise", step, index[odd])
        level = self.config.denoise * random.uniform(random.derive(key, "level"), (1, 1, 1))
        noise = torch.zeros_like(x)
        noise[odd] = level * random.normal(key, x.shape[1:])
        return noise

    def near(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Images on this module's device, and where in them the chosen ones lie.

        The whole set where it lies there, else the chosen ones alone, brought as bytes.
        """
        images = self.images.images
        if images.device == self.device:
            return images, chosen.to(self.device)
        images = images[chosen].to(self.device)
        return images, torch.arange(len(chosen), device=self.device)

    def anchors(self, step: int) -> Tensor | None:
        """More images, (M, C, H, W), new ones every 8 steps; None where the method needs none."""
        if not self.method.anchored:
            return None
        turn = step // HELD
        if self._anchors is None or self._anchors[0] != turn:
            count = min(self.config.anchors, len(self.images))
            chosen = order(len(self.images), self.config.seed, turn * count, count)
            images, chosen = self.near(chosen)
            self._anchors = turn, to_float(images[chosen])
        return self._anchors[1]

    def configure_optimizers(self) -> Any:
        config = self.config
        optimizer = torch.optim.Adam(
            self._trained(), config.learning_rate, config.betas, fused=True
        )
        falling = max(1, round(config.decay * config.steps))

        def factor(step: int) -> float:
            return min(1.0, (config.steps - step) / falling) if config.decay else 1.0

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": schedule}
