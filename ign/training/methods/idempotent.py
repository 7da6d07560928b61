"""The Idempotent Generative Network."""

__all__ = [
    "AdversarialConfig",
    "IGNConfig",
    "IGNNetworkConfig",
    "Idempotent",
    "MatchConfig",
    "ObjectiveConfig",
]

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from torch import nn

from ign.data import ImageSet
from ign.objective import AdversarialObjective, IGNObjective, MatchObjective
from ign.training.config import LARGEST, Config, NetworkConfig, within
from ign.training.methods.listing import PaperObjectiveConfig
from ign.training.methods.method import Batch, Method, Update, encode_images

ENCODED = 2_000
"""The number of images from which the scale of the code is measured before it is quantized."""


@dataclass
class IGNNetworkConfig(NetworkConfig):
    """The network, a DCGAN autoencoder for the size of the images.

    Args:
        norm: Batch norm, batch norm with statistics for each role, group norm, or none.
        rounding: Step to which a trained model rounds its code, in standard deviations of the
            data's codes, so that iterates come to rest; 0 for no rounding.
    """

    norm: Literal["batch", "role", "group", "none"] = "role"  # type: ignore[assignment]
    rounding: float = 0.0


@dataclass
class ObjectiveConfig(PaperObjectiveConfig):
    """The objective of the paper, with the values of its Table 1.

    Args:
        clamp_scale: Scale of the clamp: the batch's L_rec, its drift of the noise, or per sample.
    """

    distance: str = "l1"
    rec_weight: float = 20.0
    idem_weight: float = 20.0
    tight_weight: float = 2.5
    clamp_ratio: float | None = 1.5
    clamp_scale: Literal["x", "z", "sample"] = "x"


@dataclass
class AdversarialConfig:
    """The adversarial loss in the network's own code, an addition to the paper.

    Args:
        weight: Weight of the discriminator and generator losses; 0 for none.
        reconstruction_weight: Weight of the generator loss on reconstructions; 0 for none.
    """

    weight: float = 0.0
    reconstruction_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.reconstruction_weight and not self.weight:
            raise ValueError(
                "adversarial.reconstruction_weight needs an adversarial.weight above 0: set both,"
                " or reconstruction_weight to 0"
            )


@dataclass
class MatchConfig:
    """The kernel divergence of samples from data, an addition to the paper.

    Args:
        weight: Weight of the term; 0 for none.
        bandwidth: Bandwidth of the kernel, as a root mean square difference of pixels.
        anchors: Number of images that the samples of a step are compared with.
    """

    weight: float = 0.0
    bandwidth: float = 0.05
    anchors: int = 1500

    def __post_init__(self) -> None:
        within("match.anchors", self.anchors, 1, LARGEST)


@dataclass
class IGNConfig(Config):
    """A run of method ign.

    Args:
        noise: gaussian, or spectral for noise with the data's frequency statistics.
        objective: The objective of the paper.
        adversarial: The adversarial loss in the code.
        match: The match term.
        denoise: Largest standard deviation of the noise that is added to every second image and
            sample, and that the network learns to remove; 0 for none.
        compile: Whether to compile the step, in runs of one process.
    """

    method: Literal["ign"] = "ign"
    noise: Literal["gaussian", "spectral"] = "gaussian"
    network: IGNNetworkConfig = field(default_factory=IGNNetworkConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    adversarial: AdversarialConfig = field(default_factory=AdversarialConfig)
    match: MatchConfig = field(default_factory=MatchConfig)
    denoise: float = 0.0
    compile: bool = False

    @property
    def distance(self) -> str:
        return self.objective.distance

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.denoise < math.inf:
            raise ValueError(f"denoise {self.denoise} must be finite and at least 0")


class Idempotent(Method):
    """One network with one loss: :class:`ign.objective.IGNObjective` and its additions."""

    config = IGNConfig
    recipe = ()
    remedy = "network.norm role, objective.clamp_ratio 1.5 or a lower learning_rate"

    def __init__(self, network: nn.Module, config: IGNConfig):
        super().__init__(network, config)
        self.denoise = config.denoise
        self.objective: nn.Module = IGNObjective(**asdict(config.objective))
        self.adversarial = config.adversarial.weight > 0
        self.terms = ("total", "rec", "idem", "tight")
        if self.adversarial:
            self.objective = AdversarialObjective(self.objective, **asdict(config.adversarial))
            self.terms += ("discriminator", "generator")
            self.terms += ("generator_rec",) * (config.adversarial.reconstruction_weight > 0)
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
