"""Patch features: the maps of a backbone on one grid, whitened with statistics of good parts."""

__all__ = ["STRIDE", "PatchFeatures", "resize"]

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STRIDE = 8
"""The side of the cell of a patch in pixels."""
REGULARITY = 0.01
"""What is added to each variance of a standardized direction before it is scaled to 1."""
CONSTANT = 1e-4
"""The smallest standard deviation of a feature that counts as varying."""


class PatchFeatures(nn.Module):
    r"""Whitened features of each patch of an image.

    The maps of the backbone are brought to the grid of the finest, and stacked to the features
    :math:`h` of each patch. With mean :math:`\mu`, standard deviations :math:`s`, and the
    eigenvectors :math:`V` and eigenvalues :math:`\lambda` of the correlations over good parts, the
    result is

    .. math:: y = \mathrm{diag}(\lambda + 0.01)^{-1/2} \, V^T \, \frac{h - \mu}{s}

    The distances are Mahalanobis distances.

    Args:
        backbone: A module from (B, 3, size, size) in [0, 1] to maps, the finest first.
        size: The side to which images are resized, a multiple of 32. Nothing is cut off.
        dimension: The number of features; None to find it from the backbone.

    Shape:
        (B, 3, H, W) in [0, 255] of any side to (B, size / 8, size / 8, D).
    """

    mean: Tensor
    matrix: Tensor

    def __init__(self, backbone: nn.Module, size: int = 320, dimension: int | None = None):
        super().__init__()
        self.backbone, self.size = backbone, size
        if dimension is None:
            with torch.no_grad():
                dimension = self.raw(torch.zeros(1, 3, size, size)).shape[-1]
        self.register_buffer("mean", torch.zeros(dimension))
        self.register_buffer("matrix", torch.eye(dimension))

    def raw(self, images: Tensor) -> Tensor:
        """The features before whitening, (B, 3, H, W) in [0, 255] to (B, h, w, D)."""
        maps = self.backbone(resize(images, self.size) / 255)
        sides = maps[0].shape[-2:]
        same = [maps[0]] + [
            F.interpolate(m, size=sides, mode="bilinear", align_corners=False)
            if m.shape[-1] != sides[1] else m
            for m in maps[1:]
        ]  # fmt: skip
        return torch.cat(same, 1).permute(0, 2, 3, 1)

    def forward(self, images: Tensor) -> Tensor:
        whitened: Tensor = (self.raw(images) - self.mean) @ self.matrix
        return whitened

    @torch.no_grad()
    def fit(self, patches: Tensor) -> Tensor:
        """Take mean and whitening from patches of good parts.

        Args:
            patches: Features before whitening, (N, D).

        Returns:
            The whitened patches, (N, D).

        Raises:
            ValueError: No feature varies between the patches.
        """
        mean, std = patches.mean(0), patches.std(0)
        varies = std > CONSTANT
        if not varies.any():
            raise ValueError(
                "the good images show nothing: all of their patches are equal; are they all black?"
            )
        scale = torch.where(varies, 1 / std.clamp(min=CONSTANT), 0.0)
        correlation = torch.cov(((patches - mean) * scale).T).double()
        variance, vectors = torch.linalg.eigh(correlation)
        white = vectors / (variance.clamp(min=0) + REGULARITY).sqrt()
        self.mean.copy_(mean)
        self.matrix.copy_(scale[:, None] * white.float())
        return (patches - self.mean) @ self.matrix


def resize(images: Tensor, size: int) -> Tensor:
    """Resize images of any sides to squares with a bilinear filter that averages when it shrinks.

    Args:
        images: (B, 3, H, W).
        size: The side of the result.
    """
    return F.interpolate(
        images.float(), size=(size, size), mode="bilinear", antialias=True, align_corners=False
    )
