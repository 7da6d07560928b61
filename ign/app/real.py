"""The projection of a drawing, which is first mixed with noise; more freedom means more noise."""

__all__ = ["Real", "make_real"]

from typing import NamedTuple

import torch
from torch import Tensor

from ign.degrade import gaussian_blur
from ign.model import IGN

ROUNDS, TRIES = 3, 64
NEW = 0.6
"""The share of new noise, as a standard deviation, in the candidates of a later round."""
NOISE = 0.5
"""The freedom above which there is more noise than picture."""
UNREST = 2.0
"""The weight of the residual relative to the similarity."""


class Real(NamedTuple):
    """A picture x and its projections.

    Attributes:
        given: y, the input of the network, (1, C, H, W).
        once: f(y).
        twice: f(f(y)).
        changed: |f(y) - x|, mean over the channels, (1, H, W).
    """

    given: Tensor
    once: Tensor
    twice: Tensor
    changed: Tensor


def make_real(
    model: IGN,
    x: Tensor,
    freedom: float = 0.0,
    seed: int = 0,
    tries: int = TRIES,
    rounds: int = ROUNDS,
) -> Real:
    r"""Project a picture, or a mixture of it with noise.

    .. math:: y = (1 - a) \, x + a \, z

    for a below 0.5. From 0.5, y is projected like noise and has the mean and variance of noise:

    .. math:: y = \mu_z + (1 - a) (x - \mu_x) + b (z - \mu_z), \qquad
        b^2 = 1 - (1 - a)^2 \, \sigma_x^2 / \sigma_z^2

    With freedom a = 0 this is f(x). A network that leaves the data unchanged hardly changes an
    image that resembles the data, such as a clean stroke that is not a digit. Noise makes the
    network choose a digit. Among many noises z, the result is the one with the largest value of

    .. math:: \cos(\mathrm{blur}\, f(f(y)), \mathrm{blur}\, x) - 2 \, |f(f(y)) - f(y)| / c

    where c is the contrast of f(y): f(f(y)) is similar to the picture and nearly a fixed point.
    The candidates of a later round are variations of the best noise so far.

    Args:
        model: The model.
        x: The picture, (1, C, H, W) in [-1, 1].
        freedom: The freedom a, from 0 to 1.
        seed: The seed of the noise.
        tries: The number of noises in each round.
        rounds: The number of rounds.

    Raises:
        ValueError: The freedom is outside [0, 1], or ``tries`` or ``rounds`` is below 1.
    """
    if not 0 <= freedom <= 1 or tries < 1 or rounds < 1:
        raise ValueError(f"freedom {freedom} must be 0 to 1, tries and rounds at least 1")
    if freedom == 0:
        return _result(x, x, *model.trajectory(x, [1, 2]))
    x = x.to(model.device)
    found, best = -torch.inf, None
    for r in range(rounds):
        z = model.latents(torch.arange(r * tries, (r + 1) * tries), seed)
        if best is not None:
            z = (1 - NEW**2) ** 0.5 * best[0] + NEW * z
        y = _mixed(x, z, freedom)
        once, twice = model.trajectory(y, [1, 2], noise=freedom >= NOISE)
        value = _likeness(twice, x) - UNREST * _unrest(once, twice)
        i = value.argmax()
        if value[i] > found or best is None:
            found, best = value[i].item(), (z[i : i + 1], *(v[i : i + 1] for v in (y, once, twice)))
    assert best is not None
    return _result(x, *best[1:])


def _mixed(x: Tensor, z: Tensor, freedom: float) -> Tensor:
    """Mix the picture, (1, C, H, W), with each of the noises, (B, C, H, W)."""
    if freedom < NOISE:
        return (1 - freedom) * x + freedom * z
    share = (1 - freedom) ** 2 * x.var() / z.var()
    part = (1 - share).clamp(min=0).sqrt() * (z - z.mean())
    return z.mean() + (1 - freedom) * (x - x.mean()) + part


def _result(x: Tensor, given: Tensor, once: Tensor, twice: Tensor) -> Real:
    x, given, once, twice = (part.cpu() for part in (x, given, once, twice))
    return Real(given, once, twice, (once - x).abs().mean(1))


def _likeness(images: Tensor, x: Tensor) -> Tensor:
    """The cosine between blurred images and the blurred picture, minus their medians, (B,)."""
    sigma = x.shape[-1] / 19
    a, b = (
        gaussian_blur(part - _ground(part), sigma, 2 * round(3 * sigma) + 1).flatten(1)
        for part in (images, x)
    )
    return torch.cosine_similarity(a, b)


def _unrest(once: Tensor, twice: Tensor) -> Tensor:
    """The distance by which f moves its own output, divided by the contrast of the output, (B,)."""
    contrast = (once - _ground(once)).abs().flatten(1).mean(1)
    return (twice - once).abs().flatten(1).mean(1) / (contrast + 0.02)


def _ground(images: Tensor) -> Tensor:
    """The median of each channel, (B, C, 1, 1)."""
    return images.flatten(2).median(-1).values[..., None, None]
