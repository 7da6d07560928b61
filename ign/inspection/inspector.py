"""The inspector: how far networks move the patch features of an image, where, and whether it is
flagged."""

__all__ = ["TOP", "Findings", "Inspector", "PatchNetwork"]

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ign.anomaly import Calibration
from ign.inspection.features import PatchFeatures
from ign.project import evaluating

TOP = {"max": 0.0, "top": 0.003, "mean": 1.0}
"""The share of the patches, at least one, whose mean is the score of an image."""
DECIMALS = 5
"""The number of decimals of a score, whose last bits depend on the batch size."""


SMALLEST = 1e-6
"""The smallest scale of a network."""


class PatchNetwork(nn.Module):
    """f on the features of a patch: three linear layers with GELU, added to the input.

    Args:
        dimension: The number of features D.
        width: The number of units of a hidden layer.

    Shape:
        (B, D) to the same.
    """

    def __init__(self, dimension: int, width: int = 256):
        super().__init__()
        self.config = {"dimension": dimension, "width": width}
        self.shape = (dimension,)
        self.layers = nn.Sequential(
            nn.Linear(dimension, width), nn.GELU(), nn.Linear(width, width), nn.GELU(),
            nn.Linear(width, dimension),
        )  # fmt: skip

    def forward(self, y: Tensor) -> Tensor:
        moved: Tensor = self.layers(y)
        return y + moved


class Findings(NamedTuple):
    """The result for a batch of images.

    Attributes:
        score: (B,), at least 0; small for good parts.
        map: (B, H, W) at the resolution of the images.
        flag: (B,) bool, whether the score is above the calibrated threshold; False for a model that
            is not calibrated.
    """

    score: Tensor
    map: Tensor
    flag: Tensor


class Inspector(nn.Module):
    r"""An IGN on whitened patch features, and how it scores images.

    With the features :math:`y` of a patch and n networks,

    .. math:: m(y) = \Big( \frac{1}{n} \sum_i \frac{|f_i(y) - y|^2}{c_i^2} \Big)^{1/2}, \qquad
        c_i^2 = \mathbb{E}_{good} |f_i(y) - y|^2

    is its value in the map, about 1 for good parts. The score of the image is the mean over the
    patches with the largest values.

    Args:
        features: The patch features, fitted to good parts.
        networks: The networks.
        backbone: The name of the backbone, in :data:`ign.inspection.BACKBONES`.
        score: ``max``, ``top`` or ``mean``: the mean over one patch, 0.3 % or all of them.
        about: Facts about the training, which are saved with the model.

    Attributes:
        calibration: Thresholds of ``image``, the score, and ``pixel``, the largest value of a map;
            None for a model that is not calibrated.
    """

    scales: Tensor

    def __init__(
        self,
        features: PatchFeatures,
        networks: list[nn.Module],
        backbone: str,
        score: str = "top",
        about: dict[str, Any] | None = None,
    ):
        super().__init__()
        if score not in TOP:
            raise ValueError(f"score {score!r} is unknown; choose {', '.join(TOP)}")
        self.features, self.networks = features, nn.ModuleList(networks)
        self.backbone, self.score, self.about = backbone, score, dict(about or {})
        self.calibration: Calibration | None = None
        self.register_buffer("scales", torch.ones(len(networks)))
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def fit_scales(self, patches: Tensor) -> None:
        """Take the scale of each network from whitened patches of good parts, (N, D)."""
        moved = [(network(patches) - patches).square().sum(1).mean() for network in self.networks]
        self.scales.copy_(torch.stack(moved).sqrt().clamp(min=SMALLEST))

    @property
    def value_range(self) -> tuple[float, float] | None:
        """The values that are black and white in images of more than 8 bits."""
        found = self.about.get("value_range")
        return (float(found[0]), float(found[1])) if found else None

    def facts(self) -> dict[str, Any]:
        """The model and its training as names with numbers and strings."""
        found = {
            "images": f"of any size, resized to {self.features.size} x {self.features.size}",
            "backbone": self.backbone,
            "features": len(self.features.mean),
            "parameters": sum(p.numel() for p in self.networks.parameters()),
            "score": self.score,
            **self.about,
        }
        if known := self.calibration:
            found["calibration"] = f"{known.rate:.1%} of {known.images:,} images of {known.data}"
        return found

    def displacement(self, patches: Tensor) -> Tensor:
        """The value of each patch, (..., D) to (...)."""
        moved = [
            (network(patches) - patches).square().sum(-1) / self.scales[i].square()
            for i, network in enumerate(self.networks)
        ]
        return torch.stack(moved).mean(0).sqrt()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and maps of the patches, (B, 3, H, W) in [0, 255] to (B,) and (B, h, w)."""
        values = self.displacement(self.features(images))
        return self.image_score(values), values

    def image_score(self, values: Tensor) -> Tensor:
        """The score of images from their maps, (B, h, w) to (B,)."""
        flat = values.flatten(1)
        count = max(1, round(TOP[self.score] * flat.shape[1]))
        return torch.topk(flat, count, 1).values.mean(1)

    @torch.no_grad()
    def inspect(self, images: Tensor) -> Findings:
        """Scores, maps at the resolution of the images, and flags, in evaluation mode.

        Args:
            images: (B, 3, H, W) or (B, 1, H, W), uint8, or floating point in [0, 255].

        Raises:
            ValueError: The shape or the values are wrong.
        """
        if images.ndim != 4 or images.shape[1] not in (1, 3) or not len(images):
            raise ValueError(f"images are {tuple(images.shape)}; an inspector takes (B, 3, H, W)")
        device = self.features.mean.device
        with evaluating(self):
            score, values = self(images.to(device).float().expand(-1, 3, -1, -1))
        if not score.isfinite().all():
            raise ValueError("an image gives a score that is not finite; are its values finite?")
        score = score.cpu().double().round(decimals=DECIMALS)
        known = self.calibration
        flag = known.flag(score, "image") if known else torch.zeros(len(score), dtype=torch.bool)
        return Findings(score, enlarged(values, images.shape[-2:]).cpu(), flag)

    def calibrate(
        self, scores: Tensor, peaks: Tensor, rate: float = 0.05, data: str = ""
    ) -> Calibration:
        """Take the thresholds from good parts that the model was not trained on.

        Args:
            scores: The scores of their images, (n,).
            peaks: The largest values of their maps, (n,).
            rate: The share of good parts that may be flagged.
            data: A description of the images.

        Raises:
            ValueError: As :meth:`ign.anomaly.Calibration.fit`.
        """
        rounded = scores.double().cpu().round(decimals=DECIMALS)
        found = Calibration.fit({"image": rounded, "pixel": peaks.double().cpu()}, rate, data)
        self.calibration = found
        return found


def enlarged(values: Tensor, sides: tuple[int, int] | torch.Size) -> Tensor:
    """Maps at another resolution, (B, h, w) to (B, H, W), interpolated linearly."""
    return F.interpolate(values[:, None], size=tuple(sides), mode="bilinear", align_corners=False)[
        :, 0
    ]
