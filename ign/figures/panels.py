"""The paper's figures from one model, which show the first seeds and images without selection.

Each figure is a function from a :class:`Subject` to a :class:`Panel`.
"""

__all__ = ["PANELS", "Panel", "Subject"]

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ign.core.random import keys
from ign.degrade import BrushMask, HalfMask, RectangleMask, Sketch, parse
from ign.edit import arithmetic, composite, find_exemplars, inpaint
from ign.model import IGN
from ign.project import Stability, applied, stability
from ign.view import pictures

COLUMNS, EDITED, FOLLOWED, GRID = 12, 8, 32, 100
TIMES = (1, 2, 3)
LONG = (1, 2, 3, 5, 10, 20, 50, 100, 200, 300)
NAMES = tuple(applied(k, "z") for k in TIMES)
Rows = list[tuple[str, Tensor]]


class Panel(NamedTuple):
    """A figure with its number in the paper, its title, its caption and its pictures."""

    number: str
    title: str
    text: str
    pictures: Sequence[Image.Image]


class Subject:
    """The model, images and seed that the figures show.

    Args:
        model: The model.
        images: Held-out images, (N, C, H, W) in [-1, 1], at least :data:`COLUMNS`; None to
            use samples instead.
        seed: The seed of noise and degradations.
        attributes: Functions by name, which measure an attribute of images, (B, C, H, W) to (B,).
    """

    def __init__(
        self,
        model: IGN,
        images: Tensor | None,
        seed: int,
        attributes: dict[str, Callable[[Tensor], Tensor]],
    ):
        self.model, self.seed, self.attributes = model, seed, attributes
        self.given = images is not None
        self.images = images if images is not None else self.samples[0][:COLUMNS]
        self.source = "held-out images" if self.given else "samples f(z) (no images were given)"

    @cached_property
    def samples(self) -> list[Tensor]:
        """The first samples f(z), ff(z), fff(z)."""
        return self._on_cpu(self.model.sample_trajectory(GRID, TIMES, self.seed))

    @cached_property
    def noise(self) -> Tensor:
        """The noise of the samples."""
        return self.model.latents(torch.arange(GRID), self.seed).cpu()

    def project(self, y: Tensor, k: int = 1) -> Tensor:
        return self.model.project(y, k).cpu()

    def trajectory(self, y: Tensor) -> list[Tensor]:
        return self._on_cpu(self.model.trajectory(y, TIMES))

    @staticmethod
    def _on_cpu(images: list[Tensor]) -> list[Tensor]:
        return [x.cpu() for x in images]


def generated(s: Subject) -> Panel:
    """Figure 4."""
    rows: Rows = []
    for start in (0, COLUMNS):
        part = slice(start, start + COLUMNS)
        rows += [("z", s.noise[part]), *_named(NAMES[:2], [x[part] for x in s.samples])]
    return Panel(
        "4", "Generation",
        f"Noise z, one application of f, and two: samples 0 to {2 * COLUMNS - 1} of seed {s.seed}.",
        [pictures.sheet(rows, 3)],
    )  # fmt: skip


def projected(s: Subject) -> Panel:
    """Figure 5."""
    x = s.images[:COLUMNS]
    colour = len(x[0]) > 1
    names = ["noise:0.15", "noise:variance=0.15", *(["gray"] if colour else []), "sketch"]
    rows: Rows = [("x", x)]
    for name in names:
        y = parse(name)(x, s.seed)
        rows += [(name.replace("variance", "var"), y), ("f(y)", s.project(y))]
    also = f"{', gray,' if colour else ''} and as a sketch (kernel {Sketch().kernel_size})"
    return Panel(
        "5", "Projection of degraded images",
        f"The first {len(x)} {s.source}, with Gaussian noise of standard deviation 0.15 and of"
        f" variance 0.15 (seed {s.seed}){also}, each above its projection.",
        [pictures.sheet(rows)],
    )  # fmt: skip


def attributed(s: Subject) -> Panel:
    """Figure 6."""
    z = s.noise[:COLUMNS]
    rows: Rows = [("f(z)", s.samples[0][:COLUMNS])]
    for name, measure in s.attributes.items():
        plus, minus = find_exemplars(s.model, measure, seed=s.seed)
        rows += [(f"+ {name}", arithmetic(s.model, z, plus, minus).cpu())]
        rows += [(f"- {name}", arithmetic(s.model, z, minus, plus).cpu())]
    return Panel(
        "6", "Latent arithmetic",
        f"f((z+ - z-) + z) for samples 0 to {COLUMNS - 1} of seed {s.seed}: z+ and z- are the means"
        " of the noise of the 64 samples out of 512 that have most and least of the attribute;"
        " in the row below they are exchanged.",
        [pictures.sheet(rows)],
    )  # fmt: skip


def repeated(s: Subject) -> Panel:
    """Figure 7."""
    once, *again = (x[:COLUMNS] for x in s.samples)
    changed = [(5 * (x - once).abs() - 1).clamp(max=1) for x in again]
    rows: Rows = [("z", s.noise[:COLUMNS]), *_named(NAMES, [once, *again])]
    rows += _named(("5 |ff - f|", "5 |fff - f|"), changed)
    return Panel(
        "7", "Repeated application to noise",
        f"Samples 0 to {COLUMNS - 1} of seed {s.seed} after one, two and three applications, and"
        " five times the changes by the second and the third.",
        [pictures.sheet(rows)],
    )  # fmt: skip


def refined(s: Subject) -> Panel:
    """Figure 8."""
    x = s.images[:COLUMNS]
    rows: Rows = []
    for name in ("noise:0.6", "saltpepper:0.1", "rectangle:0.1"):
        y = parse(name)(x, s.seed)
        rows += [(name, y), *_named([applied(k, "y") for k in TIMES], s.trajectory(y))]
    return Panel(
        "8", "Repeated application to degraded images",
        f"The first {len(x)} {s.source}, degraded (seed {s.seed}), after one, two and three"
        " applications.",
        [pictures.sheet(rows, 4)],
    )  # fmt: skip


def masked(s: Subject) -> Panel:
    """Figure 9."""
    x, rows = s.images[:EDITED], []
    for mask in (RectangleMask(0.15), HalfMask("bottom"), BrushMask(1, 0.2)):
        m = mask.holes(x.shape[-2:], keys(s.seed, "degrade", 0, torch.arange(len(x))))
        rows += [
            ("x", x), ("masked", torch.where(m, s.noise[: len(x)], x)),
            ("f(y)", inpaint(s.model, x, m, seed=s.seed).cpu()),
            ("kept, 10 times", inpaint(s.model, x, m, 10, s.seed, keep=True).cpu()),
            ("other noise", inpaint(s.model, x, m, 10, s.seed + 1, keep=True).cpu()),
        ]  # fmt: skip
    return Panel(
        "9", "Editing by masks",
        f"The first {len(x)} {s.source} with noise (seed {s.seed}) in a hole, their projection, and"
        " ten applications that each restore the given pixels outside the hole, with the same noise"
        f" and with the noise of seed {s.seed + 1}.",
        [pictures.sheet(rows, 5)],
    )  # fmt: skip


def composed(s: Subject) -> Panel:
    """Figure 10."""
    x, side = s.images[:EDITED], s.model.shape[-1]
    part = max(2, side // 3)
    rows: Rows = [("x", x)]
    for top, left in ((0, 0), ((side - part) // 2, (side - part) // 2), (side - part, 0)):
        patch = s.noise[0, :, top : top + part, left : left + part]
        pasted = x.clone()
        pasted[..., top : top + part, left : left + part] = patch
        rows += [("pasted", pasted), ("f(y)", composite(s.model, x, patch, top, left).cpu())]
    return Panel(
        "10", "Compositing",
        f"A part of the noise of sample 0 (seed {s.seed}), {part} x {part} pixels, pasted on the"
        f" first {len(x)} {s.source} at three places, each above its projection.",
        [pictures.sheet(rows)],
    )  # fmt: skip


def uncurated(s: Subject) -> Panel:
    """Figures 11 to 14."""
    return Panel(
        "11-14", "Uncurated samples",
        f"f(z), f(f(z)) and f(f(f(z))) of samples 0 to {GRID - 1} of seed {s.seed}.",
        [pictures.grid(x) for x in s.samples],
    )  # fmt: skip


def iterated(s: Subject) -> Panel:
    """Figure 16."""
    z = s.noise[:FOLLOWED].to(s.model.device)
    found = stability(s.model.network, z, LONG, s.model.distance, noise=True)
    shown = s.model.trajectory(z[:EDITED], LONG, noise=True)
    diverged = found.diverged[found.diverged > 0]
    count = "none"
    if len(diverged):
        count = (
            f"{len(diverged)} (the first after {int(diverged.min())} applications, half of them by"
            f" {int(diverged.median())})"
        )
    rows = [(f"k = {k}", x.cpu()) for k, x in zip(LONG, shown, strict=True)]
    return Panel(
        "16", "Many applications",
        f"f^k(z) for samples 0 to {EDITED - 1} of seed {s.seed}. Of {len(z)} samples followed up to"
        f" k = {LONG[-1]}, {count} became another image (PSNR to f(z) under 15 dB). The mean step"
        f" |f^(k+1)(z) - f^k(z)| is {found.drift[0].mean():.3f} at k = 1 and"
        f" {found.drift[-1].mean():.4f} at k = {LONG[-1]}. Below: medians and the middle 80 %.",
        [pictures.sheet(rows), _curves(found)],
    )  # fmt: skip


def _curves(found: Stability) -> Image.Image:
    """Plot the change by each application and the similarity to the first, over k."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 2.9), layout="constrained", dpi=110)
    k = list(found.applications)
    panels = [
        ("mean |f^(k+1)(z) - f^k(z)|", k, found.drift, "log"),
        ("PSNR to f(z), dB", k[1:], found.psnr[1:], "linear"),
    ]
    for axes, (title, x, values, scale) in zip(figure.subplots(1, 2), panels, strict=True):
        low, middle, high = values.cpu().quantile(torch.tensor([0.1, 0.5, 0.9]), dim=1)
        axes.fill_between(x, low, high, alpha=0.2, linewidth=0)
        axes.plot(x, middle, marker="o", ms=3)
        axes.set(title=title, xscale="log", yscale=scale, xlabel="k")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


def _named(names: Sequence[str], images: Sequence[Tensor]) -> Rows:
    return list(zip(names, images, strict=False))


PANELS: Sequence[Callable[[Subject], Panel]] = (
    generated, projected, attributed, repeated, refined, masked, composed, uncurated, iterated,
)  # fmt: skip
"""The figures in the order of the paper."""
