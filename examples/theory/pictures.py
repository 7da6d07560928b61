"""The pictures of docs/theory.md."""

__all__ = ["draw"]

from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from PIL import Image

from examples.theory.densities import (
    BINS,
    DENSITIES,
    SIDE,
    centres,
    gaussian,
    probabilities,
)
from examples.theory.experiments import TIGHT
from examples.theory.measure import farthest
from examples.theory.training import NOISE, VARIANTS, Network, bounded

DATA, MADE, DRIFT = "#0b7a75", "#d1495b", "magma"
ARROW = 0.33
"""The maximum length of an arrow from y towards f(y), in the units of the plane."""
STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "savefig.dpi": 100,
}


@torch.no_grad()
def landscape(ax: Axes, network: Network, arrows: bool, points: int = 300) -> Any:
    """Draw the drift as a heat map, data and samples as dots, and arrows towards f(y)."""
    g = torch.Generator().manual_seed(1)
    axis = torch.linspace(-SIDE, SIDE, 121)
    y = torch.cartesian_prod(axis, axis)
    drift = bounded(network(y), y).view(121, 121).T
    edge = (-SIDE, SIDE)
    image = ax.imshow(
        drift, origin="lower", extent=(*edge, *edge), cmap=DRIFT, vmin=0, vmax=1,
        interpolation="bilinear",
    )  # fmt: skip
    if arrows:
        axis = torch.linspace(-SIDE, SIDE, 16)[1:-1]
        y = torch.cartesian_prod(axis, axis)
        step = network(y) - y
        step *= (ARROW / step.norm(dim=1, keepdim=True)).clamp(max=1)
        ax.quiver(
            *y.T, *step.T, angles="xy", scale_units="xy", scale=1, width=0.005, headwidth=4,
            headlength=4, headaxislength=3.5, color="#3a86ff",
        )  # fmt: skip
    x = DENSITIES["two rings"].sample(points, g)
    made = network(gaussian(2, NOISE).sample(points, g))
    ax.scatter(*x.T, s=7, color="#2ee6d6", linewidths=0, label="data x")
    ax.scatter(*made.T, s=7, color="white", linewidths=0.4, edgecolors="#444", label="samples f(z)")
    ax.set(xlim=edge, ylim=edge, xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    return image


def planes(titles: list[str], networks: list[Network], path: Path, arrows: bool) -> None:
    """Draw landscapes side by side, with one scale."""
    n = len(networks)
    size = (12.5, 11.4 / n + 0.75)
    figure, axes = plt.subplots(1, n, figsize=size, layout="constrained", sharey=True)
    for ax, title, network in zip(axes, titles, networks, strict=True):
        image = landscape(ax, network, arrows)
        ax.set_title(title)
    label = "drift |f(y) − y| / 3"
    figure.colorbar(image, ax=axes, label=label, fraction=0.03, pad=0.01, extend="max")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=2, markerscale=3,
        facecolor="#51127c", labelcolor="white", frameon=True, framealpha=1,
    )  # fmt: skip
    _save(figure, path)


@torch.no_grad()
def indicators(networks: list[Network], path: Path) -> None:
    """Draw equation 21 on a line: the densities, and the predicted and the trained drift."""
    density, made = DENSITIES["three Gaussians"], gaussian(1, 1.2)
    y = centres(1)
    known, other = probabilities(density), probabilities(made)
    scale = BINS[1] / (2 * SIDE)
    figure, axes = plt.subplots(2, 2, figsize=(10, 5), layout="constrained", sharex=True)
    for ax, tight, network in zip(axes.flat, TIGHT, networks, strict=True):
        drift = bounded(network(y), y) / farthest(y)
        off = known < tight * other
        ax.fill_between(
            y[:, 0], 0, off.float(), step="mid", color="#ffd166", alpha=0.45, linewidth=0,
            label="predicted: $P_x < w_t P_\\theta$",
        )  # fmt: skip
        ax.plot(y, drift, color="#3d1a5b", lw=1.8, label="drift / M, trained")
        ax.plot(y, known * scale, color=DATA, lw=1.5, label="$P_x$")
        ax.plot(y, tight * other * scale, color=MADE, lw=1.5, label="$w_t P_\\theta$")
        ax.set(title=f"$w_t$ = {tight:g}", ylim=(0, 1.08), xlim=(-SIDE, SIDE))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    _save(figure, path)


def alphabet(found: dict[str, Any], path: Path) -> None:
    """Draw the distance of the joint optima from the data, the bound, and the ends of descent."""
    figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
    w = np.linspace(0, 2, 201)
    bound = np.where(w <= 1, 1 - w, 1 - 1 / np.maximum(w, 1e-9))
    ax.fill_between(w, 0, bound, color=DATA, alpha=0.12, linewidth=0)
    ax.plot(w, bound, color=DATA, lw=1.5, label="$1 - w_t$ and $1 - 1/w_t$")
    for i, row in enumerate(found["alphabet"]):
        at = _number(row["w_t"])
        label = "joint optima, exact" if i == 0 else None
        ax.plot([at] * len(row["all TV"]), row["all TV"], "o", ms=4, color=DATA, label=label)
    for i, row in enumerate(r for r in found["descent"] if r["w_i"] == "0.2"):
        at, label = _number(row["w_t"]) + 0.04, "gradient descent, 4 seeds" if i == 0 else None
        ax.plot([at] * 2, [row["TV least"], row["TV most"]], color=MADE, lw=2)
        ax.plot([at], [row["TV mean"]], "D", ms=6, color=MADE, label=label)
    ax.set(xlabel="$w_t$", ylabel="total variation of $P_\\theta$ and $P_x$", ylim=(-0.03, 1.03))
    ax.legend()
    _save(figure, path)


def _number(fraction: str) -> float:
    top, _, bottom = fraction.partition("/")
    return float(top) / float(bottom or 1)


def _save(figure: Any, path: Path) -> None:
    whole = BytesIO()
    figure.savefig(whole)
    Image.open(whole).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    plt.close(figure)


def draw(found: dict[str, Any], networks: dict[str, list[Network]], folder: Path) -> None:
    """Draw all pictures, theory-*.png in the folder."""
    mpl.use("Agg")
    n = len(TIGHT)
    with mpl.rc_context(STYLE):
        alphabet(found, folder / "theory-alphabet.png")
        indicators(networks["indicator"][:n], folder / "theory-indicator.png")
        weights = [f"$w_t$ = {w:g}" for w in TIGHT]
        planes(weights, networks["trained"][-n:], folder / "theory-weights.png", arrows=False)
        planes(list(VARIANTS), networks["ablation"][:-1], folder / "theory-landscape.png", True)
