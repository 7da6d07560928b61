"""The communication of a training step, counted, and a model of its cost on many GPUs.

    python -m benchmarks.speed.scaling [--rate 494.7] [--attained 0.3] [--out FILE.json]

A run of `ign train` with three steps in two processes on this machine (gloo) is counted. Every
collective of the second step is intercepted before the backend, including the collectives of the
reducer of DDP and of FSDP2. The floating-point operations of the loss and the gradients in one
process are counted by PyTorch. The model of the time on GPUs uses these counts and the rates of a
data sheet, which are given as arguments. No GPU was used.
"""

import argparse
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import frozen
from benchmarks.machine import add_out, describe, footer, markdown, publish
from benchmarks.speed.collectives import CASES, count, options
from benchmarks.speed.cost import COUNTED, KINDS, efficiency, predict
from ign.training.methods import METHODS, Batch

PROCESSES = (8, 64, 512)
STRATEGIES = ("ddp", "fsdp")
BATCHES = (32, 256, 1024)
"""The number of images for each GPU in the model; the paper uses 32 on 8 GPUs."""
ASSUMED = {
    "rate": "peak TFLOP per second of a GPU: H100 SXM, TF32 (data sheet, half of 989 sparse)",
    "attained": "share of this peak that the arithmetic attains (a guess)",
    "node": "GB per second and direction within a node: NVLink (data sheet, half of 900 both ways)",
    "network": "GB per second and direction between nodes of 8: eight ports of 400 Gbit per second",
    "links attained": "share of the rates of the links that is attained (a guess)",
    "latency": "microseconds of one stage of a collective (a guess)",
}


def work(case: str) -> tuple[int, float]:
    """Count the parameters, and the operations of the loss and the gradients for each image."""
    config = frozen.configuration(CASES[case][0], options(case, "auto"))
    method = METHODS["ign"]
    network = method.network_class(3, config.size, config.network.width, config.network.norm)
    x, z = torch.rand(2, COUNTED, 3, config.size, config.size)  # type: ignore[arg-type]
    with FlopCounterMode(display=False) as counter:
        (update,) = method(network, config).losses(network, Batch(x, z, x))
        update.loss.backward()
    return sum(p.numel() for p in network.parameters()), counter.get_total_flops() / COUNTED


def measure(case: str) -> dict[str, Any]:
    """Count everything for one case."""
    parameters, flops = work(case)
    return {
        "case": case,
        "side": CASES[case][1].get("size", 64),
        "parameters": parameters,
        "flops": flops,
        **{strategy: count(case, strategy) for strategy in STRATEGIES},
    }


def counted(found: dict[str, Any]) -> str:
    """The table of counts: the bytes that a process sends, and the number of collectives."""
    rows: list[dict[str, Any]] = []
    for case in found["rows"]:
        for strategy in STRATEGIES:
            row = {"case": case["case"], "strategy": strategy}
            for name, text in KINDS.items():
                sizes = [size for what, _, size in case[strategy] if what == name]
                row[text] = f"{sum(sizes):,} in {len(sizes)}" if sizes else "0"
            rows.append(row)
    return markdown(rows, {})


def work_table(found: dict[str, Any]) -> str:
    """The table of the cases."""
    rows = [
        {
            "case": row["case"], "preset": CASES[row["case"]][0], "side": row["side"],
            "parameters": f"{row['parameters']:,}", "GFLOP an image": f"{row['flops'] / 1e9:.2f}",
        }
        for row in found["rows"]
    ]  # fmt: skip
    return markdown(rows, {})


def modelled(found: dict[str, Any]) -> str:
    """The table of efficiencies."""
    rows = []
    for case in found["rows"]:
        for strategy in STRATEGIES:
            for batch in BATCHES:
                row = {"case": case["case"], "strategy": strategy, "images a GPU": batch}
                for n in PROCESSES:
                    parts = predict(case, strategy, n, batch, found["about"])
                    row["arithmetic, ms"] = 1e3 * parts["arithmetic"]
                    least, most = efficiency(parts)
                    row[f"{n} GPUs"] = f"{least:.0%} to {most:.0%}"
                rows.append(row)
    return markdown(rows, {"arithmetic,": "{:.2f}"})


def parts(found: dict[str, Any]) -> str:
    """The table of the milliseconds of each part; only the match term depends on the batch."""
    rows = []
    for case in found["rows"]:
        for strategy in STRATEGIES:
            row = {"case": case["case"], "strategy": strategy}
            for n in PROCESSES:
                spent = predict(case, strategy, n, BATCHES[1], found["about"])
                text = " / ".join(f"{1e3 * spent[k]:.2f}" for k in ("moved", "small", "match"))
                row[f"{n} GPUs"] = text
            rows.append(row)
    return markdown(rows, {})


def assumed(found: dict[str, Any]) -> str:
    """The table of the assumptions of the model."""
    rows = [{"what": text, "value": found["about"][name]} for name, text in ASSUMED.items()]
    return markdown(rows, {})


TABLES = {
    "cases": work_table,
    "counted": counted,
    "assumed": assumed,
    "modelled": modelled,
    "parts": parts,
    "about": lambda found: footer(found["about"]),
}


def table(found: dict[str, Any]) -> str:
    """All tables."""
    return "\n\n".join(make(found) for name, make in TABLES.items() if name != "about")


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--rate", type=float, default=494.7, help="peak TFLOP per second of a GPU")
    add("--attained", type=float, default=0.3, help="share of it that is attained")
    add("--node", type=float, default=450, help="GB per second in each direction within a node")
    add("--network", type=float, default=400, help="GB per second in each direction between nodes")
    add("--links-attained", type=float, default=0.7, help="share of it that is attained")
    add("--latency", type=float, default=5, help="microseconds of a stage")
    add("--cases", nargs="+", choices=CASES, default=list(CASES))
    add_out(parser)
    given = parser.parse_args(words)
    about: dict[str, Any] = {**describe()}
    for name in ("rate", "attained", "node", "network", "links_attained", "latency"):
        about[name.replace("_", " ")] = getattr(given, name)
    found = {"about": about, "rows": [measure(case) for case in given.cases]}
    publish(table(found), found, given.out)


if __name__ == "__main__":
    main()
