r"""Theorem 1 on a finite alphabet, exactly.

The network is a table :math:`f: Y \to Y`, K entries for K atoms. Probabilities are integer counts
over a common total N, and the weight :math:`w_t` is a fraction. All comparisons are therefore
comparisons of integers. With :math:`y = f_{\bar\theta}(z)` the two parts of the objective are

.. math::
    L_{rt}(\theta; \bar\theta) &= E_x D(f_\theta(x), x) - w_t E_z D(f_\theta(y), y)
        = \sum_y D(f_\theta(y), y) \, (P_x(y) - w_t P_{\bar\theta}(y)) \\
    L_i(\theta; \bar\theta) &= E_z D(f_{\bar\theta}(f_\theta(z)), f_\theta(z))
        = \sum_z P_z(z) \, \delta_{\bar\theta}(f_\theta(z))

Both are sums with one term for each entry of the table: minimizing each term minimizes the sum
(Shocher et al., 2024, Section 3 and Appendix, arXiv 2311.01462).
"""

__all__ = ["ALPHABET", "WEIGHTS", "Alphabet", "total_variation", "zero_one"]

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

Array = np.ndarray
WEIGHTS = tuple(map(Fraction, ("0", "1/4", "1/2", "3/4", "1", "3/2", "2")))


def zero_one(atoms: int) -> Array:
    """The distance that is 1 between any two different atoms, (K, K)."""
    return 1 - np.eye(atoms, dtype=np.int64)


def total_variation(p: Array, q: Array) -> Array:
    """Half the sum of the absolute differences over the atoms, of counts of equal total, (n,)."""
    return np.abs(p - q).sum(-1) / (2 * q.sum())


@dataclass(frozen=True)
class Alphabet:
    """The data and noise of a finite problem.

    Args:
        data: N times P_x, (K,) integers.
        noise: N times P_z, (K,) integers, zero where P_x is not zero.
        distance: D, a symmetric (K, K) integer matrix that is zero only on the diagonal.
    """

    data: Array
    noise: Array
    distance: Array

    @cached_property
    def sources(self) -> Array:
        """The atoms with positive probability under the noise."""
        return np.flatnonzero(self.noise)

    def generated(self, f: Array) -> Array:
        """N times P_theta, the distribution of f(z), for each table: (n, K) to (n, K)."""
        hit = f[:, self.sources, None] == np.arange(f.shape[1])
        return np.einsum("nsk,s->nk", hit, self.noise[self.sources])

    def drift(self, f: Array) -> Array:
        """D(f(y), y) at each atom, (n, K)."""
        return self.distance[f, np.arange(f.shape[1])]

    def gain(self, f: Array, weight: Fraction) -> Array:
        """P_x - w_t P_theta at each atom, times N and the denominator of w_t, (n, K)."""
        return weight.denominator * self.data - weight.numerator * self.generated(f)

    def tight_loss(self, f: Array, frozen: Array, weight: Fraction) -> Array:
        """L_rt(f; frozen) in the units of :meth:`gain`, (n,)."""
        return (self.drift(f) * self.gain(frozen, weight)).sum(-1)

    def idem_loss(self, f: Array, frozen: Array) -> Array:
        """L_i(f; frozen), times N, (n,)."""
        drift = self.drift(frozen)
        return (np.take_along_axis(drift, f[:, self.sources], 1) * self.noise[self.sources]).sum(-1)

    @cached_property
    def most(self) -> Array:
        """The largest drift that each atom can have, M(y), (K,)."""
        return self.distance.max(0)

    def tight_choices(self, frozen: Array, weight: Fraction) -> Array:
        """The values of f(y) that minimize L_rt given the frozen table, (n, K, K) by y and value.

        By equation 21 this is y where P_x > w_t P_theta, the farthest atoms where
        P_x < w_t P_theta, and any atom where both are equal.
        """
        terms = self.gain(frozen, weight)[:, :, None] * self.distance
        return terms == terms.min(-1, keepdims=True)

    def idem_choices(self, frozen: Array) -> Array:
        """The values of f(z) that minimize L_i given the frozen table, (n, K).

        These are the atoms that the table moves least, for any z."""
        drift = self.drift(frozen)
        return drift == drift.min(-1, keepdims=True)

    def joint(self, f: Array, weight: Fraction) -> Array:
        """Whether a table is at the global minimum of both parts given itself, (n,)."""
        gain, drift = self.gain(f, weight), self.drift(f)
        tight = gain * drift == np.minimum(gain * self.most, 0)
        idem = np.take_along_axis(drift, f[:, self.sources], 1) == drift.min(1, keepdims=True)
        return tight.all(1) & idem.all(1)

    def noise_maps(self) -> Array:
        """All maps of the noise into the alphabet that leave other atoms unchanged, (K^S, K)."""
        atoms, s = len(self.data), len(self.sources)
        f = np.tile(np.arange(atoms), (atoms**s, 1))
        f[:, self.sources] = np.indices((atoms,) * s).reshape(s, -1).T
        return f

    def completed(self, f: Array, weight: Fraction, still: bool) -> Array:
        """Move the atoms without noise to a minimum of L_rt given the table.

        If equation 21 leaves the value open, the atom is unchanged or moved farthest away. For
        w_t <= 1, or for the 0/1 distance, one of them is a joint optimum if there is any.
        """
        gain = self.gain(f, weight)
        stays = gain >= 0 if still else gain > 0
        best = np.where(stays, np.arange(len(self.data)), self.distance.argmax(0))
        best[:, self.sources] = f[:, self.sources]
        return best

    def solutions(self, weight: Fraction) -> Array:
        """One joint optimum for each map of the noise that has a joint optimum, (n, K)."""
        maps = self.noise_maps()
        tables = [self.completed(maps, weight, still) for still in (True, False)]
        good = [self.joint(f, weight) for f in tables]
        return np.concatenate([tables[0][good[0]], tables[1][good[1] & ~good[0]]])


ALPHABET = Alphabet(
    data=np.array([6, 3, 2, 1, 0, 0, 0, 0, 0, 0]),
    noise=np.array([0, 0, 0, 0, 4, 3, 2, 2, 1, 0]),
    distance=zero_one(10),
)
"""Four atoms of data, five of noise with masses that can sum to the data, and another one."""
