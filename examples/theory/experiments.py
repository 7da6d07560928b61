"""The experiments. Each returns rows of numbers, and some also return the trained networks."""

__all__ = ["SEED", "ablation", "alphabet", "alternation", "descent", "indicator", "trained"]

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from torch import nn

from examples.theory.alphabet import ALPHABET, WEIGHTS, total_variation
from examples.theory.alternation import alternate, descend
from examples.theory.densities import DENSITIES, gaussian
from examples.theory.measure import judge, judge_drift
from examples.theory.training import VARIANTS, Network, fit_drift, objective, train

SEED = 0
TIGHT = (0.25, 0.5, 1.0, 2.0)
COLUMNS = {
    "tv": "TV",
    "floor": "TV of x itself",
    "decided": "cells decided",
    "indicator": "indicator",
    "constant": "constant answer",
    "rank": "AUC",
    "idem": "L_idem / M",
    "off": "P(off)",
    "rec": "L_rec",
    "area": "area still",
}
"""The names of the fields of :class:`examples.theory.measure.Judgement` in the tables."""
Row = dict[str, Any]


def alphabet() -> Iterator[Row]:
    """List all joint optima, by w_t."""
    total = int(ALPHABET.data.sum())
    for weight in WEIGHTS:
        f = ALPHABET.solutions(weight)
        laws, gain = ALPHABET.generated(f), ALPHABET.gain(f, weight)
        tv = total_variation(np.unique(laws, axis=0), ALPHABET.data)
        bound = 1 - weight if weight <= 1 else 1 - 1 / weight
        yield {
            "w_t": str(weight),
            "joint optima": len(f),
            "laws P_θ": len(tv),
            "TV least": tv.min(),
            "TV most": tv.max(),
            "bound": float(bound),
            "indicator": _indicator(weight),
            "L_idem / M": ALPHABET.idem_loss(f, f).max() / total,
            "P(off)": (laws * (gain < 0)).sum(1).max() / total,
            "all TV": sorted(set(tv.tolist())),
        }


def _indicator(weight: Fraction) -> float:
    """The share of atoms of 2,000 frozen tables at which all minima agree with equation 21.

    The minima are found by trying every value. Atoms where P_x = w_t P_theta are left out.
    """
    frozen = ALPHABET.noise_maps()[::50]
    gain, choices = ALPHABET.gain(frozen, weight), ALPHABET.tight_choices(frozen, weight)
    off = (gain < 0)[:, :, None]
    right = (~choices | ((ALPHABET.distance == 1) == off)).all(2)
    return right[gain != 0].mean()


def alternation(starts: int = 20, most: int = 2000) -> Iterator[Row]:
    """Minimize exactly in turns from random starts, by w_t."""
    for weight in WEIGHTS[1:]:
        found = [alternate(ALPHABET, weight, SEED + s, most) for s in range(starts)]
        rested = np.array([turns < most for _, turns in found])
        tv = total_variation(ALPHABET.generated(np.array([f for f, _ in found])), ALPHABET.data)
        turns = np.array([turns for _, turns in found])
        yield {
            "w_t": str(weight),
            "starts": starts,
            "at rest": f"{rested.sum()}",
            "turns, median": f"{np.median(turns):.0f}" if rested.all() else f"≥ {most}",
            "TV mean": tv.mean(),
            "TV most": tv.max(),
        }


def descent(seeds: int = 4) -> Iterator[Row]:
    """Gradient descent on a table of distributions, by w_t and w_i."""
    for weight, idem in product((0.5, 1.0), (1.0, 0.2, 0.05)):
        tables = [descend(ALPHABET, weight, idem, SEED + s) for s in range(seeds)]
        laws = ALPHABET.generated(np.array(tables))
        tv = total_variation(laws, ALPHABET.data)
        gain = ALPHABET.gain(np.array(tables), Fraction(weight))
        yield {
            "w_t": str(Fraction(weight)),
            "w_i": f"{idem:g}",
            "seeds": seeds,
            "TV least": tv.min(),
            "TV mean": tv.mean(),
            "TV most": tv.max(),
            "joint optima": f"{ALPHABET.joint(np.array(tables), Fraction(weight)).sum()}",
            "P(off) mean": ((laws * (gain < 0)).sum(1) / ALPHABET.data.sum()).mean(),
        }


def indicator(steps: int) -> Iterator[tuple[Row, Network]]:
    """Train with L_rt alone and a given Gaussian P_theta, by density and w_t."""
    for name, density in DENSITIES.items():
        made = gaussian(density.centres.shape[1], 1.2)
        for tight in TIGHT:
            network = fit_drift(density, made, tight, steps, SEED)
            found = judge_drift(network, density, made, tight, SEED)
            yield {"density": name, "w_t": f"{tight:g}", **_named(found)}, network


def trained(steps: int) -> Iterator[tuple[Row, Network]]:
    """Train with the whole objective, by density and w_t."""
    for name, density in DENSITIES.items():
        for tight in TIGHT:
            network = train(density, objective(tight), steps, SEED)
            found = judge(network, density, tight, SEED)
            yield {"density": name, "w_t": f"{tight:g}", **_named(found._asdict())}, network


def ablation(steps: int) -> Iterator[tuple[Row, nn.Module]]:
    """Compare variants of the loss on the two rings, and the identity."""
    density = DENSITIES["two rings"]
    networks: dict[str, nn.Module] = {
        name: train(density, loss, steps, SEED) for name, loss in VARIANTS.items()
    }
    for name, network in {**networks, "the identity": nn.Identity()}.items():
        found = judge(network, density, 1.0, SEED)
        kept = {k: getattr(found, k) for k in ("area", "tv", "rec", "idem")}
        yield {"variant": name, **_named(kept)}, network


def _named(found: Row) -> Row:
    """The measurements under the names of the tables."""
    return {COLUMNS[k]: v for k, v in found.items()}
