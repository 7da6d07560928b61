"""Everything that defines a run, as typed fields; the presets are YAML files of the same fields."""

__all__ = [
    "PRESETS",
    "BaselineConfig",
    "Config",
    "NetworkConfig",
    "ObjectiveConfig",
    "TrainerConfig",
    "preset_file",
]

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parent / "presets"
PRESETS = tuple(sorted(p.stem for p in FOLDER.glob("*.yaml")))
"""The names of the presets."""


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
        rounding: Step to which a trained model rounds its code, in deviations of the data's codes,
            so that iterates come to rest; 0 for none.
    """

    width: int = 64
    norm: Literal["batch", "role", "group", "none"] = "role"
    rounding: float = 0.0


@dataclass
class ObjectiveConfig:
    """The objective of ign and listing; the other methods have their own.

    Args:
        distance: l1, l2, or the import path package.module:function of your own.
        rec_weight: Weight of the reconstruction term.
        idem_weight: Weight of the idempotence term.
        tight_weight: Weight of the tightness term.
        clamp_ratio: Ratio a of the clamp of tightness; null for no clamp.
        clamp_scale: Scale of the clamp: batch's L_rec, batch's drift of the noise, or per sample.
        match_weight: Weight of the kernel divergence of f(z) from the data; 0 for none.
        match_bandwidth: Its bandwidth, as a root mean square difference of pixels.
        adversarial_weight: Weight of telling data from f(z) in the encoder's code; 0 for none.
        sharp_weight: Weight of f(x) passing for data too, by the same code; 0 for none.
    """

    distance: str = "l1"
    rec_weight: float = 20.0
    idem_weight: float = 20.0
    tight_weight: float = 2.5
    clamp_ratio: float | None = 1.5
    clamp_scale: Literal["x", "z", "sample"] = "x"
    match_weight: float = 0.0
    match_bandwidth: float = 0.05
    adversarial_weight: float = 0.0
    sharp_weight: float = 0.0


@dataclass
class BaselineConfig:
    """What the baselines have to choose.

    Args:
        beta: Weight of the divergence of the codes in vae.
        margin: Energy that the critic of ebgan grants to samples.
        pull_weight: Weight of the pulling-away term of ebgan; 0 for none.
    """

    beta: float = 1.0
    margin: float = 0.2
    pull_weight: float = 0.1


@dataclass
class TrainerConfig:
    """Where and how Lightning runs the steps.

    Args:
        accelerator: auto, cpu, cuda or mps.
        devices: Number of devices on each node, or auto.
        num_nodes: Number of nodes.
        strategy: auto, ddp, fsdp (FSDP2, docs/scaling.md), or another of Lightning's.
        precision: 32 for single precision, bf16-mixed for bfloat16 autocast, auto for the latter
            where the device computes with bfloat16 natively.
        compile: Whether to compile the objective and the drawing of batches, for method ign.
        accumulate_grad_batches: Micro-batches for each step.
    """

    accelerator: str = "auto"
    devices: int | str = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: Literal["auto", "32", "bf16-mixed"] = "auto"
    compile: bool = False
    accumulate_grad_batches: int = 1


@dataclass
class Config:
    """A training run.

    Args:
        method: ign, or a baseline, whose own learning rate, betas, norm and noise take the place of
            the preset's unless they are given (docs/baselines.md).
        data: digits, mnist, fashion-mnist, a folder of idx files, CelebA's folder, or any folder
            or zip of images.
        size: Side of the square images in pixels; null for what the source suggests.
        gray: Whether to make the images gray; null for what the source suggests.
        limit: Use the first so many images only; null for all.
        flip: Whether to mirror images at random, left to right.
        noise: gaussian, or spectral for noise with the data's frequency statistics.
        network: The network.
        objective: The objective.
        baseline: What the baselines have to choose.
        batch_size: Images for each step, over all devices and micro-batches.
        anchors: Images, for each step, that f(z) is matched with; all where there are fewer.
        denoise: Largest deviation of the noise that half of the images and of the outputs get, for
            f to restore them, by method ign; 0 for none.
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

    method: Literal["ign", "dcgan", "listing", "vae", "autoencoder", "ebgan"] = "ign"
    data: str = "digits"
    size: int | None = None
    gray: bool | None = None
    limit: int | None = None
    flip: bool = False
    noise: Literal["gaussian", "spectral"] = "gaussian"
    network: NetworkConfig = field(default_factory=NetworkConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    baseline: BaselineConfig = field(default_factory=BaselineConfig)
    batch_size: int = 64
    anchors: int = 1500
    denoise: float = 0.0
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
        bounds = {
            "batch_size": (2, None), "steps": (1, None), "every": (1, None),
            "log_every": (1, None), "limit": (2, None), "size": (8, 256), "anchors": (1, None),
            "seed": (-(2**63), 2**63 - 1), "decay": (0, 1),
        }  # fmt: skip
        for name, (least, most) in bounds.items():
            _within(name, getattr(self, name), least, most)
        _within("trainer.accumulate_grad_batches", self.trainer.accumulate_grad_batches, 1)
        _within("trainer.num_nodes", self.trainer.num_nodes, 1)
        for name, value in (("ema", self.ema), *(("betas", b) for b in self.betas)):
            if not 0 <= value < 1:
                raise ValueError(f"{name} {value} must be at least 0 and below 1")
        if not 0 <= self.denoise < math.inf:
            raise ValueError(f"denoise {self.denoise} must be finite and at least 0")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate {self.learning_rate} must be above 0")


def _within(name: str, value: float | None, least: float, most: float | None = None) -> None:
    """Refuse what lies outside the bounds; None is let through."""
    if value is not None and not value >= least:
        raise ValueError(f"{name} {value} must be at least {least}")
    if value is not None and most is not None and not value <= most:
        raise ValueError(f"{name} {value} must be at most {most}")
