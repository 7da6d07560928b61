"""The Lightning strategy of a run, and its number of processes."""

__all__ = ["Sharded", "placement"]

import os
from inspect import signature
from typing import Any

import torch
from lightning.fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from lightning.pytorch.strategies import DDPStrategy, ModelParallelStrategy
from torch.nn.parallel import DistributedDataParallel

from ign.training.config import Config
from ign.training.methods import METHODS
from ign.training.precision import device_of


class Sharded(ModelParallelStrategy):
    """FSDP2 over all processes, with checkpoints of one file as with other strategies."""

    def __init__(self) -> None:
        super().__init__(save_distributed_checkpoint=False)

    def setup_environment(self) -> None:
        self._data_parallel_size = self.num_nodes * self.num_processes
        self._tensor_parallel_size = 1
        super().setup_environment()


def placement(config: Config) -> dict[str, Any]:
    """The Trainer's devices, nodes, strategy and plugins; torchrun sets the first two.

    A run of one process ignores the environment variables of a cluster.

    Raises:
        ValueError: The number of devices is unknown, or the method cannot be sharded.
    """
    where = config.trainer
    devices, nodes, strategy = (
        _count(where.devices, where.accelerator),
        where.num_nodes,
        where.strategy,
    )
    launched = TorchElasticEnvironment.detect()
    if launched:
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // devices
    several = nodes > 1 or devices > 1
    if strategy == "auto" and several:
        strategy = "ddp"
    return {
        "devices": devices,
        "num_nodes": nodes,
        "strategy": _strategy(strategy, config.method),
        "plugins": [] if several or launched or strategy != "auto" else [LightningEnvironment()],
    }


def _count(devices: int | str, accelerator: str) -> int:
    """The number of devices that ``trainer.devices`` means; ``auto`` and -1 mean all devices.

    Raises:
        ValueError: The value is not a number of devices.
    """
    try:
        count = -1 if devices == "auto" else int(devices)
    except ValueError:
        count = 0
    if count < -1 or count == 0:
        raise ValueError(f"trainer.devices {devices} must be auto, -1 for all, or at least 1")
    if count > 0:
        return count
    return torch.cuda.device_count() if device_of(accelerator) == "cuda" else 1


def _strategy(name: str, method: str) -> Any:
    if name == "ddp":  # statistics are joint and the average follows: no buffer needs a broadcast
        name = "forward_sync_buffers"  # from PyTorch 2.13 on
        known = signature(DistributedDataParallel).parameters
        options: dict[str, Any] = {name if name in known else "broadcast_buffers": False}
        return DDPStrategy(find_unused_parameters=METHODS[method].updates > 1, **options)
    if name == "fsdp":
        if method != "ign":
            raise ValueError(f"trainer.strategy fsdp is for method ign; {method} takes ddp")
        return Sharded()
    return name
