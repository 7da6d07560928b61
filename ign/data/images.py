"""A set of images in memory or on disk, and the way from bytes to [-1, 1] and back."""

__all__ = ["ImageSet", "check_range", "to_float", "to_uint8"]

import hashlib
import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

HASHED = 2**24
"""About how many bytes are hashed at once."""


def to_float(x: Tensor, flip: Tensor | None = None) -> Tensor:
    """Turn uint8 values into float32 in [-1, 1]: x / 127.5 - 1.

    Args:
        x: uint8, any shape; (B, C, H, W) where ``flip`` is given.
        flip: (B,) bool, which of the images to mirror left to right.

    Raises:
        ValueError: The values are not uint8.
    """
    if x.dtype != torch.uint8:
        raise ValueError(f"to_float takes uint8 images, not {x.dtype}")
    if flip is not None:
        x = torch.where(flip[:, None, None, None], x.flip(-1), x)
    return x.float().div_(127.5).sub_(1)


def to_uint8(x: Tensor) -> Tensor:
    """Turn values in [-1, 1] into the nearest of the 256 levels; what lies outside is clamped.

    Raises:
        ValueError: The values are not floating-point numbers.
    """
    if not x.is_floating_point():
        raise ValueError(f"to_uint8 takes floating-point images, not {x.dtype}")
    return x.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def check_range(images: Tensor, what: str = "images") -> Tensor:
    """Return images as they are, unless their values cannot be meant for [-1, 1].

    Noise and other degradations may exceed [-1, 1], so only values of another scale are refused:
    none below 0 and some above 2, as in images of 0 to 255.

    Args:
        images: Any shape.
        what: What an error calls them.

    Raises:
        ValueError: The values are not floating-point numbers, NaN or infinite, or of another scale.
    """
    if not images.is_floating_point():
        raise ValueError(f"{what} are {images.dtype}; give floating point in [-1, 1]")
    if not images.numel() or images.device.type == "meta":
        return images
    low, high = (value.item() for value in images.detach().aminmax())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{what} hold NaN or infinity; give floating point in [-1, 1]")
    if low >= 0 and high > 2:
        raise ValueError(
            f"values of {what} run from {low:.3g} to {high:.3g}; give them in [-1, 1], black -1, "
            "as ign.data.to_float makes them from bytes"
        )
    return images


@dataclass
class ImageSet:
    """Images of one shape, as uint8.

    Args:
        images: (N, C, H, W) uint8, in memory or mapped from a file, which is read-only.
        labels: (N,) int64, or None where the source has none.
        names: The name of each image.
        source: What the images were loaded from.
        skipped: (name, reason) of each image that could not be read.
        value_range: The values that became black and white; None where all images have 8 bits.
        notes: What else happened to the images on reading, a line for each thing.
    """

    images: Tensor
    labels: Tensor | None
    names: list[str]
    source: str
    skipped: list[tuple[str, str]] = field(default_factory=list)
    value_range: tuple[float, float] | None = None
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one image, (C, H, W)."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def __getitem__(self, index: int | slice | Tensor) -> Tensor:
        """One image, (C, H, W), or several, (B, C, H, W): float32 in [-1, 1].

        A :class:`torch.utils.data.DataLoader` can therefore read the set as it is.

        Raises:
            IndexError: There is no such image.
        """
        return to_float(self.images[index])

    def fingerprint(self) -> str:
        """Compute a hash of the shape and of every pixel, 32 hexadecimal digits.

        Two sets have the same fingerprint where their images are the same, in the same order;
        names, labels and the device do not count. The hash is BLAKE2b (RFC 7693).
        """
        digest = hashlib.blake2b(repr(tuple(self.images.shape)).encode(), digest_size=16)
        step = max(1, HASHED // max(1, self.images[:1].numel()))
        for block in self.images.split(step):
            digest.update(block.cpu().contiguous().numpy().data)
        return digest.hexdigest()

    def batch(self, index: Tensor, flip: Tensor | None = None) -> Tensor:
        """The images at those positions, in [-1, 1].

        Args:
            index: (B,) int64.
            flip: (B,) bool, which of them to mirror left to right.

        Shape:
            (B, C, H, W) float32, on the device of the images.
        """
        device = self.images.device
        flip = None if flip is None else flip.to(device)
        return to_float(self.images[index.to(device)], flip)

    def to(self, device: torch.device | str) -> "ImageSet":
        """The same set with images and labels on another device."""
        labels = None if self.labels is None else self.labels.to(device)
        return replace(self, images=self.images.to(device), labels=labels)
