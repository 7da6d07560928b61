"""What the counted collectives of a step would cost on many GPUs: a model, not a measurement."""

import math
from typing import Any

COUNTED, WORLD = 2, 2
"""Images for each process and processes of the runs that are counted."""
KINDS = {
    "gradients": "gradients",
    "parameters": "parameters",
    "norms": "statistics of the norms",
    "clamp": "L_rec and d of the clamp",
    "match": "outputs for the match term",
    "control": "whether to stop",
}


def seconds(operation: str, size: float, n: int, link: dict[str, float]) -> float:
    """A collective over n processes, the cheaper of a ring and a tree.

    A ring hands 2 (n-1)/n of the bytes on in 2 (n-1) stages (half of both where the bytes are only
    gathered or scattered); a tree hands all of them up and down in 2 log2 n stages.

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
    """The seconds of a step of a case on n GPUs, each with so many images, by what they go to."""
    link = {name: about[name] * 1e9 * about["links attained"] for name in ("node", "network")}
    link["latency"] = about["latency"] * 1e-6
    spent = dict.fromkeys(KINDS, 0.0)
    for what, operation, given in found[strategy]:
        size = given
        if what == "parameters":
            size = given * WORLD  # all shards together, however many there are
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
    """The share of the step that is arithmetic: where gradients and parameters move after it, and
    where they move during it, as far as it is long enough."""
    arithmetic, waiting = parts["arithmetic"], parts["match"] + parts["small"]
    left = max(0.0, parts["moved"] - arithmetic)
    apart, during = (arithmetic / (arithmetic + waiting + m) for m in (parts["moved"], left))
    return apart, during
