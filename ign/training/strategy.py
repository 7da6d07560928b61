"""How a run is spread over processes: which Lightning strategy, how many of them."""

__all__ = ["Sharded", "spread"]

import os
from inspect import signature
from typing import Any

from lightning.fabric.plugins.environments import TorchElasticEnvironment
from lightning.pytorch.strategies import DDPStrategy, ModelParallelStrategy
from torch.nn.parallel import DistributedDataParallel

from ign.training.config import Config
from ign.training.methods import METHODS


class Sharded(ModelParallelStrategy):
    """FSDP2 over all processes; checkpoints in one file, as every other strategy writes them."""

    def __init__(self) -> None:
        super().__init__(save_distributed_checkpoint=False)

    def setup_environment(self) -> None:
        self._data_parallel_size = self.num_nodes * self.num_processes
        self._tensor_parallel_size = 1
        super().setup_environment()


def spread(config: Config) -> dict[str, Any]:
    """The Trainer's devices, nodes and strategy; under torchrun the first two are torchrun's.

    Raises:
        ValueError: The method cannot be sharded.
    """
    where = config.trainer
    devices, nodes, strategy = where.devices, where.num_nodes, where.strategy
    if TorchElasticEnvironment.detect():
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // devices
    several = nodes > 1 or (isinstance(devices, int) and devices > 1)
    if strategy == "auto" and several:
        strategy = "ddp"
    return {"devices": devices, "num_nodes": nodes, "strategy": _strategy(strategy, config.method)}


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
