"""Measure on a GPU what no CPU can: correctness, times, and faces trained in minutes.

    python -m benchmarks.gpu [--minutes 10] [--only PART ...] [--faces celeba64-train.zip]

The program writes at most eight files of at most 16 MiB each to the folder of the results, and
writes each as soon as it has something to write. Started again, it leaves out what is there and
continues the training. It needs torch, lightning, safetensors, numpy, pillow and this repository.

`correctness` compares gradients in every precision with the CPU's in float64, samples and random
numbers with the CPU's, a resumed run with a whole one, and CUDA graphs with eager steps. `times`
measures the steps of the presets, eager, compiled and as CUDA graphs, against the listing of the
paper and DCGAN, and data, sampling and projecting. `faces` trains the preset `celeba` at full
width, then DCGAN for the same time, and measures both against faces that were held out. Without a
zip of faces it trains on random images, which is only a rehearsal.
"""

import argparse
import sys
from pathlib import Path

import torch

from benchmarks.gpu import correctness, faces, times
from benchmarks.gpu.tools import FILES, LIMIT, Clock, Results
from benchmarks.machine import describe
from benchmarks.speed import device as devices

PARTS = ("correctness", "times", "faces")
SHARES = {"correctness": 0.12, "times": 0.33, "faces": 0.55}
"""The shares of the time; what a part leaves over is the next one's."""
WRITTEN = {
    "correctness": {"correctness.json": "10 kB"},
    "times": {"times.json": "40 kB"},
    "faces": {
        "faces.json": "20 kB", "ign.png": "1 MB", "dcgan.png": "1 MB",
        "ign-1-of-2.safetensors": "16 MB", "ign-2-of-2.safetensors": "12 MB",
        "dcgan-1-of-1.safetensors": "14 MB",
    },
}  # fmt: skip
"""The files of each part, and about how large they become."""


def plan(minutes: float, only: list[str], source: str | None, device: torch.device) -> str:
    """Describe what will be done, how long it takes, and what is written."""
    lines = [f"on {device}, within {minutes:g} minutes"]
    total = sum(SHARES[part] for part in only)
    for part in only:
        files = ", ".join(f"{name} ({size})" for name, size in WRITTEN[part].items())
        lines.append(f"{part}: about {60 * minutes * SHARES[part] / total:.0f} s, writes {files}")
    count = sum(len(WRITTEN[part]) for part in only)
    lines.append(f"{count} files, at most {FILES} of at most {LIMIT / 2**20:g} MiB each")
    if "faces" in only:
        size = f", {Path(source).stat().st_size / 2**20:.0f} MiB" if source else ""
        lines.append(f"faces: {source or 'random images, since --faces is not given'}{size}")
    return "\n".join(lines)


def main(words: list[str] | None = None) -> int:
    """Run the parts in order; the exit status is 1 if a file is too large."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="time for everything")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--faces", help="the zip of 64x64 faces to train on")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"), help="folder of the results")
    parser.add_argument(
        "--work", type=Path, default=Path("runs/gpu-checkpoints"), help="folder of checkpoints"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, for a rehearsal on a CPU")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    options = parser.parse_args(words)
    if not options.minutes > 0:
        parser.error(f"--minutes {options.minutes} must be above 0")
    if options.faces and not Path(options.faces).exists():
        parser.error(f"--faces {options.faces}: not found")
    device = devices.find(options.device)
    print(plan(options.minutes, options.only, options.faces, device), flush=True)
    if options.dry_run:
        return 0
    _run(options, device)
    return _check(options.out)


def _run(options: argparse.Namespace, device: torch.device) -> None:
    """Run the parts, each until its share of the time has passed."""
    out, tiny, source = options.out, options.tiny, options.faces
    out.mkdir(parents=True, exist_ok=True)
    whole = Clock(60 * options.minutes)
    for i, part in enumerate(options.only):
        rest = sum(SHARES[name] for name in options.only[i:])
        clock = Clock(whole.left() * SHARES[part] / rest)
        Results(out, part).put("about", describe(device=device) | {"tiny": tiny})
        if part == "correctness":
            correctness.run(out, device, tiny)
        elif part == "times":
            times.run(out, device, tiny, clock, source)
        else:
            faces.run(out, options.work, device, tiny, clock, source)


def _check(folder: Path) -> int:
    """Check the number and the sizes of the files."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    large = [path.name for path in files if path.stat().st_size > LIMIT]
    for path in files:
        print(f"{path}: {path.stat().st_size / 2**20:.2f} MiB")
    if large or len(files) > FILES:
        print(f"{len(files)} files, too large: {', '.join(large) or 'none'}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
