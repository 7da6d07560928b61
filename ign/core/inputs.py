"""Validation and conversion of arguments: whole numbers, and images of several types."""

__all__ = ["Batch", "to_batch", "whole", "whole_numbers"]

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

LARGEST = 8.0
"""Images with a value above this and no negative values are assumed to be in [0, 255]."""


def whole(value: Any, name: str, least: int | None = None) -> int:
    """Convert a whole number, NumPy integer or one-element integer tensor to an ``int``.

    Args:
        value: The number.
        name: The argument's name, for the message.
        least: The smallest number that is allowed, or None for any.

    Raises:
        TypeError: The value is a bool, or is not an integer.
        ValueError: The value is below ``least``, or does not fit into 64 bits.
    """
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {value!r}") from None
    if least is not None and number < least:
        raise ValueError(f"{name} {number} must be at least {least}")
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{name} must be below 2**63 in magnitude")
    return number


class Batch(NamedTuple):
    """Samples with a batch dimension.

    Attributes:
        samples: (B, ...) in floating point.
        added: How many leading dimensions were added: 0 for a batch, 1 for one sample, 2 for one
            gray image without channels.
    """

    samples: Tensor
    added: int


def to_batch(images: Any, shape: tuple[int, ...]) -> Batch:
    r"""Convert images to a floating-point batch (B, \*shape).

    Bytes (uint8) become :math:`x / 127.5 - 1`. Floating-point values are left as they are, inside
    or outside [-1, 1].

    Args:
        images: A tensor, a NumPy array, a PIL image, or a list of them: (B, \*shape) or
            \*shape; (H, W) where ``shape`` is (1, H, W).
        shape: The shape of one sample.

    Raises:
        ValueError: The shape or the type is wrong, or the values are in [0, 255].
    """
    values = _tensor(images, shape)
    added = 0
    if tuple(values.shape) == shape:
        added = 1
    elif len(shape) == 3 and shape[0] == 1 and tuple(values.shape) == shape[1:]:
        added = 2
    values = values[(None,) * added]
    if tuple(values.shape[1:]) != shape or not len(values):
        raise ValueError(_wrong_shape(tuple(values.shape), shape))
    if values.dtype == torch.uint8 and len(shape) == 3:
        return Batch(values.float() / 127.5 - 1, added)
    if not values.is_floating_point():
        kind = str(values.dtype).removeprefix("torch.")
        more = ", or uint8 in [0, 255]" if len(shape) == 3 else ""
        raise ValueError(f"images are {kind}; give floating point in [-1, 1]{more}")
    if len(shape) == 3 and values.min() >= 0 and values.max() > LARGEST:
        raise ValueError(
            f"images hold values up to {values.max().item():g} and none below 0; this model takes"
            " [-1, 1]: convert images in [0, 255] with x / 127.5 - 1"
        )
    return Batch(values, added)


def _tensor(images: Any, shape: tuple[int, ...]) -> Tensor:
    """A tensor, an array, a PIL image or a list of them as one tensor."""
    if isinstance(images, Tensor):
        return images
    if isinstance(images, list | tuple) and images:
        parts = [to_batch(one, shape) for one in images]
        if any(not part.added for part in parts):
            raise ValueError("a list must hold single images; join batches with torch.cat")
        return torch.cat([part.samples for part in parts])
    if hasattr(images, "convert") and hasattr(images, "mode"):
        return _from_pil(images, shape)
    if isinstance(images, np.ndarray) and images.dtype != object:
        native = np.ascontiguousarray(images, images.dtype.newbyteorder("="))
        return torch.as_tensor(native if native.flags.writeable else native.copy())
    kind = type(images).__name__
    raise ValueError(f"images are of type {kind}; give a tensor, a NumPy array or PIL images")


def _from_pil(image: Any, shape: tuple[int, ...]) -> Tensor:
    """A PIL image as uint8, (C, H, W), with as many channels as the model has."""
    modes = {1: "L", 3: "RGB"}
    if len(shape) != 3 or shape[0] not in modes:
        raise ValueError(f"a PIL image does not fit a model of samples {shape}; give a tensor")
    if image.mode not in ("1", "L", "P", "RGB"):
        raise ValueError(
            f"the PIL image has mode {image.mode}; convert it first: image.convert('RGB')"
        )
    pixels = np.array(image.convert(modes[shape[0]]))
    if pixels.shape[:2] != shape[1:]:
        width, height = image.size
        raise ValueError(
            f"the PIL image is {width} x {height}; this model takes {shape[2]} x {shape[1]}:"
            f" image.resize(({shape[2]}, {shape[1]}))"
        )
    return torch.from_numpy(pixels).reshape(*shape[1:], shape[0]).permute(2, 0, 1)


def _wrong_shape(found: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """Why images of this shape are refused, and what to do where the cause is known."""
    wanted = ", ".join(map(str, shape))
    text = f"images are {found}; this model takes (B, {wanted})"
    if len(shape) != 3:
        return text
    last = (*shape[1:], shape[0])
    if found in (last, (*found[:1], *last)):
        axes = "2, 0, 1" if found == last else "0, 3, 1, 2"
        return f"{text}: move the channels first, torch.as_tensor(images).permute({axes})"
    if shape[0] == 1 and found[1:] == shape[1:]:
        return f"{text}: add the channel, images[:, None]"
    return text


def whole_numbers(values: Any, name: str, least: int) -> list[int]:
    """A sequence of whole numbers, such as ``[1, 2]``, as a list of ``int``.

    Raises:
        TypeError: It is not a sequence, or one of them is not an integer.
        ValueError: It is empty, or one of them is below ``least``.
    """
    if not isinstance(values, Sequence | np.ndarray | Tensor | range):
        raise TypeError(f"{name} must be a sequence such as [1, 2], not {values!r}")
    if not len(values):
        raise ValueError(f"{name} must be {least} or more, not []")
    found = [whole(value, name) for value in values]
    if min(found) < least:
        raise ValueError(f"{name} must be {least} or more, not {found}")
    return found
