"""A set of images in memory or on disk, and conversions between uint8 and [-1, 1]."""

__all__ = ["ImageSet", "check_range", "to_float", "to_uint8"]

import hashlib
import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

HASHED = 2**24
"""The approximate number of bytes that are hashed at once."""


def to_float(x: Tensor, flip: Tensor | None = None) -> Tensor:
    """Convert uint8 values to float32 in [-1, 1]: x / 127.5 - 1.

    Args:
        x: uint8 values of any shape; (B, C, H, W) if ``flip`` is given.
        flip: Whether to mirror each image left to right, (B,) bool.

    Raises:
        ValueError: The values are not uint8.
    """
    if x.dtype != torch.uint8:
        raise ValueError(f"to_float takes uint8 images, not {x.dtype}")
    if flip is not None:
        x = torch.where(flip[:, None, None, None], x.flip(-1), x)
    return x.float().div_(127.5).sub_(1)


def to_uint8(x: Tensor) -> Tensor:
    """Convert values in [-1, 1] to the nearest of 256 levels; values outside are clamped.

    Raises:
        ValueError: The values are not floating-point numbers.
    """
    if not x.is_floating_point():
        raise ValueError(f"to_uint8 takes floating-point images, not {x.dtype}")
    return x.float().add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def check_range(images: Tensor, what: str = "images") -> Tensor:
    """Check that images are scaled to [-1, 1], and return them unchanged.

    Noise and other degradations may exceed [-1, 1]. Images are therefore refused only if no value
    is below 0 and some are above 2, as in images of 0 to 255.

    Args:
        images: Images of any shape.
        what: The name of the images in an error message.

    Raises:
        ValueError: The values are not floating-point numbers, are NaN or infinite, or have another
            scale.
    """
    if not images.is_floating_point():
        raise ValueError(f"{what} are {images.dtype}; give floating point in [-1, 1]")
    if not images.numel() or images.device.type == "meta":
        return images
    low, high = (value.item() for value in images.detach().aminmax())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"{what} contain NaN or infinity; give floating point in [-1, 1]")
    if low >= 0 and high > 2:
        raise ValueError(
            f"{what} have values from {low:.3g} to {high:.3g}; scale them to [-1, 1], for example "
            "with ign.data.to_float for uint8 images"
        )
    return images


@dataclass
class ImageSet:
    """A set of uint8 images of one shape.

    Args:
        images: The images, (N, C, H, W) uint8, in memory or mapped from a read-only file.
        labels: The class labels, (N,) int64, or None if the source has no labels.
        names: The name of each image.
        source: The name or path that the images were loaded from.
        skipped: The name of each image that could not be read, and the reason.
        value_range: The values that became black and white; None if all images have 8 bits.
        notes: Remarks about how the images were read, one line each.
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
        """Return one image, (C, H, W), or several, (B, C, H, W), as float32 in [-1, 1].

        A :class:`torch.utils.data.DataLoader` can therefore read the set directly.

        Raises:
            IndexError: The index is out of range.
        """
        return to_float(self.images[index])

    def fingerprint(self) -> str:
        """Compute a hash of the shape and of every pixel, as 32 hexadecimal digits.

        Two sets have the same fingerprint if they contain the same images in the same order.
        Names, labels and the device have no effect. The hash is BLAKE2b (RFC 7693).
        """
        digest = hashlib.blake2b(repr(tuple(self.images.shape)).encode(), digest_size=16)
        step = max(1, HASHED // max(1, self.images[:1].numel()))
        for block in self.images.split(step):
            digest.update(block.cpu().contiguous().numpy().data)
        return digest.hexdigest()

    def batch(self, index: Tensor, flip: Tensor | None = None) -> Tensor:
        """Return the images at the given indices, scaled to [-1, 1].

        Args:
            index: The indices, (B,) int64.
            flip: Whether to mirror each image left to right, (B,) bool.

        Shape:
            (B, C, H, W) float32, on the device of the images.
        """
        device = self.images.device
        flip = None if flip is None else flip.to(device)
        return to_float(self.images[index.to(device)], flip)

    def to(self, device: torch.device | str) -> "ImageSet":
        """Return the same set with images and labels on another device."""
        labels = None if self.labels is None else self.labels.to(device)
        return replace(self, images=self.images.to(device), labels=labels)
