"""A model, not a measurement, of the cost of the counted collectives on many GPUs."""

import math
from typing import Any

COUNTED, WORLD = 2, 2
"""The number of images for each process, and of processes, in the runs that are counted."""
KINDS = {
    "gradients": "gradients",
    "parameters": "parameters",
    "norms": "statistics of the norms",
    "clamp": "L_rec and d of the clamp",
    "match": "outputs for the match term",
    "control": "whether to stop",
}


def seconds(operation: str, size: float, n: int, link: dict[str, float]) -> float:
    """The time of a collective over n processes, by a ring or a tree, whichever is faster.

    A ring sends 2 (n-1)/n of the bytes in 2 (n-1) stages, or half of both if the bytes are only
    gathered or scattered. A tree sends all bytes up and down in 2 log2 n stages.

    Args:
        operation: ``allreduce``, ``allgather`` or ``reduce_scatter``.
        size: Bytes that are reduced, or gathered over all processes.
        n: Processes.
        link: ``node``, ``network`` in bytes a second, ``latency`` of a stage in seconds.
    """
    rate = link["node"] if n <= 8 else min(link["node"], link["network"])
    turns = 2 if operation == "allreduce" else 1
    ring = turns * ((n - 1) / n * size / rate + (n - 1) * link["latency"])
    return min(ring, turns * (math.log2(n) * link["latency"] + size / rate))


def predict(
    found: dict[str, Any], strategy: str, n: int, batch: int, about: dict[str, Any]
) -> dict[str, float]:
    """The seconds of each part of a step on n GPUs, each with ``batch`` images."""
    link = {name: about[name] * 1e9 * about["links attained"] for name in ("node", "network")}
    link["latency"] = about["latency"] * 1e-6
    spent = dict.fromkeys(KINDS, 0.0)
    for what, operation, given in found[strategy]:
        size = given
        if what == "parameters":
            size = given * WORLD  # the size of all shards together does not depend on their number
        elif operation == "allgather":
            size = given * n * (batch / COUNTED if what == "match" else 1)
        spent[what] += seconds("allreduce" if what == "control" else operation, size, n, link)
    arithmetic = batch * found["flops"] / (about["rate"] * 1e12 * about["attained"])
    moved = spent.pop("gradients") + spent.pop("parameters")
    return {
        "arithmetic": arithmetic,
        "moved": moved,
        "match": spent.pop("match"),
        "small": sum(spent.values()),
    }


def efficiency(parts: dict[str, float]) -> tuple[float, float]:
    """The share of a step that is spent on arithmetic.

    The first value assumes that gradients and parameters are sent after the arithmetic, the second
    one that they are sent during the arithmetic until it ends, and the rest after it.
    """
    arithmetic, waiting = parts["arithmetic"], parts["match"] + parts["small"]
    left = max(0.0, parts["moved"] - arithmetic)
    apart, during = (arithmetic / (arithmetic + waiting + m) for m in (parts["moved"], left))
    return apart, during
