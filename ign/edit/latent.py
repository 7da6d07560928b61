"""Editing noise: interpolation between samples, and attributes."""

__all__ = [
    "METHODS",
    "arithmetic",
    "between",
    "exemplars",
    "find_exemplars",
    "interpolate",
]

from collections.abc import Callable

import torch
from torch import Tensor

from ign.core.inputs import whole
from ign.model import BATCH, IGN

METHODS = ("linear", "spherical")
"""The methods of :func:`between`."""


def between(start: Tensor, end: Tensor, t: Tensor, method: str = "linear") -> Tensor:
    r"""Interpolate between two noise tensors.

    .. math:: z_t = (1 - t) \, z_0 + t \, z_1, \qquad
        z_t = \frac{\sin((1 - t) \omega) \, z_0 + \sin(t \omega) \, z_1}{\sin \omega}

    The first equation is ``linear``. The second is ``spherical``, where :math:`\omega` is the angle
    between the ends; it preserves the length if both ends have the same length. It is undefined
    for parallel ends, for which the linear equation is used.

    Args:
        start: :math:`z_0`, (B, C, H, W).
        end: :math:`z_1`, of the same shape.
        t: The positions, (T,): 0 is the start and 1 is the end.
        method: ``linear``, which the paper uses, or ``spherical``.

    Returns:
        (B, T, C, H, W).

    Raises:
        ValueError: The shapes differ, or the method is unknown.

    References:
        Shocher et al., 2024, Section 4 (arXiv 2311.01462); Shoemake, SIGGRAPH 1985.
    """
    if start.shape != end.shape:
        raise ValueError(
            f"start {tuple(start.shape)} and end {tuple(end.shape)} must have the same shape"
        )
    if method not in METHODS:
        raise ValueError(f"method {method!r} is unknown; choose {' or '.join(METHODS)}")
    t = t.to(start).view(1, -1, 1, 1, 1)
    a, b = 1 - t, t
    if method == "spherical":
        cosine = torch.cosine_similarity(start.flatten(1), end.flatten(1))
        omega = cosine.clamp(-1, 1).arccos().view(-1, 1, 1, 1, 1)
        sine = omega.sin()
        straight = sine < 1e-3
        a, b = (
            torch.where(straight, part, (part * omega).sin() / sine.masked_fill(straight, 1))
            for part in (a, b)
        )
    return a * start[:, None] + b * end[:, None]


def interpolate(
    model: IGN,
    start: Tensor,
    end: Tensor,
    steps: int = 8,
    applications: int = 1,
    method: str = "linear",
    batch_size: int = BATCH,
) -> Tensor:
    r"""Generate images :math:`f^k(z_t)` from noise interpolated by :func:`between`.

    Args:
        model: The model.
        start: The noise at the start, (B, C, H, W).
        end: The noise at the end, of the same shape.
        steps: The number T of images including both ends, at least 2.
        applications: The number k of applications, at least 1.
        method: ``linear`` or ``spherical``.
        batch_size: The number of images that pass through the network at a time.

    Returns:
        (B, T, C, H, W) in [-1, 1].

    Raises:
        ValueError: The shapes differ or do not match the model, there are fewer than two steps, or
            the method is unknown.

    References:
        Shocher et al., 2024, Section 4 (arXiv 2311.01462).
    """
    steps = whole(steps, "steps", 2)
    z = between(start, end, torch.linspace(0, 1, steps), method)
    images = model.trajectory(z.flatten(0, 1), [applications], batch_size, noise=True)[0]
    return images.view(*z.shape)


def arithmetic(
    model: IGN,
    z: Tensor,
    plus: Tensor,
    minus: Tensor,
    applications: int = 1,
    strength: float = 1.0,
    batch_size: int = BATCH,
) -> Tensor:
    r"""Add an attribute to samples: :math:`f^k(s \, (z^+ - z^-) + z)`.

    Args:
        model: The model.
        z: Noise, (B, C, H, W).
        plus: The noise :math:`z^+` of samples with the attribute, (C, H, W).
            :func:`exemplars` and :func:`find_exemplars` return such a pair.
        minus: The noise :math:`z^-` of samples without the attribute, (C, H, W).
        applications: The number k of applications, at least 1.
        strength: The factor s, which is 1 in the paper.
        batch_size: The number of images that pass through the network at a time.

    Returns:
        (B, C, H, W) in [-1, 1].

    Raises:
        ValueError: The shapes differ or do not match the model.

    References:
        Shocher et al., 2024, Section 4, Figure 6 (arXiv 2311.01462).
    """
    for name, one in (("plus", plus), ("minus", minus)):
        if tuple(one.shape) != model.shape:
            raise ValueError(f"{name} is {tuple(one.shape)}; this model's noise is {model.shape}")
    moved = z + strength * (plus - minus).to(z)
    return model.trajectory(moved, [applications], batch_size, noise=True)[0]


def exemplars(z: Tensor, has: Tensor) -> tuple[Tensor, Tensor]:
    r"""Compute the mean noise of the samples with an attribute, and of the samples without it.

    Args:
        z: Noise, (B, C, H, W).
        has: Whether each sample has the attribute, (B,) bool.

    Returns:
        :math:`z^+` and :math:`z^-`, (C, H, W) each.

    Raises:
        ValueError: All samples have the attribute, or no sample has it.
    """
    has = has.bool()
    if len(has) != len(z) or not 0 < has.sum() < len(z):
        raise ValueError(
            f"{int(has.sum())} of {len(z)} samples have the attribute; label some with it and some"
            " without it"
        )
    return z[has].mean(0), z[~has].mean(0)


def find_exemplars(
    model: IGN,
    attribute: Callable[[Tensor], Tensor],
    n: int = 512,
    top: int = 64,
    seed: int = 0,
    applications: int = 1,
) -> tuple[Tensor, Tensor]:
    r"""Compute the mean noise of the samples that score highest, and lowest, on an attribute.

    Args:
        model: The model.
        attribute: A function that scores images, (B, C, H, W) in [-1, 1] to (B,).
        n: The number of samples to choose from.
        top: The number of samples to choose at each end, at most n / 2.
        seed: The seed.
        applications: The number k of applications for the samples.

    Returns:
        :math:`z^+` and :math:`z^-`, (C, H, W) each.

    Raises:
        ValueError: ``top`` is outside 1 to n / 2.
    """
    n, top = whole(n, "n", 1), whole(top, "top")
    if not 1 <= top <= n // 2:
        raise ValueError(f"top {top} must be at least 1 and at most half of n {n}")
    z = model.latents(torch.arange(n), seed)
    order = attribute(model.sample(n, applications, seed)).to(z.device).argsort(descending=True)
    return z[order[:top]].mean(0), z[order[-top:]].mean(0)
