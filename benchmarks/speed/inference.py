"""Images per second: samples and projections of an IGN, a DCGAN and a diffusion model.

    python -m benchmarks.speed.inference [--cases 28 64] [--batch 256] [--rounds 5] [--out FILE]

The networks are not trained, since only the speed is measured, in evaluation mode and float32.
"f(z)" and "f(f(z))" are `IGN.sample`, which includes drawing the noise. "projection" is
`IGN.project`. "DCGAN" is one pass through a decoder of the same width. "diffusion" is 50 steps of
DDIM with a U-Net that has about as many parameters as the network of the IGN, a time embedding and
residual blocks without attention. Its noise is drawn in advance, and its batches are 32 times
smaller. "to disk" is the command `ign sample`, including its start, which writes PNG files or one
array. Each round times all of them in turn, and the table reports medians over the rounds. Memory
is the peak memory of a new process that makes one batch, or all images on disk.
"""

import argparse
import io
import math
import statistics
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.machine import add_out, markdown, publish, timed
from benchmarks.speed import device as devices
from ign import IGN
from ign.cli import main as command
from ign.nn import DCGANAutoencoder, Generator
from ign.noise import GaussianNoise

CASES = {"28": (1, 28, 32), "64": (3, 64, 64)}
STEPS = 50
FEWER = 32
"""By how much the batches of the diffusion sampler, which is slower, are smaller."""
Row = dict[str, Any]


class Block(nn.Module):
    """A residual block: two convolutions with group norm, with the time added in between."""

    def __init__(self, maps: int, out: int, time: int):
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(8, maps), nn.SiLU(), nn.Conv2d(maps, out, 3, 1, 1))
        self.time = nn.Linear(time, out)
        self.second = nn.Sequential(nn.GroupNorm(8, out), nn.SiLU(), nn.Conv2d(out, out, 3, 1, 1))
        self.shortcut = nn.Conv2d(maps, out, 1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        y = self.first(x) + self.time(t)[:, :, None, None]
        return self.shortcut(x) + self.second(y)


class UNet(nn.Module):
    """A U-Net with three scales that predicts the noise in an image at time t."""

    def __init__(self, channels: int, width: int):
        super().__init__()
        maps, time = [width, 2 * width, 4 * width], 4 * width
        self.width, self.begin = width, nn.Conv2d(channels, width, 3, 1, 1)
        self.time = nn.Sequential(nn.Linear(width, time), nn.SiLU(), nn.Linear(time, time))
        ins = [width, *maps[:-1]]
        self.down = nn.ModuleList(Block(a, b, time) for a, b in zip(ins, maps, strict=True))
        self.middle = Block(maps[-1], maps[-1], time)
        outs = [*reversed(ins)]
        self.up = nn.ModuleList(
            Block(2 * a, b, time) for a, b in zip(reversed(maps), outs, strict=True)
        )
        self.end = nn.Sequential(
            nn.GroupNorm(8, width), nn.SiLU(), nn.Conv2d(width, channels, 3, 1, 1)
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        rates = torch.exp(torch.arange(self.width // 2, device=x.device) * (-9.2 / self.width * 2))
        angle = t[:, None] * rates
        t, y, kept = self.time(torch.cat([angle.sin(), angle.cos()], 1)), self.begin(x), []
        for block in self.down:
            y = block(y, t)
            kept.append(y)
            y = F.avg_pool2d(y, 2, ceil_mode=True)
        y = self.middle(y, t)
        for block in self.up:
            skip = kept.pop()
            y = F.interpolate(y, size=skip.shape[-2:])
            y = block(torch.cat([y, skip], 1), t)
        return self.end(y)


def like(network: nn.Module, channels: int) -> UNet:
    """Find the U-Net whose number of parameters is nearest; its width is a multiple of 8."""
    wanted = count(network)
    with torch.device("meta"):
        widths = {w: count(UNet(channels, w)) for w in range(8, 161, 8)}
    width = min(widths, key=lambda w: abs(math.log(widths[w] / wanted)))
    return UNet(channels, width).eval().to(memory_format=torch.channels_last)


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@torch.no_grad()
def ddim(network: nn.Module, x: Tensor) -> Tensor:
    """Sample from a diffusion model with DDIM (Song et al., 2021), eta 0 and a cosine schedule."""
    times = torch.linspace(0.999, 0, STEPS + 1).tolist()
    for now, after in pairwise(times):
        a, b = (math.cos(t * math.pi / 2) for t in (now, after))
        noise = network(x, torch.full((len(x),), 1000 * now, device=x.device))
        clean = ((x - math.sqrt(1 - a * a) * noise) / a).clamp(-1, 1)
        x = b * clean + math.sqrt(1 - b * b) * noise
    return x


def build(
    case: str, batch: int, device: torch.device
) -> dict[str, tuple[int, int, Callable[[], Any]]]:
    """Return the parameters, the images for each call, and the call of each sampler."""
    channels, size, width = CASES[case]
    torch.manual_seed(0)
    network = DCGANAutoencoder(channels, size, width, "role")
    model = IGN(network, GaussianNoise((channels, size, size))).to(device)
    decoder = Generator(channels, size, width, "batch").eval().to(memory_format=torch.channels_last)
    decoder, unet = decoder.to(device), like(network, channels).to(device)
    x = torch.randn(batch, channels, size, size, device=device)
    x = x.to(memory_format=torch.channels_last)
    few, parameters = max(1, batch // FEWER), count(network)

    def dcgan() -> Tensor:
        with torch.no_grad():
            return decoder.generate(decoder.latent(x))

    return {
        "f(z)": (parameters, batch, lambda: model.sample(batch, 1, batch_size=batch)),
        "f(f(z))": (parameters, batch, lambda: model.sample(batch, 2, batch_size=batch)),
        "projection f(y)": (parameters, batch, lambda: model.project(x, 1, batch_size=batch)),
        "DCGAN": (count(decoder), batch, dcgan),
        f"diffusion, {STEPS} steps": (count(unet), few, lambda: ddim(unet, x[:few])),
    }


def to_disk(case: str, images: int, batch: int, device: str, array: bool) -> float:
    """Measure the seconds that ``ign sample`` takes with a new model."""
    channels, size, width = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        network = DCGANAutoencoder(channels, size, width, "role")
        IGN(network, GaussianNoise((channels, size, size))).save_pretrained(f"{folder}/model")
        words = ["sample", f"{folder}/model", "-n", str(images), "--out", f"{folder}/out"]
        words += ["--batch-size", str(batch), "--device", device, *(["--array"] if array else [])]
        with redirect_stdout(io.StringIO()):
            return devices.seconds(lambda: command(words), torch.device("cpu"))


def on_disk(*case: Any) -> None:
    """Print the peak memory of :func:`to_disk` in MiB."""
    print(devices.peak(lambda: lambda: to_disk(*case), torch.device("cpu"), times=1))


def one(case: str, name: str, batch: int, device: str) -> None:
    """Print the peak memory of one batch in MiB."""
    there = torch.device(device)
    print(devices.peak(lambda: build(case, batch, there)[name][2], there, times=1))


def measure(case: str, batch: int, images: int, rounds: int, device: torch.device) -> list[Row]:
    """Measure all samplers in turn, then the command that writes to disk."""
    calls, where = build(case, batch, device), str(device)
    for *_, call in calls.values():
        call()
    timed_calls = {name: call for name, (*_, call) in calls.items()}
    times = devices.in_turn(timed_calls, rounds, device)
    rows: list[Row] = []
    for name, (parameters, made, _) in calls.items():
        memory = devices.peak_of_a_process(
            "inference", f"one({case!r}, {name!r}, {batch}, {where!r})"
        )
        rows.append(_row(case, name, parameters, made / statistics.median(times[name]), memory))
    for name, array in (("f(z) to disk, PNG", False), ("f(z) to disk, array", True)):
        to_disk(case, batch, batch, where, array)
        speed = images / to_disk(case, images, batch, where, array)
        call = f"on_disk({case!r}, {images}, {batch}, {where!r}, {array})"
        memory = devices.peak_of_a_process("inference", call)
        rows.append(_row(case, name, calls["f(z)"][0], speed, memory))
    return rows


def _row(case: str, name: str, parameters: int, speed: float, memory: float) -> Row:
    return {
        "pixels": case, "images by": name, "parameters": parameters, "images/s": speed,
        "peak MiB": memory,
    }  # fmt: skip


def table(rows: list[Row]) -> str:
    """Format the rows as Markdown."""
    return markdown(rows, {"parameters": "{:,}", "images/s": "{:,.1f}", "peak": "{:,.0f}"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--images", type=int, default=5000, help="to disk")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="auto")
    add_out(parser)
    options = parser.parse_args()
    device = devices.find(options.device)
    rows: list[Row] = []
    about = timed(device)
    for case in options.cases:
        rows += measure(case, options.batch, options.images, options.rounds, device)
    kept = ("batch", "images", "rounds")
    about |= {k: getattr(options, k) for k in kept}
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
