"""Editing images: fill the masked pixels or paste a patch, and project the result.

A mask is True (or 1) where the network paints, and False (or 0) where the image is kept.
"""

__all__ = ["composite", "inpaint"]

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ign.core.inputs import to_batch, whole
from ign.model import BATCH, IGN


def inpaint(
    model: IGN,
    images: Tensor,
    mask: Tensor,
    applications: int = 1,
    seed: int | None = 0,
    keep: bool = False,
    batch_size: int = BATCH,
    start: int = 0,
) -> Tensor:
    r"""Replace the masked pixels with noise, and project the result.

    .. math:: f^k(y), \quad y = (1 - m) \, x + m \, z, \qquad \text{or with } \mathrm{keep}
        \quad y_k, \quad y_{j + 1} = (1 - m) \, x + m \, f(y_j), \quad y_0 = y

    With ``keep``, the original pixels are restored outside the mask after every application, so
    that several applications fit the hole to its surroundings.

    Args:
        model: The model, whose noise fills the mask.
        images: The images x, (B, C, H, W) or (C, H, W) in [-1, 1], in any form that
            :class:`ign.IGN` accepts.
        mask: The mask m, a tensor or an array of bool, or of 0 and 1: (H, W), (1, H, W) or
            (1, 1, H, W) for all images, or (B, 1, H, W) for one mask per image.
        applications: The number k of applications.
        seed: The seed of z. Another seed gives another variation. If None, a random seed is used,
            as in :meth:`ign.IGN.sample`.
        keep: Whether to keep the pixels outside the mask unchanged.
        batch_size: The number of images that pass through the network at a time.
        start: The index of the first image. Image i gets the noise of sample i.

    Returns:
        The edited images, of the shape of ``images``, in [-1, 1].

    Raises:
        ValueError: The size of the images or the mask does not match, or the mask is missing,
            covers nothing, or contains values other than 0 and 1.

    References:
        Shocher et al., 2024, Figure 9 (arXiv 2311.01462).
    """
    x, added = to_batch(images, model.shape)
    index = torch.arange(start, start + len(x))
    z = model.latents(index, seed)
    found = _paint(model, x, z, _mask(x, mask), applications, keep, batch_size)
    return found[(0,) * added]


def composite(
    model: IGN,
    images: Tensor,
    patch: Tensor,
    top: int,
    left: int,
    applications: int = 1,
    keep: bool = False,
    batch_size: int = BATCH,
) -> Tensor:
    r"""Paste a patch of noise or of another image into images, and project the result.

    Args:
        model: The model.
        images: The images x, (B, C, H, W) or (C, H, W) in [-1, 1], in any form that
            :class:`ign.IGN` accepts.
        patch: The patch, (C, h, w), such as a part of z. It is not larger than the images.
        top: The row of x where the patch begins.
        left: The column of x where the patch begins.
        applications: The number k of applications.
        keep: Whether to keep the pixels outside the patch unchanged, as in :func:`inpaint`.
        batch_size: The number of images that pass through the network at a time.

    Returns:
        The edited images, of the shape of ``images``, in [-1, 1].

    Raises:
        ValueError: The patch has another number of channels, is empty, or extends beyond the
            images.

    References:
        Shocher et al., 2024, Figure 10 (arXiv 2311.01462).
    """
    x, added = to_batch(images, model.shape)
    channels, height, width = x.shape[1:]
    top, left = whole(top, "top"), whole(left, "left")
    patch = torch.as_tensor(patch)
    if patch.ndim != 3 or len(patch) != channels or not patch.numel():
        raise ValueError(f"patch is {tuple(patch.shape)}; give ({channels}, h, w)")
    bottom, right = top + patch.shape[1], left + patch.shape[2]
    if top < 0 or left < 0 or bottom > height or right > width:
        raise ValueError(
            f"patch: rows {top} to {bottom} and columns {left} to {right} are not inside images"
            f" of {height} x {width}"
        )
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[top:bottom, left:right] = True
    pasted = torch.zeros_like(x)
    pasted[..., top:bottom, left:right] = patch.to(x)
    found = _paint(model, x, pasted, _mask(x, mask), applications, keep, batch_size)
    return found[(0,) * added]


def _paint(
    model: IGN,
    images: Tensor,
    paint: Tensor,
    mask: Tensor,
    applications: int,
    keep: bool,
    batch_size: int,
) -> Tensor:
    """Project the images with the paint inside the mask."""
    applications = whole(applications, "applications", 0)
    images, paint = (part.to(model.device, model.dtype) for part in (images, paint))
    mask, y = mask.to(model.device), paint
    for _ in range(applications if keep else 0):
        y = model.project(torch.where(mask, y, images), 1, batch_size)
    y = torch.where(mask, y, images)
    return y if keep else model.project(y, applications, batch_size)


def _mask(images: Tensor, mask: Any) -> Tensor:
    """Convert a mask to (1 or B, 1, H, W) bool on the device of the images."""
    if mask is None:
        raise ValueError("the mask is missing; give one that is 1 where the network paints")
    if not isinstance(mask, Tensor):
        mask = torch.as_tensor(np.array(mask))
    sides = tuple(images.shape[-2:])
    shapes = (sides, (1, *sides), (1, 1, *sides), (len(images), 1, *sides))
    if tuple(mask.shape) not in shapes:
        wanted = " or ".join(map(str, (shapes[0], shapes[-1])))
        raise ValueError(f"mask is {tuple(mask.shape)}; these images require {wanted}")
    if mask.dtype != torch.bool and not ((mask == 0) | (mask == 1)).all():
        raise ValueError("a mask must be 0 or 1; compare it with a threshold: mask > 127")
    mask = mask.bool().reshape(-1, 1, *sides).to(images.device)
    if not mask.flatten(1).any(1).all():
        raise ValueError("the mask covers nothing; set it to 1 where the network paints")
    return mask
