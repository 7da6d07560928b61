"""Editing in the space of images: what lies under a mask or a patch, made to fit its surroundings.

A mask is True (or 1) where the network shall paint, False (or 0) where the image stands.
"""

__all__ = ["composite", "inpaint"]

import torch
from torch import Tensor

from ign.model import BATCH, IGN


def inpaint(
    model: IGN,
    images: Tensor,
    mask: Tensor,
    applications: int = 1,
    seed: int = 0,
    keep: bool = False,
    batch_size: int = BATCH,
    start: int = 0,
) -> Tensor:
    r"""Replace what a mask covers by noise, and project.

    .. math:: f^k(y), \quad y = (1 - m) \, x + m \, z, \qquad \text{or with } \mathrm{keep}
        \quad y_k, \quad y_{j + 1} = (1 - m) \, x + m \, f(y_j), \quad y_0 = y

    Where the given pixels are kept, they are laid over the result of every application, so that
    several of them, ten say, fit the hole to what surrounds it (``docs/results.md``).

    Args:
        model: The model, whose noise fills the mask.
        images: x, (B, C, H, W) in [-1, 1].
        mask: m, bool or 0 and 1: (H, W), or (B, 1, H, W) for one each.
        applications: k.
        seed: The seed of z; another one gives another variation.
        keep: Whether the pixels outside the mask stay as they are.
        batch_size: How many pass through the network at a time.
        start: The number of the first image; image i gets the noise of sample i.

    Returns:
        (B, C, H, W) in [-1, 1].

    Raises:
        ValueError: Images or a mask of another size, a mask that is missing, covers nothing, or
            holds other values than 0 and 1.

    References:
        Shocher et al., 2024, Figure 9 (arXiv 2311.01462).
    """
    z = model.latents(torch.arange(start, start + len(images)), seed)
    return _painted(model, images, z, _mask(images, mask), applications, keep, batch_size)


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
    r"""Paste a patch of noise, or of another image, on images, and project.

    Args:
        model: The model.
        images: x, (B, C, H, W) in [-1, 1].
        patch: (C, h, w), such as a part of one z, no larger than the images.
        top: The row of x where its first row goes.
        left: The column of x where its first column goes.
        applications: k.
        keep: Whether the pixels outside the patch stay as they are, as in :func:`inpaint`.
        batch_size: How many pass through the network at a time.

    Returns:
        (B, C, H, W) in [-1, 1].

    Raises:
        ValueError: A patch of other channels, without pixels, or that reaches beyond the images.

    References:
        Shocher et al., 2024, Figure 10 (arXiv 2311.01462).
    """
    channels, height, width = images.shape[-3:]
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
    pasted = torch.zeros_like(images)
    pasted[..., top:bottom, left:right] = patch.to(images)
    return _painted(model, images, pasted, _mask(images, mask), applications, keep, batch_size)


def _painted(
    model: IGN,
    images: Tensor,
    paint: Tensor,
    mask: Tensor,
    applications: int,
    keep: bool,
    batch_size: int,
) -> Tensor:
    """The projection of the images with the paint inside the mask."""
    images, paint = (model.check(part).to(model.device, torch.float32) for part in (images, paint))
    mask, y = mask.to(model.device), paint
    for _ in range(applications if keep else 0):
        y = model.project(torch.where(mask, y, images), 1, batch_size)
    y = torch.where(mask, y, images)
    return y if keep else model.project(y, applications, batch_size)


def _mask(images: Tensor, mask: Tensor | None) -> Tensor:
    """The mask as (1 or B, 1, H, W) bool on the images' device."""
    if mask is None:
        raise ValueError("there is no mask; give one, 1 where the network shall paint")
    sides = tuple(images.shape[-2:])
    shapes = (sides, (1, 1, *sides), (len(images), 1, *sides))
    if tuple(mask.shape) not in shapes:
        wanted = " or ".join(map(str, (shapes[0], shapes[-1])))
        raise ValueError(f"mask is {tuple(mask.shape)}; these images take {wanted}")
    if mask.dtype != torch.bool and not ((mask == 0) | (mask == 1)).all():
        raise ValueError("a mask holds 0 and 1 only; compare it with a level first")
    mask = mask.bool().view(-1, 1, *sides).to(images.device)
    if not mask.flatten(1).any(1).all():
        raise ValueError("the mask covers nothing; set it to 1 where the network shall paint")
    return mask
