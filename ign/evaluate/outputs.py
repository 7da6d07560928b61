"""The outputs of a feature net on a set of images, cached for sets that do not change."""

__all__ = ["NetOutputs", "as_uint8", "cached_outputs", "check_finite", "digest", "net_outputs"]

import hashlib
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from ign.core.files import atomic
from ign.data import ImageSet, to_float, to_uint8
from ign.data.storage import cache_folder, key
from ign.evaluate.inception import Net
from ign.model import BATCH

VERSION = 1
"""A part of every key. Raise it when the same net returns other outputs for the same images."""
SLACK = 1e-3


class NetOutputs(NamedTuple):
    """The outputs of a feature net on N images.

    Attributes:
        features: (N, D).
        probabilities: The probability of each class, (N, K); None for a net without classes.
    """

    features: Tensor
    probabilities: Tensor | None


def as_uint8(images: ImageSet | Tensor, what: str = "images") -> Tensor:
    """Convert images to bytes, rounded to the nearest level.

    Args:
        images: An image set, or (N, C, H, W) in [-1, 1].
        what: The name of the images in error messages.

    Raises:
        ValueError: The images are not floating point, hold NaN or infinity, have values outside
            [-1, 1], or have no value below 0, as images in [0, 1] do.
    """
    if isinstance(images, ImageSet):
        return images.images
    if images.ndim != 4 or not images.numel():
        raise ValueError(f"{what} are {tuple(images.shape)}; give (N, C, H, W)")
    if not images.is_floating_point():
        raise ValueError(f"{what} are {images.dtype}; give floating point in [-1, 1]")
    check_finite(images, what)
    low, high = images.min().item(), images.max().item()
    if low < -1 - SLACK or high > 1 + SLACK or low >= 0:
        raise ValueError(
            f"values of {what} run from {low:.3g} to {high:.3g}; give them in [-1, 1], black -1"
        )
    return to_uint8(images)


def check_finite(images: Tensor, what: str, start: int = 0) -> Tensor:
    """Return the images unchanged, if they are finite.

    Args:
        images: (N, ...).
        what: The name of the images in the error message.
        start: The number of the first image.

    Raises:
        ValueError: An image holds NaN or infinity.
    """
    bad = ~torch.isfinite(images.flatten(1)).all(1)
    if bad.any():
        raise ValueError(f"{what}: number {start + int(bad.nonzero()[0])} holds NaN or infinity")
    return images


def digest(tensors: Sequence[Tensor]) -> str:
    """The SHA-256 of the shapes, types and values of tensors."""
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(f"{tuple(tensor.shape)} {tensor.dtype}".encode())
        for part in tensor.detach().reshape(-1).split(2**24):
            found.update(part.cpu().contiguous().view(torch.uint8).numpy())
    return found.hexdigest()


def net_outputs(
    net: Net, images: Tensor, batch_size: int = BATCH, advance: Callable[[int], object] = int
) -> NetOutputs:
    """Run a feature net on images.

    Args:
        net: The net.
        images: (N, C, H, W) uint8.
        batch_size: The number of images in one pass through the net.
        advance: Called after each batch with the number of its images.

    Returns:
        The outputs, on the CPU.
    """
    features, probabilities = [], []
    for part in images.split(batch_size):
        found, classes = net.outputs(to_float(part))
        features.append(found.float().cpu())
        probabilities += [] if classes is None else [classes.float().cpu()]
        advance(len(part))
    return NetOutputs(torch.cat(features), torch.cat(probabilities) if probabilities else None)


def cached_outputs(
    net: Net,
    images: Tensor,
    cache: str | os.PathLike[str] | None = None,
    batch_size: int = BATCH,
    advance: Callable[[int], object] = int,
) -> NetOutputs:
    """Run a feature net on images, or read its outputs from the cache.

    The key is a hash of the images and of the net. A damaged file is computed again; a file that
    cannot be written gives a warning. The outputs of a net without a hash, which was never saved
    or loaded, are not cached.

    Args:
        net: The net.
        images: (N, C, H, W) uint8.
        cache: The cache folder; None for ``IGN_CACHE`` or ``~/.cache/ign``.
        batch_size: The number of images in one pass through the net.
        advance: Called after each batch with the number of its images.
    """
    if not net.hash:
        return net_outputs(net, images, batch_size, advance)
    name = f"{net.name or 'net'}-{key([VERSION, digest([images]), net.hash])}.safetensors"
    path = cache_folder(cache) / "features" / name
    found = _read(path, len(images))
    if found is not None:
        advance(len(images))
        return found
    found = net_outputs(net, images, batch_size, advance)
    _write(path, found)
    return found


def _read(path: Path, n: int) -> NetOutputs | None:
    """Read the outputs for n images; None for a missing or damaged file."""
    try:
        with safe_open(path, framework="pt") as file:
            wanted = (file.metadata() or {}).get("sha256")
        found = load_file(path)
        features = found["features"]
    except (OSError, SafetensorError, KeyError):
        return None
    outputs = NetOutputs(features, found.get("probabilities"))
    sound = len(features) == n and wanted == _digest(outputs)
    return outputs if sound else None


def _write(path: Path, found: NetOutputs) -> None:
    tensors = {k: v.contiguous() for k, v in found._asdict().items() if v is not None}
    try:
        with atomic(path) as file:
            file.write_bytes(save(tensors, {"sha256": _digest(found)}))
    except OSError as error:
        warnings.warn(
            f"{path} cannot be written ({error.strerror or error}), so the features are not"
            " cached; set the environment variable IGN_CACHE to another folder",
            stacklevel=2,
        )


def _digest(found: NetOutputs) -> str:
    return digest([tensor for tensor in found if tensor is not None])
