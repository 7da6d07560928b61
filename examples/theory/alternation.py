r"""Search for the joint optimum of a finite alphabet, by exact alternation and gradient descent.

The theorem describes a joint optimum, but does not say that an algorithm finds it. Here the tables
of :mod:`examples.theory.alphabet` are changed in two ways: by exact minimization of the two parts
in turn, and by gradient descent on :class:`ign.IGNObjective`.
"""

__all__ = ["Table", "alternate", "descend", "overlap"]

from fractions import Fraction

import numpy as np
import torch
from torch import Tensor, nn

import ign
from examples.theory.alphabet import Alphabet


def alternate(
    alphabet: Alphabet, weight: Fraction, seed: int, most: int = 10_000
) -> tuple[np.ndarray, int]:
    """Minimize L_rt and L_i in turn, each given the previous table, until nothing changes.

    The start is random. If L_rt is indifferent, an atom is left unchanged, as in equation 21. Then
    one random entry of the noise that is not at a minimum moves to a random minimum of L_i, and to
    one that also minimizes L_rt if there is any.

    Returns:
        The table, (K,), and the number of turns that changed it, ``most`` if it kept changing.
    """
    rng = np.random.default_rng(seed)
    atoms = len(alphabet.data)
    f = rng.integers(atoms, size=(1, atoms))
    for turn in range(most):
        f = alphabet.completed(f, weight, still=True)
        idem, tight = alphabet.idem_choices(f)[0], alphabet.tight_choices(f, weight)[0]
        astray = [z for z in alphabet.sources if not (idem & tight[z])[f[0, z]]]
        if not astray:
            return f[0], turn
        z = rng.choice(astray)
        good = idem & tight[z] if (idem & tight[z]).any() else idem
        f[0, z] = rng.choice(np.flatnonzero(good))
    return f[0], most


def overlap(a: Tensor, b: Tensor) -> Tensor:
    r"""The probability that atoms drawn from a and b differ, :math:`1 - \sum_k a_k b_k`, (B,).

    The 0/1 distance between atoms, extended to distributions over them.
    """
    return 1 - (a * b).sum(1)


class Table(nn.Module):
    """A table of distributions over K atoms: row y is the softmax of K free numbers.

    Shape:
        (B, K) distributions over atoms to (B, K); an atom is a row of the unit matrix.
    """

    def __init__(self, atoms: int):
        super().__init__()
        self.logits = nn.Parameter(0.1 * torch.randn(atoms, atoms))

    def forward(self, p: Tensor) -> Tensor:
        return p @ self.logits.softmax(1)


def descend(
    alphabet: Alphabet, tight: float, idem: float, seed: int, steps: int = 1000, rate: float = 0.05
) -> np.ndarray:
    """Train a table by Adam on the exact expectation of the objective.

    The batch contains each atom as often as its count, so a step has no sampling noise.

    Returns:
        The most probable value of each atom, (K,).
    """
    torch.manual_seed(seed)
    table, unit = Table(len(alphabet.data)), torch.eye(len(alphabet.data))
    x, z = (unit.repeat_interleave(torch.as_tensor(n), 0) for n in (alphabet.data, alphabet.noise))
    objective = ign.IGNObjective(overlap, 1.0, idem, tight, clamp_ratio=None)
    optimizer = torch.optim.Adam(table.parameters(), rate, (0.0, 0.99))
    for _ in range(steps):
        optimizer.zero_grad()
        objective(table, x, z).total.backward()
        optimizer.step()
    return table.logits.detach().argmax(1).numpy()
