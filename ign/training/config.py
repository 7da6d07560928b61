"""The fields of a run that all methods share; each method adds its own in a subclass.

Presets are YAML files of the same fields. :mod:`ign.training.configs` has the configuration of each
method, and :data:`ign.training.methods.METHODS` the methods themselves.
"""

__all__ = ["PRESETS", "Config", "NetworkConfig", "TrainerConfig", "preset_file", "within"]

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

FOLDER = Path(__file__).parent / "presets"
PRESETS = tuple(sorted(p.stem for p in FOLDER.glob("*.yaml")))
"""The names of the presets."""


LARGEST = 2**53
"""The largest whole number that a field can have, unless its own bound is smaller."""


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
    """The network, built from the layers of DCGAN for the size of the images.

    Args:
        width: Number of feature maps of the first layer.
        norm: Batch norm, group norm, or no normalization.
    """

    width: int = 64
    norm: Literal["batch", "group", "none"] = "batch"


@dataclass
class TrainerConfig:
    """Devices and precision, as Lightning understands them.

    Args:
        accelerator: auto, cpu, cuda or mps.
        devices: Number of devices on each node, or auto.
        num_nodes: Number of nodes.
        strategy: auto, ddp, fsdp (FSDP2, see docs/scaling.md), or another of Lightning's.
        precision: 32 for single precision, bf16-mixed for bfloat16 autocast; auto for the latter if
            the device computes with bfloat16 natively.
        accumulate_grad_batches: Number of micro-batches for each step.
    """

    accelerator: str = "auto"
    devices: int | str = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: Literal["auto", "32", "bf16-mixed"] = "auto"
    accumulate_grad_batches: int = 1


@dataclass
class Config:
    """A training run.

    Args:
        method: The training method, ign or a baseline (see docs/baselines.md).
        data: digits, mnist, fashion-mnist, a folder of idx files, CelebA's folder, or any folder
            or zip of images.
        size: Side of the square images in pixels; null for what the source suggests.
        gray: Whether to convert the images to gray; null for what the source suggests.
        limit: Number of images to use, counted from the first one; null for all.
        range: Values that become black and white in images of more than 8 bits, such as 0:4095 or
            1%:99%; null to find them.
        skip_broken: Whether to train however many images cannot be read.
        flip: Whether to mirror images at random, left to right.
        network: The network.
        batch_size: Number of images for each step, over all devices and micro-batches.
        steps: Number of optimizer steps.
        learning_rate: Learning rate of Adam.
        decay: Share of the learning-rate schedule, at its end, over which the rate falls linearly
            to a hundredth.
        horizon: Step at which the learning-rate schedule ends; null for the number of steps. A
            resumed run keeps its horizon.
        betas: Betas of Adam.
        ema: Decay of the moving average of the weights that becomes the model; 0 for no average.
        seed: Seed of initialization, order, flips and noise.
        every: Steps between checks: held-out measures, sample grid, checkpoint.
        log_every: Steps between rows of the log.
        trainer: Devices and precision.
    """

    recipe: ClassVar[tuple[str, ...]] = ("learning_rate", "betas", "noise", "network.norm")
    """Fields that a preset, whose values suit method ign, does not set for this method."""

    method: str = "ign"
    data: str = "digits"
    size: int | None = None
    gray: bool | None = None
    limit: int | None = None
    range: str | None = None
    skip_broken: bool = False
    flip: bool = False
    network: NetworkConfig = field(default_factory=NetworkConfig)
    batch_size: int = 64
    steps: int = 10000
    learning_rate: float = 2e-4
    decay: float = 0.0
    horizon: int | None = None
    betas: tuple[float, float] = (0.5, 0.999)
    ema: float = 0.999
    seed: int = 0
    every: int = 500
    log_every: int = 20
    trainer: TrainerConfig = field(default_factory=TrainerConfig)

    @property
    def distance(self) -> str:
        """The distance of the drift."""
        return "l1"

    @property
    def noise(self) -> str:
        """The noise that samples are generated from."""
        return "gaussian"

    @property
    def compile(self) -> bool:
        """Whether the step is compiled."""
        return False

    def __post_init__(self) -> None:
        bounds = {
            "batch_size": (2, LARGEST), "steps": (1, LARGEST), "every": (1, LARGEST),
            "log_every": (1, LARGEST), "limit": (2, LARGEST), "size": (8, 256),
            "horizon": (1, LARGEST),
            "seed": (-(2**63), 2**63 - 1), "decay": (0, 1),
        }  # fmt: skip
        for name, (least, most) in bounds.items():
            within(name, getattr(self, name), least, most)
        within("trainer.accumulate_grad_batches", self.trainer.accumulate_grad_batches, 1, LARGEST)
        within("trainer.num_nodes", self.trainer.num_nodes, 1, LARGEST)
        within("network.width", self.network.width, 1, LARGEST)
        for name, value in (("ema", self.ema), *(("betas", b) for b in self.betas)):
            if not 0 <= value < 1:
                raise ValueError(f"{name} {value} must be at least 0 and below 1")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate {self.learning_rate} must be finite and above 0")


def within(name: str, value: float | None, least: float, most: float | None = None) -> None:
    """Check that a value lies within bounds; None is allowed.

    Raises:
        ValueError: The value is out of bounds.
    """
    if value is not None and not value >= least:
        raise ValueError(f"{name} {value} must be at least {least}")
    if value is not None and most is not None and not value <= most:
        raise ValueError(f"{name} {value} must be at most {most}")
