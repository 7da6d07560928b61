"""Drawing functions for the diagrams, with one font, one palette, and 100 units per inch."""

__all__ = [
    "BLUE",
    "FAINT",
    "GREEN",
    "INK",
    "ORANGE",
    "PAPER",
    "PINK",
    "RED",
    "SKY",
    "Picture",
    "Point",
    "arrow",
    "ball",
    "box",
    "canvas",
    "disc",
    "dot",
    "gray",
    "line",
    "loop",
    "mixed",
    "noisy",
    "phrase",
    "picture",
    "sketch",
    "text",
]

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path

Point = tuple[float, float]
Picture = np.ndarray[Any, np.dtype[np.float64]]

INK, FAINT, PAPER = "#23262b", "#6b727c", "#ffffff"
GREEN, BLUE, RED = "#009e73", "#0072b2", "#d55e00"
ORANGE, SKY, PINK = "#e69f00", "#56b4e9", "#cc79a7"
"""Colours of the palette of Okabe and Ito, which colour-blind readers can distinguish."""

FONT: dict[str, Any] = {"family": "STIXGeneral", "math_fontfamily": "stix"}
PIXELS = 96


def canvas(width: float, height: float) -> "tuple[Axes, Figure]":
    """Create a white figure of the given size in units, with axes that fill it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 100, height / 100), facecolor=PAPER)
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    return ax, figure


def mixed(colour: str, share: float) -> str:
    """Mix a share of the colour with white."""
    from matplotlib.colors import to_hex, to_rgb

    red, green, blue = (share * c + 1 - share for c in to_rgb(colour))
    return to_hex((red, green, blue))


def text(
    ax: "Axes", at: Point, words: str, size: float = 12, colour: str = INK, align: str = "center"
) -> None:
    """Draw text with mathematics between dollars; ``align`` is the part of it at the point."""
    ax.text(*at, _spaced(words), size=size, color=colour, ha=align, va="center", zorder=9, **FONT)


def phrase(ax: "Axes", at: Point, words: Sequence[tuple[str, str]], size: float = 12) -> None:
    """Draw text in several colours, centred at the point."""
    from matplotlib.offsetbox import AnnotationBbox, HPacker, TextArea

    parts: list[Any] = [
        TextArea(_spaced(word), textprops={"color": c, "size": size, **FONT}) for word, c in words
    ]
    row = HPacker(children=parts, align="baseline", pad=0, sep=size / 3)
    ax.add_artist(AnnotationBbox(row, at, frameon=False, pad=0, zorder=9))


def box(
    ax: "Axes",
    at: Point,
    size: Point,
    colour: str = INK,
    *,
    fill: float = 0.1,
    corner: float = 8,
    width: float = 1.3,
    dashed: bool = False,
    order: float = 3,
) -> None:
    """Draw a rounded box around a point; a fill of 0 is transparent."""
    from matplotlib.patches import FancyBboxPatch

    left, bottom = at[0] - size[0] / 2, at[1] - size[1] / 2
    patch = FancyBboxPatch(
        (left, bottom), *size, boxstyle=f"round,pad=0,rounding_size={corner}", zorder=order
    )
    patch.set(edgecolor=colour, facecolor=mixed(colour, fill) if fill else "none", linewidth=width)
    patch.set_linestyle((0, (4, 2.5)) if dashed else "-")
    ax.add_patch(patch)


def line(
    ax: "Axes",
    points: Sequence[Point],
    colour: str = INK,
    *,
    width: float = 1.4,
    dashed: bool = False,
    style: str = "-",
    bend: float = 0,
    order: float = 2,
) -> None:
    """Draw a line with rounded corners, or an arc that bends left by a share of its length."""
    from matplotlib.patches import FancyArrowPatch

    path = _bow(points[0], points[-1], bend) if bend else _rounded(points)
    patch = FancyArrowPatch(path=path, arrowstyle=style, mutation_scale=8 + 3 * width)
    patch.set(color=colour, linewidth=width, zorder=order, capstyle="butt", fill=style != "-")
    patch.set_linestyle((0, (3, 2)) if dashed else "-")
    ax.add_patch(patch)


def arrow(ax: "Axes", points: Sequence[Point], colour: str = INK, **how: Any) -> None:
    """Draw a :func:`line` with an arrow head at its end."""
    line(ax, points, colour, style="-|>", **how)


def loop(ax: "Axes", at: Point, size: float, colour: str, angle: float = 90) -> None:
    """Draw an arrow from a point to itself, in the direction of an angle in degrees."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    def turned(r: float, degrees: float) -> Point:
        a = np.deg2rad(angle + degrees)
        return at[0] + r * np.cos(a), at[1] + r * np.sin(a)

    corners = [turned(9, 36), turned(1.7 * size, 46), turned(1.7 * size, -46), turned(9, -36)]
    path = Path(corners, [Path.MOVETO] + 3 * [Path.CURVE4])
    patch = FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=12)
    patch.set(color=colour, linewidth=1.6, zorder=4)
    ax.add_patch(patch)


def disc(ax: "Axes", at: Point, radius: float, words: str) -> None:
    """Draw a circle around a word, above lines."""
    from matplotlib.patches import Circle

    ax.add_patch(Circle(at, radius, fc=mixed(INK, 0.1), ec=INK, lw=1.3, zorder=5))
    text(ax, at, words, 17)


def dot(ax: "Axes", at: Point, colour: str = INK) -> None:
    """Draw a point."""
    ax.plot(*at, "o", ms=6, mfc=colour, mec=PAPER, mew=0.8, zorder=6)


def picture(ax: "Axes", at: Point, image: Picture, side: float, colour: str = INK) -> None:
    """Draw a square picture (H, W, 3) in [0, 1] around a point, with a frame."""
    half = side / 2
    extent = (at[0] - half, at[0] + half, at[1] - half, at[1] + half)
    x, y = ax.get_xlim(), ax.get_ylim()
    ax.imshow(image, extent=extent, zorder=5, interpolation="none", aspect="auto")
    ax.set(xlim=x, ylim=y)
    box(ax, at, (side, side), colour, fill=0, corner=1, width=1.1, order=6)


def ball(colour: str, at: Point = (0.0, 0.0)) -> Picture:
    """Render a ball in a room, (H, W, 3) in [0, 1], as an example of the data."""
    from matplotlib.colors import to_rgb

    y, x = np.mgrid[1 : -1 : PIXELS * 1j, -1 : 1 : PIXELS * 1j]
    room = np.where(y > -0.35, 0.93 - 0.1 * y, 0.74 + 0.1 * y)[..., None] * np.array(
        [1, 0.98, 0.94]
    )
    dx, dy = (x - at[0]) / 0.55, (y - at[1]) / 0.55
    shadow = np.exp(-(((dx - 0.3) / 1.0) ** 4) - ((dy + 1.0) / 0.28) ** 2)
    room *= 1 - 0.45 * shadow[..., None]
    height = np.sqrt(np.clip(1 - dx**2 - dy**2, 0, 1))
    light = np.clip(-0.45 * dx + 0.55 * dy + 0.7 * height, 0, 1)
    body = np.array(to_rgb(colour)) * (0.35 + 0.75 * light[..., None])
    body = np.clip(body + 0.7 * light[..., None] ** 24, 0, 1)
    edge = np.clip((1 - np.hypot(dx, dy)) * 20, 0, 1)[..., None]
    return np.clip(edge * body + (1 - edge) * room, 0, 1)


def noisy(image: Picture, amount: float, seed: int = 0) -> Picture:
    """Replace a share of the picture by noise; 1 for noise alone."""
    cells = np.random.default_rng(seed).uniform(0, 1, (PIXELS // 4, PIXELS // 4, 3))
    return (1 - amount) * image + amount * cells.repeat(4, 0).repeat(4, 1)


def gray(image: Picture) -> Picture:
    """Replace each channel by the mean of the channels."""
    return image.mean(-1, keepdims=True).repeat(3, -1)


def sketch(image: Picture) -> Picture:
    """Divide the gray picture by its blur, which leaves lines on white."""
    g = np.pad(gray(image)[..., 0], PIXELS // 2, mode="edge")
    f = np.fft.fftfreq(len(g))
    blur = np.exp(-2 * (np.pi * 2.5) ** 2 * (f[:, None] ** 2 + f**2))
    ratio = g / np.fft.ifft2(np.fft.fft2(g) * blur).real
    inner = ratio[PIXELS // 2 : -PIXELS // 2, PIXELS // 2 : -PIXELS // 2, None]
    return np.clip(1 - 3.2 * np.abs(1 - inner), 0, 1).repeat(3, -1)


def _spaced(words: str) -> str:
    """Add space between an italic f and the bracket that follows it."""
    return re.sub(r"\bf\(", r"f\\,(", words)


def _rounded(points: Sequence[Point], radius: float = 9) -> "Path":
    """The path through the points with rounded corners."""
    from matplotlib.path import Path

    stops = [np.array(p, float) for p in points]
    vertices, codes = [stops[0]], [Path.MOVETO]
    for before, corner, after in zip(stops, stops[1:], stops[2:], strict=False):
        for end in (before, after):
            step = (end - corner) / np.linalg.norm(end - corner)
            vertices += [corner + radius * step] + ([corner] if end is before else [])
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path(np.array([*vertices, stops[-1]]), [*codes, Path.LINETO])


def _bow(start: Point, end: Point, bend: float) -> "Path":
    """The curve from one point to another, to the left of the straight line."""
    from matplotlib.path import Path

    (x0, y0), (x1, y1) = start, end
    middle = (x0 + x1) / 2 - bend * (y1 - y0), (y0 + y1) / 2 + bend * (x1 - x0)
    return Path([start, middle, end], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
