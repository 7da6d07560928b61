"""Everything that defines a run, as typed fields; the presets are YAML files of the same fields."""

__all__ = [
    "PRESETS",
    "Config",
    "NetworkConfig",
    "ObjectiveConfig",
    "TrainerConfig",
    "preset_file",
]

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parent / "presets"
PRESETS = tuple(sorted(p.stem for p in FOLDER.glob("*.yaml")))


def preset_file(name: str) -> Path:
    """The YAML file of a preset.

    Raises:
        ValueError: There is no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"preset {name!r} is unknown; choose one of {', '.join(PRESETS)}")
    return FOLDER / f"{name}.yaml"


@dataclass
class NetworkConfig:
    """The network, a DCGAN autoencoder of the size of the images.

    Args:
        width: Maps of the first layer.
        norm: Batch norm as published, batch norm with statistics for each role, group norm, none.
    """

    width: int = 64
    norm: Literal["batch", "role", "group", "none"] = "role"


@dataclass
class ObjectiveConfig:
    """The objective.

    Args:
        distance: l1, l2, or the import path package.module:function of your own.
        rec_weight: Weight of the reconstruction term.
        idem_weight: Weight of the idempotence term.
        tight_weight: Weight of the tightness term.
        clamp_ratio: Ratio a of the clamp of tightness; null for no clamp.
        clamp_scale: Scale of the clamp: batch's L_rec, batch's drift of the noise, or per sample.
        match_weight: Weight of the kernel divergence of f(z) from the data; 0 for none.
        match_bandwidth: Its bandwidth, as a root mean square difference of pixels.
    """

    distance: str = "l1"
    rec_weight: float = 20.0
    idem_weight: float = 20.0
    tight_weight: float = 2.5
    clamp_ratio: float | None = 1.5
    clamp_scale: Literal["x", "z", "sample"] = "x"
    match_weight: float = 0.0
    match_bandwidth: float = 0.05


@dataclass
class TrainerConfig:
    """Where and how Lightning runs the steps.

    Args:
        accelerator: auto, cpu, cuda or mps.
        devices: Number of devices on each node, or auto.
        num_nodes: Number of nodes.
        strategy: Lightning's strategy, such as auto or ddp.
        precision: 32 for single precision, bf16-mixed for bfloat16 autocast.
        accumulate_grad_batches: Micro-batches for each step.
    """

    accelerator: str = "auto"
    devices: int | str = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: Literal["32", "bf16-mixed"] = "32"
    accumulate_grad_batches: int = 1


@dataclass
class Config:
    """A training run.

    Args:
        data: digits, mnist, fashion-mnist, a folder of idx files, CelebA's folder, or any folder
            or zip of images.
        size: Side of the square images in pixels; null for what the source suggests.
        gray: Whether to make the images gray; null for what the source suggests.
        limit: Use the first so many images only; null for all.
        flip: Whether to mirror images at random, left to right.
        noise: gaussian, or spectral for noise with the data's frequency statistics.
        network: The network.
        objective: The objective.
        batch_size: Images for each step, over all devices and micro-batches.
        anchors: Images, for each step, that f(z) is matched with; all where there are fewer.
        steps: Optimizer steps.
        learning_rate: Learning rate of Adam.
        decay: Share of the steps, at the end, over which the learning rate falls to zero.
        betas: Betas of Adam.
        ema: Decay of the average of the weights that becomes the model; 0 for no average.
        seed: Seed of initialization, order, flips and noise.
        every: Steps between checks: held-out measures, sample grid, checkpoint.
        log_every: Steps between rows of the log.
        trainer: Devices and precision.
    """

    data: str = "digits"
    size: int | None = None
    gray: bool | None = None
    limit: int | None = None
    flip: bool = False
    noise: Literal["gaussian", "spectral"] = "gaussian"
    network: NetworkConfig = field(default_factory=NetworkConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    batch_size: int = 64
    anchors: int = 1500
    steps: int = 10000
    learning_rate: float = 2e-4
    decay: float = 0.0
    betas: tuple[float, float] = (0.5, 0.999)
    ema: float = 0.999
    seed: int = 0
    every: int = 500
    log_every: int = 20
    trainer: TrainerConfig = field(default_factory=TrainerConfig)

    def __post_init__(self) -> None:
        least = {
            "batch_size": 2, "steps": 1, "every": 1, "log_every": 1, "limit": 2, "size": 8,
        }  # fmt: skip
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and value < bound:
                raise ValueError(f"{name} {value} must be at least {bound}")
        for name in ("decay", "ema"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} {getattr(self, name)} must be between 0 and 1")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate {self.learning_rate} must be above 0")
