"""Inspection on photographs of parts: an IGN on patch features, and its peers on the same features.

    python -m benchmarks.quality.inspection --data tiles.zip --out docs/results/inspection.json

All methods get the same patches of the good training images, the same held-out images, and the same
score: the mean of the top 0.3 % of the map. "raw" features are standardized, "white" features are
whitened, as the IGN gets them. AUROC is over images, AUPRO over pixels up to a false-positive rate
of 0.3. Numbers are the means over the seeds, and their range. The seed draws the images, patches
and weights of the training.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.machine import add_out, describe, markdown, publish
from ign.data.files import Reader
from ign.data.layout import Layout, find_layout
from ign.evaluate.detection import Curves, aupro, image_measures
from ign.inspection.backbone import default_backbone, load_backbone
from ign.inspection.features import PatchFeatures, resize
from ign.inspection.fit import InspectConfig, collect, split, train_network
from ign.inspection.inspector import TOP, Inspector, enlarged
from ign.inspection.reading import read_part, read_parts

Values = Callable[[Tensor], Tensor]
"""From patches (N, D) to their values (N,)."""
SIDE = 128
"""The side of maps and masks in pixels for AUPRO."""
BANK = 10_000
CORESET = 2_000
STEPS, BATCH, RATE = 1500, 256, 1e-3


class Parts:
    """Patches of good training images, and of the test images with their masks."""

    def __init__(self, layout: Layout, config: InspectConfig, limit: int | None):
        files = [part.file for part in layout.train]
        self.training, held_out = split(files, config)
        self.features = PatchFeatures(
            load_backbone(config.backbone or default_backbone()), config.size
        )
        self.raw = collect(self.features, self.training, config, None)
        self.mean, self.std = self.raw.mean(0), self.raw.std(0).clamp(min=1e-4)
        self.white = self.features.fit(self.raw)
        test = layout.test[:: max(1, len(layout.test) // limit)] if limit else layout.test
        self.test, self.maps, self.masks = list[str](), list[Tensor](), list[np.ndarray]()
        with Reader() as reader, torch.no_grad():
            for part, image in read_parts(test, None, "features of the test images"):
                raw = self.features.raw(resize(image[None], config.size))[0]
                self.maps.append(raw.half())
                self.test.append(part.defect)
                mask = read_part(reader, part.mask) if part.mask else torch.zeros(3, 8, 8)
                self.masks.append((resize(mask[None], SIDE)[0].amax(0) > 64).numpy())
            self.good = [
                self.features.raw(resize(image[None], config.size))[0].half()
                for _, image in read_parts(held_out, None, "features of the held-out images")
            ]

    def patches(self, raw: Tensor, white: bool) -> Tensor:
        raw = raw.float().flatten(0, -2)
        if white:
            return (raw - self.features.mean) @ self.features.matrix
        return (raw - self.mean) / self.std

    @torch.no_grad()
    def measure(self, values: Values, white: bool) -> dict[str, float]:
        """AUROC for each defect and over all, AUPRO, seconds an image, and false alarms."""
        start, curves, scores = time.perf_counter(), Curves(), list[float]()
        for raw, mask in zip(self.maps, self.masks, strict=True):
            found = values(self.patches(raw, white)).reshape(1, *raw.shape[:2])
            scores.append(top(found))
            curves.add(enlarged(found, (SIDE, SIDE))[0].numpy(), mask if mask.any() else None)
        seconds = (time.perf_counter() - start) / len(self.maps)
        names, order = np.array(self.test), np.array(scores)
        result = {"AUROC": image_measures(scores, list(names != ""))["auroc"]}
        for name in sorted({*self.test} - {""}):
            chosen = (names == "") | (names == name)
            bad = list(names[chosen] != "")
            result[name] = image_measures(order[chosen].tolist(), bad)["auroc"]
        result |= {"AUPRO": aupro(curves), "ms an image": 1000 * seconds}
        clean = np.sort(
            [top(values(self.patches(g, white)).reshape(1, *g.shape[:2])) for g in self.good]
        )
        for rate in (0.01, 0.05, 0.1):
            place = int(np.ceil((len(clean) + 1) * (1 - rate))) - 1
            if place < len(clean):
                result[f"alarms at {rate:.0%}"] = float((order[names == ""] > clean[place]).mean())
        return result


def top(found: Tensor) -> float:
    flat = found.flatten()
    return float(flat.topk(max(1, round(TOP["top"] * len(flat)))).values.mean())


def ours(parts: Parts, config: InspectConfig) -> Values:
    networks = [train_network(parts.white, config, i) for i in range(config.networks)]
    inspector = Inspector(parts.features, networks, "efficientnet-lite0")
    inspector.fit_scales(parts.white[:10_000])
    return inspector.displacement


def nearest(bank: Tensor) -> Values:
    """The distance to the nearest patch of a bank."""
    squares = bank.square().sum(1)

    def values(x: Tensor) -> Tensor:
        far = x.square().sum(1, keepdim=True) + squares - 2 * x @ bank.T
        return far.min(1).values.clamp(min=0).sqrt()

    return values


def drawn(patches: Tensor, count: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return patches[torch.randperm(len(patches), generator=generator)[:count]]


def coreset(patches: Tensor, count: int, seed: int) -> Tensor:
    """PatchCore's greedy coreset, the distances in a random projection (Roth et al., 2022)."""
    patches = drawn(patches, BANK * 2, seed)
    generator = torch.Generator().manual_seed(seed)
    small = patches @ torch.randn(patches.shape[1], 64, generator=generator)
    chosen, far = [0], (small - small[0]).square().sum(1)
    for _ in range(count - 1):
        chosen.append(int(far.argmax()))
        far = torch.minimum(far, (small - small[chosen[-1]]).square().sum(1))
    return patches[chosen]


def autoencoder(patches: Tensor, seed: int, width: int = 192, code: int = 64) -> Values:
    """The distance from the reconstruction of a bottleneck."""
    torch.manual_seed(seed)
    d = patches.shape[1]
    network = nn.Sequential(nn.Linear(d, width), nn.GELU(), nn.Linear(width, code), nn.GELU(),
                            nn.Linear(code, width), nn.GELU(), nn.Linear(width, d))  # fmt: skip
    optimize(network, lambda x: (network(x) - x).square().mean(), patches, seed)
    return lambda x: (network(x) - x).square().sum(1).sqrt()


def simplenet(patches: Tensor, seed: int, sigma: float) -> Values:
    """The discriminator between patches and patches with noise (Liu et al., SimpleNet, 2023)."""
    torch.manual_seed(seed)
    d = patches.shape[1]
    adaptor = nn.Linear(d, d)
    judge = nn.Sequential(nn.Linear(d, d), nn.BatchNorm1d(d), nn.LeakyReLU(0.2), nn.Linear(d, 1))
    network = nn.ModuleList([adaptor, judge])

    def loss(x: Tensor) -> Tensor:
        y = adaptor(x)
        noisy = y + sigma * torch.randn_like(y)
        return (0.5 - judge(y)).clamp(min=0).mean() + (0.5 + judge(noisy)).clamp(min=0).mean()

    optimize(network, loss, patches, seed)
    return lambda x: -judge(adaptor(x))[:, 0]


def optimize(
    network: nn.Module, loss: Callable[[Tensor], Tensor], patches: Tensor, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    for _ in range(STEPS):
        value = loss(patches[torch.randint(len(patches), (BATCH,), generator=generator)])
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    network.eval()


def methods(parts: Parts, config: InspectConfig) -> dict[str, tuple[Callable[[], Values], bool]]:
    """How each method is trained, and whether its features are whitened."""
    raw, white, seed = (parts.raw - parts.mean) / parts.std, parts.white, config.seed
    return {
        "IGN": (lambda: ours(parts, config), True),
        "Gaussian": (lambda: lambda x: x.square().sum(1).sqrt(), True),
        "nearest neighbour, raw": (lambda: nearest(drawn(raw, BANK, seed)), False),
        "nearest neighbour, white": (lambda: nearest(drawn(white, BANK, seed)), True),
        "PatchCore, raw": (lambda: nearest(coreset(raw, CORESET, seed)), False),
        "PatchCore, white": (lambda: nearest(coreset(white, CORESET, seed)), True),
        "autoencoder, white": (lambda: autoencoder(white, seed), True),
        "autoencoder, raw": (lambda: autoencoder(raw, seed), False),
        "SimpleNet, 0.3": (lambda: simplenet(raw, seed, 0.3), False),
        "SimpleNet, 1": (lambda: simplenet(raw, seed, 1.0), False),
    }


def row(parts: Parts, config: InspectConfig, name: str) -> dict[str, Any]:
    """Train a method and measure it."""
    make, white = methods(parts, config)[name]
    start = time.perf_counter()
    values = make()
    seconds = time.perf_counter() - start
    return {"method": name, "seed": config.seed, **parts.measure(values, white), "seconds": seconds}


def table(rows: list[dict[str, Any]]) -> str:
    """The means over the seeds as Markdown, with the range of AUROC."""
    found = []
    for name in dict.fromkeys(row["method"] for row in rows):
        mine = [row for row in rows if row["method"] == name]
        keys = [key for key in mine[0] if key not in ("method", "seed")]
        mean = {key: float(np.mean([row[key] for row in mine])) for key in keys}
        all_of = [row["AUROC"] for row in mine]
        found.append({"method": name, **mean, "range": f"{min(all_of):.3f} to {max(all_of):.3f}"})
    formats = {key: "{:.3f}" for key in found[0] if key not in ("method", "range")}
    return markdown(found, formats | {"ms an image": "{:.0f}", "seconds": "{:.0f}"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True, help="a layout with test/good and defects")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=int, help="approximate number of test images")
    parser.add_argument("--size", type=int, default=InspectConfig.size)
    parser.add_argument("--backbone")
    parser.add_argument("--methods", nargs="*", help="the methods to measure")
    add_out(parser)
    options = parser.parse_args()
    layout, rows = find_layout(options.data), list[dict[str, Any]]()
    config = InspectConfig(size=options.size, backbone=options.backbone)
    for seed in range(options.seeds):
        config = replace(config, seed=seed)
        parts = Parts(layout, config, options.limit)
        for name in options.methods or methods(parts, config):
            rows.append(row(parts, config, name))
            print(
                {k: v if isinstance(v, str) else round(v, 3) for k, v in rows[-1].items()},
                flush=True,
            )
    about = {**describe(), "layout": layout.describe(), "size": config.size, "seeds": options.seeds}
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
