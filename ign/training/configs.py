"""The configuration of each method: the fields of a run, which its preset and options set.

This module imports no PyTorch, so that the command line can list the options without it.
"""

__all__ = [
    "CONFIGS",
    "AdversarialConfig",
    "AutoencoderConfig",
    "CodeConfig",
    "DCGANConfig",
    "EBGANConfig",
    "IGNConfig",
    "IGNNetworkConfig",
    "ListingConfig",
    "MatchConfig",
    "ObjectiveConfig",
    "PaperObjectiveConfig",
    "VAEConfig",
    "config_class",
]

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ign.training.config import LARGEST, Config, NetworkConfig, within


@dataclass
class PaperObjectiveConfig:
    """The objective of the paper, with the values of the listing.

    Args:
        distance: l1, l2, or the import path package.module:function of your own distance.
        rec_weight: Weight of the reconstruction loss.
        idem_weight: Weight of the idempotence loss.
        tight_weight: Weight of the tightness loss.
        clamp_ratio: Ratio a of the clamp of tightness; null for no clamp.
    """

    distance: str = "l2"
    rec_weight: float = 1.0
    idem_weight: float = 1.0
    tight_weight: float = 0.1
    clamp_ratio: float | None = None


@dataclass
class IGNNetworkConfig(NetworkConfig):
    """The network, a DCGAN autoencoder for the size of the images.

    Args:
        norm: Batch norm, batch norm with statistics for each role, group norm, or none.
        rounding: Step to which a trained model rounds its code, in standard deviations of the
            data's codes, so that iterates come to rest; 0 for no rounding.
        decoder_norm: Normalization of the decoder; null for the norm of the encoder.
        code_norm: Whether to give the code a fixed scale, with statistics for each role.
    """

    norm: Literal["batch", "role", "group", "none"] = "role"  # type: ignore[assignment]
    rounding: float = 0.0
    decoder_norm: Literal["batch", "role", "group", "none"] | None = None
    code_norm: bool = False


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
class CodeConfig:
    """Idempotence of the code, an addition to the paper.

    Args:
        weight: Weight of the error of the code that the encoder finds for a sample; 0 for none.
        own_weight: Weight with which f learns to reconstruct its own samples.
    """

    weight: float = 0.0
    own_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.own_weight and not self.weight:
            raise ValueError(
                "code.own_weight needs a code.weight above 0: set both, or own_weight to 0"
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
        code: Idempotence of the code.
        match: The match term.
        denoise: Largest standard deviation of the noise that is added to every second image and
            sample, and that the network learns to remove; 0 for none.
        compile: Whether to compile the step, in runs of one process.
    """

    recipe: ClassVar[tuple[str, ...]] = ()
    method: Literal["ign"] = "ign"
    noise: Literal["gaussian", "spectral"] = "gaussian"
    network: IGNNetworkConfig = field(default_factory=IGNNetworkConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    adversarial: AdversarialConfig = field(default_factory=AdversarialConfig)
    code: CodeConfig = field(default_factory=CodeConfig)
    match: MatchConfig = field(default_factory=MatchConfig)
    denoise: float = 0.0
    compile: bool = False

    @property
    def distance(self) -> str:
        return self.objective.distance

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.code.weight and not self.adversarial.weight:
            raise ValueError(
                "code.weight needs an adversarial.weight above 0: set both, or code.weight and"
                " code.own_weight to 0"
            )
        if not 0 <= self.denoise < math.inf:
            raise ValueError(f"denoise {self.denoise} must be finite and at least 0")


@dataclass
class ListingConfig(Config):
    """A run of method listing.

    Args:
        noise: gaussian, or spectral for noise with the data's frequency statistics.
        objective: The objective of the paper.
    """

    recipe: ClassVar[tuple[str, ...]] = ("learning_rate", "betas", "network.norm", "objective")
    method: Literal["listing"] = "listing"
    noise: Literal["gaussian", "spectral"] = "gaussian"
    learning_rate: float = 1e-4
    objective: PaperObjectiveConfig = field(default_factory=PaperObjectiveConfig)

    @property
    def distance(self) -> str:
        return self.objective.distance


@dataclass
class DCGANConfig(Config):
    """A run of method dcgan."""

    method: Literal["dcgan"] = "dcgan"


@dataclass
class VAEConfig(Config):
    """A run of method vae.

    Args:
        beta: Weight of the divergence of the codes from the prior.
    """

    method: Literal["vae"] = "vae"
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    beta: float = 1.0


@dataclass
class AutoencoderConfig(Config):
    """A run of method autoencoder."""

    method: Literal["autoencoder"] = "autoencoder"
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)


@dataclass
class EBGANConfig(Config):
    """A run of method ebgan.

    Args:
        margin: Energy below which the discriminator increases the energy of samples.
        pull_weight: Weight of the pulling-away term; 0 for none.
    """

    method: Literal["ebgan"] = "ebgan"
    learning_rate: float = 1e-3
    margin: float = 0.2
    pull_weight: float = 0.1


CONFIGS: dict[str, type[Config]] = {
    "ign": IGNConfig,
    "dcgan": DCGANConfig,
    "listing": ListingConfig,
    "vae": VAEConfig,
    "autoencoder": AutoencoderConfig,
    "ebgan": EBGANConfig,
}
"""The configurations by the names of the methods."""


def config_class(method: str) -> type[Config]:
    """The configuration of the method of that name.

    Raises:
        ValueError: There is no such method.
    """
    if method not in CONFIGS:
        raise ValueError(f"method {method!r} is unknown; choose one of {', '.join(CONFIGS)}")
    return CONFIGS[method]
