"""The Idempotent Generative Network."""

__all__ = ["Idempotent"]

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from torch import nn

from ign.data import ImageSet
from ign.objective import AdversarialObjective, CodeObjective, IGNObjective, MatchObjective
from ign.training.configs import IGNConfig
from ign.training.methods.method import Batch, Method, Update, encode_images

ENCODED = 2_000
"""The number of images from which the scale of the code is measured before it is quantized."""


class Idempotent(Method):
    """One network with one loss: :class:`ign.objective.IGNObjective` and its additions."""

    config = IGNConfig
    remedy = "network.norm role, objective.clamp_ratio 1.5 or a lower learning_rate"

    def __init__(self, network: nn.Module, config: IGNConfig):
        super().__init__(network, config)
        self.denoise = config.denoise
        self.objective: Any = IGNObjective(**asdict(config.objective))
        self.adversarial = config.adversarial.weight > 0
        self.terms = ("total", "rec", "idem", "tight")
        if self.adversarial:
            self.objective = AdversarialObjective(self.objective, **asdict(config.adversarial))
            self.terms += ("discriminator", "generator")
            self.terms += ("generator_rec",) * (config.adversarial.reconstruction_weight > 0)
        if config.code.weight > 0:
            self.objective = CodeObjective(self.objective, **asdict(config.code))
            self.terms += ("code",)
            self.terms += ("code_rec",) * (config.adversarial.reconstruction_weight > 0)
        if config.match.weight > 0:
            match, self.anchors = config.match, config.match.anchors
            self.objective = MatchObjective(self.objective, match.weight, match.bandwidth)
            self.terms += ("match",)

    def compile_step(self, **options: Any) -> None:
        self.objective.compile(fullgraph=self.objective.one_pass, **options)

    def losses(self, network: Any, batch: Batch) -> Iterator[Update]:
        yield self._update(network, batch)  # no local variable keeps the graph alive

    def _update(self, network: Any, batch: Batch) -> Update:
        given: dict[str, Any] = {"noise": batch.noise}
        if self.adversarial:
            given["first"] = batch.first
        if self.anchors:
            given["anchors"] = batch.anchors
        losses = self.objective(network, batch.x, batch.z, **given)
        return Update(losses.total, {"total": losses.total.detach(), **losses.terms})

    def finalize(self, network: Any, images: ImageSet) -> None:
        if network.rounding:
            network.fit(encode_images(images, ENCODED, network))
