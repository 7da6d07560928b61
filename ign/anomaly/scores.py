r"""How far the network moves an image, and where.

The network moves an image towards the data. How far it moves the image is a score that needs no
anomalies for training.
"""

__all__ = ["SCORES", "Analysis", "analyze", "score", "score_map", "scores"]

from typing import NamedTuple

from torch import Tensor, nn

from ign.objective.distance import Distance, find_distance
from ign.project import trajectory

SCORES = {"displacement": (1, 0), "residual": (2, 1)}
"""The two numbers of applications that each score compares."""


def score(
    network: nn.Module, y: Tensor, kind: str = "displacement", distance: str | Distance = "l1"
) -> Tensor:
    r"""How far the network moves each image.

    .. math:: \mathrm{displacement}(y) = D(f(y), y), \qquad
        \mathrm{residual}(y) = D(f(f(y)), f(y))

    Args:
        network: The network f.
        y: Images, (B, C, H, W) in [-1, 1].
        kind: ``displacement`` or ``residual``.
        distance: D, as in :class:`ign.objective.IGNObjective`.

    Returns:
        (B,), at least 0; small on the data.

    Raises:
        ValueError: The kind is unknown.

    References:
        Shocher et al., 2024, Section 2.1 (arXiv 2311.01462), for the drift. How well each score
        separates anomalies is measured in ``docs/results/anomaly.json``.
    """
    after, before = _before_and_after(network, y, kind)
    return find_distance(distance)(after, before)


def score_map(network: nn.Module, y: Tensor, kind: str = "displacement") -> Tensor:
    """Map the movement of an image: the difference in :func:`score`, averaged over channels.

    Returns:
        (B, H, W); its mean over pixels is the score if D is L1. For vectors, which have no
        channels, it is (B, D).

    Raises:
        ValueError: The kind is unknown.
    """
    return _moved(*_before_and_after(network, y, kind))


class Analysis(NamedTuple):
    """The score, the map and the projection of images.

    Attributes:
        score: As :func:`ign.anomaly.score`, (B,).
        map: As :func:`score_map`, (B, H, W).
        projected: f(y), (B, C, H, W).
    """

    score: Tensor
    map: Tensor
    projected: Tensor


def analyze(
    network: nn.Module, y: Tensor, kind: str = "displacement", distance: str | Distance = "l1"
) -> Analysis:
    """Score, map and projection of each image, with one or two applications of the network.

    Arguments and errors are the same as for :func:`score`.
    """
    after, before = _before_and_after(network, y, kind)
    projected = after if SCORES[kind][0] == 1 else before
    return Analysis(find_distance(distance)(after, before), _moved(after, before), projected)


def scores(network: nn.Module, y: Tensor, distance: str | Distance = "l1") -> dict[str, Tensor]:
    """Every kind of :func:`score`, (B,) each, from one trajectory."""
    d, steps = find_distance(distance), sorted({k for pair in SCORES.values() for k in pair})
    found = dict(zip(steps, trajectory(network, y, steps), strict=True))
    return {kind: d(found[after], found[before]) for kind, (after, before) in SCORES.items()}


def _moved(after: Tensor, before: Tensor) -> Tensor:
    moved = (after - before).abs()
    return moved if moved.ndim == 2 else moved.mean(1)


def _before_and_after(network: nn.Module, y: Tensor, kind: str) -> list[Tensor]:
    if kind not in SCORES:
        raise ValueError(f"score {kind!r} is unknown; choose {' or '.join(SCORES)}")
    return trajectory(network, y, SCORES[kind])
