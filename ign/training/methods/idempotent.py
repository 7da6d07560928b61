"""The Idempotent Generative Network."""

__all__ = ["Idempotent"]

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, cast

import torch
from torch import Tensor, nn

from ign import processes
from ign.objective import Features, IGNObjective
from ign.training.config import Config
from ign.training.methods.method import Batch, Method, Turn


class Idempotent(Method):
    """One network, one loss: :class:`ign.objective.IGNObjective`.

    With a feature weight, f(z) is matched with the last ``anchors`` images in the features of the
    averaged network's encoder, from the step on at which so many were seen.

    Raises:
        ValueError: A feature weight, and a network without ``encode``.
    """

    terms = ("total", "rec", "idem", "tight", "match", "feature")
    compiles = True
    remedy = "network.norm role, objective.clamp_ratio 1.5 or a lower learning_rate"
    known: Tensor

    def __init__(self, network: nn.Module, config: Config):
        super().__init__(network, config)
        self.objective = IGNObjective(**asdict(config.objective))
        if self.objective.feature_weight > 0:
            code = self._features(network, torch.zeros(1, *cast(Any, network).shape))
            self.register_buffer("known", torch.zeros(config.anchors, code.shape[1]))
            self.first = math.ceil(config.anchors / config.batch_size)

    @property
    def anchored(self) -> bool:
        return self.objective.match_weight > 0

    def compile_step(self, **how: Any) -> None:
        self.objective.compile(fullgraph=True, **how)

    def turns(self, network: Any, batch: Batch) -> Iterator[Turn]:
        features = self._matched(batch) if self.objective.feature_weight > 0 else None
        losses = self.objective(
            network, batch.x, batch.z, batch.anchors, shown=batch.shown, features=features
        )
        yield Turn(losses.total, vars(losses))

    def _matched(self, batch: Batch) -> Features | None:
        """Take the data of a step in; the features to match with, once there are enough."""
        new = processes.gather(self._features(batch.averaged, batch.x).float())
        self.known = torch.cat([new, self.known])[: len(self.known)]
        return Features(batch.averaged.encode, self.known) if batch.step >= self.first else None

    @torch.no_grad()
    def _features(self, network: Any, x: Tensor) -> Tensor:
        if not hasattr(network, "encode"):
            raise ValueError("objective.feature_weight needs a network with a method encode")
        found: Tensor = network.encode(x)
        return found
