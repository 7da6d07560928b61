"""Images per second: an IGN's samples and projections, a DCGAN's, and a diffusion sampler's.

    python benchmarks/inference.py [--cases 28 64] [--batch 256] [--rounds 5] [--out FILE.json]

Networks that nobody trained, in evaluation mode and float32: speed alone. "f(z)" and "f(f(z))" are
`IGN.sample`, the drawing of the noise included, "projection" `IGN.project`, "DCGAN" one pass of the
decoder of the same width, "diffusion" 50 steps of DDIM with a U-Net of about as many parameters as
the IGN's network, time embedding and attention-free residual blocks, from noise drawn beforehand,
in batches 32 times smaller. "to disk" is `ign sample`, start included: pictures in PNG, or one
array. Each round times all, in turn; medians over rounds. Memory is the peak of a fresh process
that makes one batch, or so many images on disk.
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

import device as devices
import torch
import torch.nn.functional as F
from machine import add_out, markdown, publish, timed
from torch import Tensor, nn

from ign import IGN
from ign.cli import main as command
from ign.nn import DCGANAutoencoder, Generator
from ign.noise import GaussianNoise

CASES = {"28": (1, 28, 32), "64": (3, 64, 64)}
STEPS = 50
FEWER = 32
"""The diffusion sampler makes so many times fewer images in a call, being so many times slower."""
Row = dict[str, Any]


class Block(nn.Module):
    """Two convolutions with group norm, the time added between them, around a shortcut."""

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
    """A U-Net of three scales, which predicts the noise in an image at time t."""

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
    """The U-Net, its width a multiple of 8, nearest to a network in the number of parameters."""
    wanted = count(network)
    with torch.device("meta"):
        widths = {w: count(UNet(channels, w)) for w in range(8, 161, 8)}
    width = min(widths, key=lambda w: abs(math.log(widths[w] / wanted)))
    return UNet(channels, width).eval().to(memory_format=torch.channels_last)


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@torch.no_grad()
def ddim(network: nn.Module, x: Tensor) -> Tensor:
    """Denoising diffusion implicit models, eta 0, cosine schedule (Song et al., 2021)."""
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
    """For each sampler its parameters, how many images it makes in a call, and the call."""
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
    """Seconds that ``ign sample`` of a new model takes."""
    channels, size, width = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        network = DCGANAutoencoder(channels, size, width, "role")
        IGN(network, GaussianNoise((channels, size, size))).save_pretrained(f"{folder}/model")
        words = ["sample", f"{folder}/model", "-n", str(images), "--out", f"{folder}/out"]
        words += ["--batch-size", str(batch), "--device", device, *(["--array"] if array else [])]
        with redirect_stdout(io.StringIO()):
            return devices.seconds(lambda: command(words), torch.device("cpu"))


def on_disk(*case: Any) -> None:
    """Print the peak of :func:`to_disk` in MiB."""
    print(devices.peak(lambda: lambda: to_disk(*case), torch.device("cpu"), times=1))


def one(case: str, name: str, batch: int, device: str) -> None:
    """Print the peak of one batch in MiB."""
    there = torch.device(device)
    print(devices.peak(lambda: build(case, batch, there)[name][2], there, times=1))


def measure(case: str, batch: int, images: int, rounds: int, device: torch.device) -> list[Row]:
    """All samplers in turn, then the disk."""
    calls, where = build(case, batch, device), str(device)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for *_, call in calls.values():
        call()
    for _ in range(rounds):
        for name, (*_, call) in calls.items():
            times[name].append(devices.seconds(call, device))
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
    """The rows in Markdown."""
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
