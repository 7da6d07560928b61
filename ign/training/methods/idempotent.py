"""The Idempotent Generative Network."""

__all__ = ["Idempotent"]

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from torch import nn

from ign.data import ImageSet
from ign.objective import IGNObjective
from ign.training.config import Config
from ign.training.methods.method import Batch, Method, Turn, codes_of

FITTED = 2_000
"""From how many images the deviations of the code are told, where it is rounded."""


class Idempotent(Method):
    """One network, one loss: :class:`ign.objective.IGNObjective`."""

    terms = ("total", "rec", "idem", "tight", "match", "tell", "fool", "sharp")
    restores = True
    compiles = True
    remedy = "network.norm role, objective.clamp_ratio 1.5 or a lower learning_rate"

    def __init__(self, network: nn.Module, config: Config):
        super().__init__(network, config)
        self.objective = IGNObjective(**asdict(config.objective))

    @property
    def anchored(self) -> bool:
        return self.objective.match_weight > 0

    def compile_step(self, **how: Any) -> None:
        self.objective.compile(fullgraph=self.objective.one_pass, **how)

    def turns(self, network: Any, batch: Batch) -> Iterator[Turn]:
        losses = self.objective(network, **vars(batch))
        yield Turn(losses.total, vars(losses))

    def complete(self, network: Any, images: ImageSet) -> None:
        if network.rounding:
            network.fit(codes_of(images, FITTED, network))
