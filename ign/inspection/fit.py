"""Training of an inspector: an IGN on the patch features of good parts, and its thresholds."""

__all__ = ["InspectConfig", "Progress", "fit_inspector"]

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ign.data.files import File
from ign.inspection.backbone import default_backbone, load_backbone
from ign.inspection.features import PatchFeatures, resize
from ign.inspection.inspector import TOP, Inspector, PatchNetwork
from ign.inspection.reading import find_value_range, read_parts
from ign.objective import IGNObjective

LEAST = 4
"""The smallest number of good images."""
SHARE = 0.2
"""The share of the good images that are kept for calibration."""
MULTIPLE = 32
SCALED = 10_000
"""The number of patches from which the scales of the networks are found."""
Progress = Callable[[int, int, dict[str, float]], None]
"""Called with the step, the number of steps and the losses."""


@dataclass
class InspectConfig:
    """The training of an inspector.

    Args:
        backbone: The frozen network that gives the features, efficientnet-lite0 or pixels; null for
            the first if ign-torch[inspect] is installed.
        size: Side in pixels to which images are resized, without cutting anything off.
        networks: Number of networks, whose displacements are averaged.
        width: Number of units of a hidden layer.
        steps: Number of optimizer steps for each network.
        batch_size: Number of patches for each step.
        learning_rate: Largest learning rate of Adam.
        noise: Largest standard deviation of the noise that the first network has to remove, in
            units of the features' standard deviation.
        noise_last: The same for the last network; those between are spaced evenly in the logarithm.
        rec_weight: Weight of the reconstruction.
        idem_weight: Weight of the idempotence.
        tight_weight: Weight of the tightness.
        patches: Number of patches to train on, drawn from all images.
        score: The part of the map whose mean is the score: max, top or mean.
        rate: Largest share of good parts to flag.
        seed: Seed of the split, the patches, the networks and the noise.
    """

    backbone: str | None = None
    size: int = 256
    networks: int = 3
    width: int = 192
    steps: int = 500
    batch_size: int = 256
    learning_rate: float = 2e-3
    noise: float = 0.5
    noise_last: float = 4.0
    rec_weight: float = 1.0
    idem_weight: float = 1.0
    tight_weight: float = 0.1
    patches: int = 150_000
    score: str = "top"
    rate: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        bounds = {
            "size": (64, 1024), "networks": (1, 16), "width": (8, 4096), "steps": (1, 10**6),
            "batch_size": (2, 65536), "patches": (100, 10**7), "seed": (0, 2**63 - 1),
        }  # fmt: skip
        for name, (least, most) in bounds.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} {getattr(self, name)} must be from {least} to {most}")
        if self.size % MULTIPLE:
            raise ValueError(f"size {self.size} must be a multiple of {MULTIPLE}")
        if not 0 < self.rate < 1:
            raise ValueError(f"rate {self.rate} must be above 0 and below 1")
        if self.score not in TOP:
            raise ValueError(f"score {self.score!r} is unknown; choose {', '.join(TOP)}")
        for name in ("learning_rate", "noise", "noise_last"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} {getattr(self, name)} must be above 0 and finite")


def fit_inspector(
    files: Sequence[File],
    config: InspectConfig | None = None,
    data: str = "",
    report: Progress | None = None,
    backbone: nn.Module | None = None,
) -> Inspector:
    r"""Train an inspector on images of good parts, and calibrate it on a fifth of them.

    The networks are trained with :class:`ign.objective.IGNObjective` on whitened patch features x,
    with all three terms. The noise z is another patch plus Gaussian noise of a random scale, and
    the networks also remove such noise from x and from f(z). f(y) then estimates the patch without
    noise, and :math:`|f(y) - y|` grows with the distance from the good patches. Each network has
    its own largest scale: small noise shows small deviations, large noise shows what is far away.

    Args:
        files: Images of good parts.
        config: The options.
        data: A description of the images.
        report: Called after each step.
        backbone: A backbone to use instead of one of :data:`ign.inspection.BACKBONES`. The
            inspector can be loaded if it is registered there under the name ``config.backbone``.

    Raises:
        DataError: More than 5 % of the images cannot be read.
        ValueError: There are fewer than four images, or they do not differ.
    """
    config = config or InspectConfig()
    if len(files) < LEAST:
        count = f"{len(files)} good image" + "s" * (len(files) != 1)
        raise ValueError(f"{data or 'the data'}: {count}; at least {LEAST} are needed")
    name = config.backbone or (default_backbone() if backbone is None else "own")
    training, held_out = split(files, config)
    value_range = find_value_range(files)
    features = PatchFeatures(backbone or load_backbone(name), config.size)
    patches = collect(features, training, config, value_range)
    patches = features.fit(patches)
    networks = [train_network(patches, config, i, report) for i in range(config.networks)]
    about: dict[str, Any] = {
        "method": "inspect", "data": data, "training_images": len(training),
        **{k: v for k, v in asdict(config).items() if k not in ("backbone", "score", "size")},
    }  # fmt: skip
    if value_range is not None:
        about["value_range"] = list(value_range)
    inspector = Inspector(features, networks, name, config.score, about)
    inspector.fit_scales(patches[torch.randperm(len(patches), generator=_generator(
        config.seed, "scales"))[:SCALED]])  # fmt: skip
    _calibrate(inspector, held_out, config.rate, data)
    return inspector


def split(files: Sequence[File], config: InspectConfig) -> tuple[list[File], list[File]]:
    """Images for training and for calibration, at random; neither is empty."""
    wanted = math.ceil((1 - config.rate) / config.rate - 1e-9)
    count = min(max(math.ceil(SHARE * len(files)), wanted), len(files) // 2)
    order = torch.randperm(len(files), generator=_generator(config.seed, "split")).tolist()
    chosen = {*order[:count]}
    return (
        [file for i, file in enumerate(files) if i not in chosen],
        [file for i, file in enumerate(files) if i in chosen],
    )


def _generator(seed: int, stream: str) -> torch.Generator:
    from zlib import crc32

    return torch.Generator().manual_seed((seed * 2**20 + crc32(stream.encode())) % 2**63)


@torch.no_grad()
def collect(
    features: PatchFeatures,
    files: Sequence[File],
    config: InspectConfig,
    value_range: tuple[float, float] | None,
) -> Tensor:
    """Features of randomly chosen patches of the images before whitening, (N, D)."""
    generator = _generator(config.seed, "patches")
    each = max(1, -(-config.patches // len(files)))
    found = []
    for _, image in read_parts(files, value_range, "features of the good images"):
        raw = features.raw(resize(image[None], config.size)).flatten(0, 2)
        found.append(raw[torch.randperm(len(raw), generator=generator)[:each]])
    return torch.cat(found)


def train_network(
    patches: Tensor, config: InspectConfig, number: int, report: Progress | None = None
) -> nn.Module:
    """Train one of the networks on whitened patches, (N, D)."""
    generator = _generator(config.seed, f"network {number}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
        network = PatchNetwork(patches.shape[1], config.width)
    objective = IGNObjective(
        "l2", config.rec_weight, config.idem_weight, config.tight_weight, clamp_ratio=1.5
    )
    optimizer = torch.optim.Adam(network.parameters(), config.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=config.steps + 1, pct_start=0.1
    )
    total, sigma = config.steps * config.networks, scale_of(config, number)
    for step in range(config.steps):
        x, z, noise = _draw(patches, config, sigma, generator)
        losses = objective(network, x, z, noise)
        optimizer.zero_grad()
        losses.total.backward()
        optimizer.step()
        schedule.step()
        if report:
            terms = {name: float(term) for name, term in losses.terms.items()}
            report(number * config.steps + step + 1, total, terms)
    if not all(p.isfinite().all() for p in network.parameters()):
        raise ValueError("the training diverged; use a lower --learning-rate")
    return network


def scale_of(config: InspectConfig, number: int) -> float:
    """The largest standard deviation of the noise of a network."""
    part = number / max(1, config.networks - 1)
    return float(config.noise * (config.noise_last / config.noise) ** part)


def _draw(
    patches: Tensor, config: InspectConfig, sigma: float, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Patches x, noise z around other patches, and the noise to remove, (B, D) each."""
    shape = config.batch_size, patches.shape[1]
    x, other = (
        patches[torch.randint(len(patches), shape[:1], generator=generator)] for _ in range(2)
    )
    first, second = (
        sigma
        * torch.rand(shape[0], 1, generator=generator)
        * torch.randn(shape, generator=generator)
        for _ in range(2)
    )
    return x, other + first, second


def _calibrate(inspector: Inspector, files: Sequence[File], rate: float, data: str) -> None:
    """Fit the thresholds; with too few images, at the smallest rate that they allow."""
    scores, peaks = [], []
    for _, image in read_parts(files, inspector.value_range, "scores of held-out good images"):
        found = inspector.inspect(image[None])
        scores.append(found.score)
        peaks.append(found.map.max()[None])
    least = 1 / (len(scores) + 1)
    inspector.calibrate(torch.cat(scores), torch.cat(peaks), max(rate, least), data)
