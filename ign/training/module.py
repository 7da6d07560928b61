"""The training step as a LightningModule that owns network, method and data."""

__all__ = ["Training", "learning_rate_factor"]

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
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
from ign.objective import restoration_noise
from ign.training.config import Config
from ign.training.methods import Batch, Method, Update

COUNTER = "epoch_loop.manual_optimization.optim_step_progress"
"""The key of a checkpoint under which Lightning counts the steps of manual optimization."""

ANCHOR_STEPS = 8
"""The number of steps with the same anchors, since drawing many images takes time."""
FINAL_RATE = 0.01
"""The factor of the learning rate at the end of the schedule and afterwards."""


class Training(LightningModule):
    """One network, one method, one optimizer.

    A step consists of the method's updates, one after another: the loss over all micro-batches,
    then the optimizer. Adam skips parameters without a gradient, so one optimizer is enough for
    networks that are updated in turn.

    The input of a step depends only on the seed, the step and the position in the batch. Order,
    flips and noise are therefore the same after a restart and for any number of processes.

    Args:
        model: The model to train.
        method: The training method.
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
        if self.config.compile:
            cuda = self.trainer.strategy.root_device.type == "cuda"
            self.method.compile_step(mode="reduce-overhead" if cuda else None)
            self.draw = torch.compile(self.draw)  # type: ignore[method-assign]

    def configure_model(self) -> None:
        """Shard the network and its average, if the strategy does so."""
        if self.device_mesh is not None:
            for network in (self.model.network, self.average.network):
                network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
                shard(network, self.device_mesh["data_parallel"])

    def micro_batch(self, processes: int) -> int:
        """The size of a micro-batch on each process.

        Raises:
            ValueError: The batch does not divide evenly, or several processes are to compile.
        """
        if processes > 1 and self.config.compile:
            raise ValueError("compile works in one process only; leave it out")
        parts = processes * self.config.trainer.accumulate_grad_batches
        if self.config.batch_size % parts:
            raise ValueError(
                f"batch_size {self.config.batch_size} is not a multiple of {parts}"
                " (processes times micro-batches)"
            )
        return self.config.batch_size // parts

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store tensors contiguously, which every strategy can read."""
        checkpoint["images"] = list(self.images.images.shape)
        for name in ("state_dict", "optimizer_states"):
            checkpoint[name] = apply_to_collection(checkpoint[name], Tensor, Tensor.contiguous)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Check the images, and take the step from the checkpoint, whichever loop counted it."""
        before, now = checkpoint["images"], list(self.images.images.shape)
        if before != now:
            raise ValueError(
                f"the run was trained on {before} images (number, channels, height, width), but"
                f" {self.config.data} holds {now}; give the same images with --data"
            )
        counted = checkpoint["loops"]["fit_loop"][COUNTER]["total"]
        counted.update(ready=checkpoint["global_step"], completed=checkpoint["global_step"])
        if self.device_mesh is None:
            for states in checkpoint["optimizer_states"]:
                self._match_layout(states["state"])

    def _match_layout(self, states: dict[int, dict[str, Tensor]]) -> None:
        """Give Adam's moments the memory layout of their parameters, which fused Adam needs."""
        for i, p in enumerate(self._trainable()):
            for name, moment in states.get(i, {}).items():
                if moment.shape == p.shape:
                    states[i][name] = torch.empty_like(p, dtype=moment.dtype).copy_(moment).detach()

    def _leaves(self) -> list[nn.Parameter] | None:
        """The only tensors that need a gradient; None for all that ask for one.

        Constant copies of samples ask for one (:func:`ign.objective.terms.constant`), which is
        computed separately. Several processes reduce the gradients of all tensors as usual.
        """
        return self._trainable() if self.trainer.world_size == 1 else None

    def _trainable(self) -> list[nn.Parameter]:
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
        parts = [self._losses(self.global_step, first) for first in self._offsets()]
        self.losses = {}
        for update in range(self.method.updates):
            optimizer.zero_grad()
            for i, part in enumerate(parts, 1):
                loss, terms = next(part)
                with self._no_sync(i < len(parts)):
                    self.manual_backward(loss / len(parts), inputs=self._leaves())
                self.losses |= {name: term.detach() for name, term in terms.items()}
                del loss, terms  # and with them what the passes have stored
            last = update == self.method.updates - 1
            (optimizer if last else optimizer.optimizer).step()  # Lightning counts the last
        self.lr_schedulers().step()  # type: ignore[union-attr]
        self.average.update(self.model.network, self.global_step - 1)

    @contextmanager
    def _no_sync(self, local: bool) -> Iterator[None]:
        """Keep the gradients of a backward pass in the process; the last pass reduces them all."""
        wrapper: Any = self.trainer.strategy.model
        network: Any = self.model.network
        if self.device_mesh is not None:
            network.set_requires_gradient_sync(not local)
        with wrapper.no_sync() if local and hasattr(wrapper, "no_sync") else nullcontext():
            yield

    def _offsets(self) -> range:
        """The positions in the step's batch at which this process's micro-batches begin."""
        count = self.micro_batch(self.trainer.world_size)
        first = self.trainer.global_rank * count
        return range(first, self.config.batch_size, self.trainer.world_size * count)

    def _losses(self, step: int, first: int) -> Iterator[Update]:
        """The losses of one micro-batch of a step."""
        batch = self.batch(step, first, self.micro_batch(self.trainer.world_size))
        yield from self.method.losses(self.model.network, batch)

    def batch(self, step: int, first: int, count: int) -> Batch:
        """The input at the positions first to first + count of a step."""
        seed, start = self.config.seed, step * self.config.batch_size + first
        index = torch.arange(first, first + count, device=self.device)
        flip = None
        if self.config.flip:
            flip = random.uniform(random.keys(seed, "flip", step, index)) < 0.5
        images, chosen = self.on_device(order(len(self.images), seed, start, count))
        x, z = self.draw(images, chosen, flip, random.keys(seed, "noise", step, index))
        noise = None
        if self.method.denoise:
            noise = restoration_noise(seed, step, index, x.shape[1:], self.method.denoise)
        return Batch(x, z, noise, self.anchors(step), first)

    def draw(
        self, images: Tensor, chosen: Tensor, flip: Tensor | None, key: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The chosen uint8 images, mirrored and converted to [-1, 1], and the noise of the keys."""
        return to_float(images[chosen], flip), self.model.noise.at(key)

    def on_device(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Images on this module's device, and the indices of the chosen ones among them.

        If the whole set is stored on the device, it is returned. Otherwise only the chosen images
        are transferred, as bytes.
        """
        images = self.images.images
        if images.device == self.device:
            return images, chosen.to(self.device)
        images = images[chosen].to(self.device)
        return images, torch.arange(len(chosen), device=self.device)

    def anchors(self, step: int) -> Tensor | None:
        """Additional images, (M, C, H, W), which change every 8 steps, if the method needs them."""
        if not self.method.anchors:
            return None
        turn = step // ANCHOR_STEPS
        if self._anchors is None or self._anchors[0] != turn:
            count = min(self.method.anchors, len(self.images))
            chosen = order(len(self.images), self.config.seed, turn * count, count)
            images, chosen = self.on_device(chosen)
            self._anchors = turn, to_float(images[chosen])
        return self._anchors[1]

    def configure_optimizers(self) -> Any:
        config = self.config
        optimizer = torch.optim.Adam(
            self._trainable(), config.learning_rate, config.betas, fused=True
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, partial(learning_rate_factor, config)
        )
        return {"optimizer": optimizer, "lr_scheduler": schedule}


def learning_rate_factor(config: Config, step: int) -> float:
    r"""The factor of the learning rate at a step.

    .. math:: \operatorname{clip}\left( \frac{h - t}{d h}, 0.01, 1 \right)

    where t is the step, h the horizon and d the decay of the configuration. The factor is 1 without
    decay. A run that continues beyond its horizon keeps the last rate.
    """
    if not config.decay:
        return 1.0
    horizon = config.horizon or config.steps
    falling = max(1, round(config.decay * horizon))
    return min(1.0, max(FINAL_RATE, (horizon - step) / falling))
