r"""Stateless random numbers: each value is a function of its key alone, not of earlier draws.

A key is 64 bits; :func:`keys` makes one from (seed, stream, step, sample index), and value
:math:`j` of a key is a hash of the two. A sample is therefore the same in any batch, on any rank
and after any restart, and the integers behind it are the same on every device.

The hash is the finalizer of SplitMix64 (Steele et al., OOPSLA 2014) on a Weyl sequence.
"""

__all__ = ["derive", "keys", "normal", "permutation", "uniform"]

import math
from collections.abc import Sequence
from zlib import crc32

import torch
from torch import Tensor

GOLDEN = 0x9E3779B97F4A7C15 - 2**64
MIX = (0xBF58476D1CE4E5B9 - 2**64, 0x94D049BB133111EB - 2**64)


def _shift(x: Tensor, bits: int) -> Tensor:
    """Unsigned right shift of int64."""
    return (x >> bits).bitwise_and_((1 << (64 - bits)) - 1)


def _hash(x: Tensor) -> Tensor:
    x = (x ^ _shift(x, 30)).mul_(MIX[0])
    x.bitwise_xor_(_shift(x, 27)).mul_(MIX[1])
    return x.bitwise_xor_(_shift(x, 31))


def keys(seed: int, stream: str, step: int, index: Tensor) -> Tensor:
    """One key for each sample: a hash of (seed, stream, step, index).

    Args:
        seed: The run's seed.
        stream: What the numbers are for (``noise``, ``flip``, ...); streams are independent.
        step: The training step, or 0.
        index: The global sample indices, (B,) int64.

    Returns:
        (B,) int64, on the device of ``index``.
    """
    key = derive(torch.full_like(index, seed, dtype=torch.int64), stream)
    for part in (step, index):
        key = _hash(key * GOLDEN + part + 1)
    return key


def derive(key: Tensor, stream: str) -> Tensor:
    """Another key for each key; its numbers are independent of the numbers of the first."""
    return _hash(key * GOLDEN + crc32(stream.encode()) + 1)


def uniform(key: Tensor, shape: Sequence[int] = ()) -> Tensor:
    """Uniform numbers in the open interval (0, 1), 23 bits each, float32.

    Args:
        key: (B,) int64.
        shape: The shape of one sample.

    Returns:
        (B, *shape).
    """
    bits = _bits(key, math.prod(shape))
    return (_shift(bits, 41).float() + 0.5).mul_(2.0**-23).view(len(key), *shape)


def normal(key: Tensor, shape: Sequence[int] = ()) -> Tensor:
    r"""Standard normal numbers by Box and Muller, float32.

    .. math:: \sqrt{-2 \ln u} \, (\cos 2 \pi v, \sin 2 \pi v)

    Args:
        key: (B,) int64.
        shape: The shape of one sample.

    Returns:
        (B, *shape).
    """
    n = math.prod(shape)
    bits = _bits(key, (n + 1) // 2)
    radius = (_shift(bits, 32).float() + 0.5).mul_(2.0**-32).clamp_(max=1.0).log_().mul_(-2).sqrt_()
    angle = (bits & 0xFFFFFFFF).float().mul_(2 * math.pi * 2.0**-32)
    pairs = torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1)
    return pairs[:, :n].reshape(len(key), *shape)


def _bits(key: Tensor, n: int) -> Tensor:
    counter = torch.arange(1, n + 1, dtype=torch.int64, device=key.device) * GOLDEN
    return _hash(key[:, None] + counter)


def permutation(n: int, seed: int, epoch: int) -> Tensor:
    """The order of n images in one epoch, a function of (seed, epoch).

    Returns:
        (n,) int64 on the CPU.
    """
    key = keys(seed, "order", epoch, torch.zeros(1, dtype=torch.int64))
    return torch.randperm(n, generator=torch.Generator().manual_seed(int(key)))
