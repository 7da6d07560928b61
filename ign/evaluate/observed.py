"""What a net sees in a set of images, kept in the cache folder where the set is a fixed one."""

__all__ = ["Observed", "as_uint8", "digest", "finite", "observe", "observe_cached"]

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
"""Part of every key; raised when a net would see something else in the same images."""
SLACK = 1e-3


class Observed(NamedTuple):
    """Features, (N, D), and the probabilities of classes, (N, K), where the net has classes."""

    features: Tensor
    probabilities: Tensor | None


def as_uint8(images: ImageSet | Tensor, what: str = "images") -> Tensor:
    """Images as bytes, rounded to the nearest level; other ranges than [-1, 1] are refused.

    Args:
        images: A set, whose range is known, or (N, C, H, W) in [-1, 1].
        what: How an error calls them.

    Raises:
        ValueError: Not floating point, NaN or infinity, values outside, or none below 0, as in
            images of [0, 1].
    """
    if isinstance(images, ImageSet):
        return images.images
    if images.ndim != 4 or not images.numel():
        raise ValueError(f"{what} are {tuple(images.shape)}; give (N, C, H, W)")
    if not images.is_floating_point():
        raise ValueError(f"{what} are {images.dtype}; give floating point in [-1, 1]")
    finite(images, what)
    low, high = images.min().item(), images.max().item()
    if low < -1 - SLACK or high > 1 + SLACK or low >= 0:
        raise ValueError(
            f"values of {what} run from {low:.3g} to {high:.3g}; give them in [-1, 1], black -1"
        )
    return to_uint8(images)


def finite(images: Tensor, what: str, start: int = 0) -> Tensor:
    """The images, none of which holds NaN or infinity; the first has the number ``start``.

    Raises:
        ValueError: One does.
    """
    bad = ~torch.isfinite(images.flatten(1)).all(1)
    if bad.any():
        raise ValueError(f"{what}: number {start + int(bad.nonzero()[0])} holds NaN or infinity")
    return images


def digest(tensors: Sequence[Tensor]) -> str:
    """SHA-256 of shapes, types and values."""
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(f"{tuple(tensor.shape)} {tensor.dtype}".encode())
        for part in tensor.detach().reshape(-1).split(2**24):
            found.update(part.cpu().contiguous().view(torch.uint8).numpy())
    return found.hexdigest()


def observe(
    net: Net, images: Tensor, batch_size: int = BATCH, advance: Callable[[int], object] = int
) -> Observed:
    """What the net sees in images, (N, C, H, W) uint8, on the CPU.

    Args:
        net: The net.
        images: The images.
        batch_size: How many pass through the net at a time.
        advance: Told after each batch how many there were.
    """
    features, probabilities = [], []
    for part in images.split(batch_size):
        found, classes = net.observe(to_float(part))
        features.append(found.float().cpu())
        probabilities += [] if classes is None else [classes.float().cpu()]
        advance(len(part))
    return Observed(torch.cat(features), torch.cat(probabilities) if probabilities else None)


def observe_cached(
    net: Net,
    images: Tensor,
    cache: str | os.PathLike[str] | None = None,
    batch_size: int = BATCH,
    advance: Callable[[int], object] = int,
) -> Observed:
    """As :func:`observe`, kept under a hash of the images' content and of the net.

    A file that is damaged is made again; one that cannot be written is a warning. Of a net without
    a hash, one that was never saved or loaded, nothing is kept.

    Args:
        net: The net.
        images: (N, C, H, W) uint8.
        cache: A folder instead of ``IGN_CACHE`` or ``~/.cache/ign``.
        batch_size: How many pass through the net at a time.
        advance: Told after each batch how many there were.
    """
    if not net.hash:
        return observe(net, images, batch_size, advance)
    name = f"{net.name or 'net'}-{key([VERSION, digest([images]), net.hash])}.safetensors"
    path = cache_folder(cache) / "features" / name
    found = _read(path, len(images))
    if found is not None:
        advance(len(images))
        return found
    found = observe(net, images, batch_size, advance)
    _write(path, found)
    return found


def _read(path: Path, n: int) -> Observed | None:
    """The features of n images in a sound file; None where there is none."""
    try:
        with safe_open(path, framework="pt") as file:
            wanted = (file.metadata() or {}).get("sha256")
        found = load_file(path)
        features = found["features"]
    except (OSError, SafetensorError, KeyError):
        return None
    observed = Observed(features, found.get("probabilities"))
    sound = len(features) == n and wanted == _digest(observed)
    return observed if sound else None


def _write(path: Path, found: Observed) -> None:
    tensors = {k: v.contiguous() for k, v in found._asdict().items() if v is not None}
    try:
        with atomic(path) as file:
            file.write_bytes(save(tensors, {"sha256": _digest(found)}))
    except OSError as error:
        warnings.warn(
            f"{path} cannot be written ({error.strerror or error}): features are not kept for the"
            " next time; the environment variable IGN_CACHE names another folder",
            stacklevel=2,
        )


def _digest(found: Observed) -> str:
    return digest([tensor for tensor in found if tensor is not None])
