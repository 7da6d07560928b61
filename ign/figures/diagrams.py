"""Diagrams of the method: the idea, the objective and the network."""

__all__ = ["idea", "network", "objective", "save", "write"]

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from ign.core.files import atomic
from ign.figures import drawing as d
from ign.figures import layers
from ign.nn import DCGANAutoencoder

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Named = tuple[d.Picture, str]
network = layers.network


def idea() -> "Figure":
    """Draw the idea: the network leaves the data unchanged and maps everything else onto it."""
    ax, figure = d.canvas(960, 590)
    _sheet(ax)
    for u, v, ball in (
        (0.10, 0.22, d.ball(d.GREEN, (0.15, 0.0))),
        (0.46, 0.13, d.ball(d.ORANGE)),
        (0.85, 0.24, d.ball(d.PINK, (-0.1, 0.05))),
    ):
        _placed(ax, _on_sheet(u, v), ball, d.GREEN, "$x$", "$f(x) = x$")
    made, clean = d.ball(d.RED, (0.0, 0.05)), d.ball(d.SKY, (0.05, 0.05))
    _placed(ax, MADE, made, d.BLUE, "$f(z)$", "$f(f(z)) = f(z)$")
    _placed(ax, CLEAN, clean, d.BLUE, "$f(y)$", "$f(f(y)) = f(y)$")
    _moved(ax, (150, 500), "noise $z$", d.noisy(clean, 1.0), MADE, 105, 0.14)
    _moved(ax, (480, 500), "noisy $y$", d.noisy(clean, 0.45), CLEAN, 124, 0.08)
    _moved(ax, (630, 500), "sketch $y$", d.sketch(clean), CLEAN, 97)
    _moved(ax, (780, 500), "gray $y$", d.gray(clean), CLEAN, 70, -0.05)
    d.line(ax, [(793, 444), (631, 241)], d.RED, width=1.4, style="|-|")
    d.text(ax, (736, 342), r"drift  $\delta(y) = D(f(y), y)$", 14, d.RED, "left")
    d.text(ax, (640, 40), r"estimated manifold  $\{\, y : \delta(y) = 0 \,\}$", 14)
    return figure


def _placed(
    ax: "Axes", at: d.Point, image: d.Picture, colour: str, name: str, equation: str
) -> None:
    """Draw a point of the manifold with its picture, its name, and f as a loop."""
    x, y = at
    d.picture(ax, (x - 47, y + 4), image, 54, colour)
    d.dot(ax, at, colour)
    d.text(ax, (x, y - 20), name, 13, colour)
    d.loop(ax, at, 26, colour, 10)
    d.text(ax, (x + 46, y + 6), equation, 13, colour, "left")


def _moved(
    ax: "Axes",
    at: d.Point,
    name: str,
    image: d.Picture,
    onto: d.Point,
    angle: float,
    bend: float = 0,
) -> None:
    """Draw a picture off the manifold and the arrow of f, which ends at an angle in degrees."""
    d.picture(ax, at, image, 68)
    d.text(ax, (at[0], at[1] + 52), name, 14)
    start, turn = np.array([at[0], at[1] - 40]), np.deg2rad(angle)
    reached = onto + 11 * np.array([np.cos(turn), np.sin(turn)])
    d.arrow(ax, [tuple(start), tuple(reached)], d.BLUE, bend=bend, width=1.8)
    across, up = reached - start
    x, y = (start + reached) / 2 + bend / 2 * np.array([-up, across])
    d.text(ax, (x - 16, y), "$f$", 15, d.BLUE)


def _on_sheet(u: float, v: float) -> d.Point:
    """The position of the point (u, v) of the surface, u and v in [0, 1]; v points away."""
    return 30 + 780 * u + 120 * v, 110 + 190 * v + 42 * _height(u, v)


def _height(u: float, v: float) -> float:
    return float(np.sin(5.2 * u + 1.3 * v + 0.4) + 0.35 * np.cos(3 * v - 2 * u))


def _sheet(ax: "Axes") -> None:
    """Draw the manifold as a curved sheet that is lit from the left."""
    from matplotlib.collections import LineCollection, PolyCollection
    from matplotlib.patches import Polygon

    us, vs = np.linspace(0, 1, 61), np.linspace(0, 1, 25)
    faces, colours = [], []
    for v, behind in zip(vs[-2::-1], vs[:0:-1], strict=True):
        for u, right in pairwise(us):
            corners = ((u, v), (right, v), (right, behind), (u, behind))
            faces.append([_on_sheet(*corner) for corner in corners])
            slope = (_height(right, v) - _height(u, v)) / (right - u)
            colours.append(d.mixed(d.BLUE, 0.20 - 0.025 * slope))
    ax.add_collection(PolyCollection(faces, facecolors=colours, edgecolors=colours, linewidths=0.6))
    across = [[_on_sheet(u, v) for u in us] for v in vs[::4]]
    along = [[_on_sheet(u, v) for v in vs] for u in us[::5]]
    inner = across[1:-1] + along[1:-1]
    ax.add_collection(LineCollection(inner, colors=d.PAPER, linewidths=0.8))
    edge = across[0] + along[-1] + across[-1][::-1] + along[0][::-1]
    ax.add_patch(Polygon(edge, fill=False, ec=d.mixed(d.BLUE, 0.55), lw=1.3, zorder=2))


MADE, CLEAN = _on_sheet(0.20, 0.72), _on_sheet(0.60, 0.66)
"""The points of the manifold onto which noise and degraded pictures are mapped."""

OUT, IN, AGAIN, COMPARED = 285.0, 405.0, 525.0, 620.0
"""The horizontal positions of f(z), the outer f, f(f(z)) and D."""


def objective() -> "Figure":
    """Draw the three terms, and the parameters that the gradient of each term reaches."""
    ax, figure = d.canvas(960, 700)
    _reconstruction(ax, 530)
    _outputs(ax, 270)
    for y in (442, 182):
        d.line(ax, [(30, y), (930, y)], d.mixed(d.FAINT, 0.35), width=0.8)
    _legend(ax, 148)
    terms = [
        (r"$L \;=$", d.INK),
        (r"$w_r\, L_\mathrm{rec}$", d.GREEN),
        ("$+$", d.INK),
        (r"$w_i\, L_\mathrm{idem}$", d.BLUE),
        ("$+$", d.INK),
        (r"$w_t\, L_\mathrm{tight}$", d.RED),
    ]
    d.phrase(ax, (480, 40), terms, 18)
    return figure


def _reconstruction(ax: "Axes", y: float) -> None:
    image = d.ball(d.ORANGE)
    _title(ax, y, "Reconstruction", "data are left unchanged")
    _measured(ax, y, (image, "$x$"), (image, "$f(x)$"))
    d.arrow(ax, [(690, y + 20), (IN - 30, y + 20)], d.GREEN, width=2.4, order=4)
    _term(ax, y, d.GREEN, r"$L_\mathrm{rec} = D(f(x), x)$", "minimized by $f$")


def _outputs(ax: "Axes", y: float) -> None:
    image = d.ball(d.SKY, (0.1, 0.0))
    meaning = "outputs are left unchanged, and as little else as possible"
    _title(ax, y, "Idempotence and tightness", meaning)
    d.picture(ax, (62, y), d.noisy(image, 1.0), 60)
    d.text(ax, (62, y - 48), "$z$", 14)
    d.arrow(ax, [(92, y), (134, y)])
    _network(ax, (172, y))
    d.arrow(ax, [(210, y), (OUT - 30, y)])
    _measured(ax, y, (image, "$y = f(z)$"), (image, "$f(y) = f(f(z))$"))
    d.box(ax, (IN, y), (108, 108), d.BLUE, fill=0, dashed=True)
    d.text(ax, (IN, y + 68), "$F$, a frozen copy", 12.5, d.BLUE)
    _gradients(ax, y)


def _gradients(ax: "Axes", y: float) -> None:
    """Draw the gradients: idempotence trains the inner f, and tightness the outer f."""
    up, down = y + 20, y - 20
    how: dict[str, Any] = {"width": 2.4, "order": 4}
    d.line(ax, [(690, y + 40), (668, y + 40), (668, up), (IN + 38, up)], d.BLUE, **how)
    d.line(ax, [(IN + 38, up), (IN - 38, up)], d.BLUE, dashed=True, **how)
    d.arrow(ax, [(IN - 38, up), (142, up)], d.BLUE, **how)
    d.arrow(ax, [(690, y - 40), (668, y - 40), (668, down), (IN - 30, down)], d.RED, **how)
    _stop(ax, (IN - 66, down), d.RED)
    idem = r"$L_\mathrm{idem} = D(F(f(z)),\, f(z))$"
    _term(ax, y + 40, d.BLUE, idem, "minimized by the inner $f$")
    tight = r"$L_\mathrm{tight} = -D(f(y), y)$"
    _term(ax, y - 40, d.RED, tight, "drift maximized by the outer $f$")


def _title(ax: "Axes", y: float, name: str, meaning: str) -> None:
    d.text(ax, (30, y + 140), name, 16, align="left")
    d.text(ax, (30, y + 117), meaning, 12.5, d.FAINT, "left")


def _measured(ax: "Axes", y: float, before: Named, after: Named) -> None:
    """Draw an input, the output of f, and D, which compares them."""
    for x, (image, name) in ((OUT, before), (AGAIN, after)):
        d.picture(ax, (x, y), image, 60)
        d.text(ax, (x, y - 48), name, 14)
    d.arrow(ax, [(OUT + 30, y), (IN - 38, y)])
    d.arrow(ax, [(IN + 38, y), (AGAIN - 30, y)])
    d.arrow(ax, [(AGAIN + 30, y), (COMPARED - 26, y)])
    d.arrow(ax, [(OUT, y + 30), (OUT, y + 92), (COMPARED, y + 92), (COMPARED, y + 26)])
    _network(ax, (IN, y))
    d.disc(ax, (COMPARED, y), 26, "$D$")


def _network(ax: "Axes", at: d.Point) -> None:
    d.box(ax, at, (76, 84))
    d.text(ax, at, "$f$", 20)


def _term(ax: "Axes", y: float, colour: str, equation: str, effect: str) -> None:
    d.box(ax, (810, y), (240, 64), colour, order=5)
    d.text(ax, (810, y + 13), equation, 14)
    d.text(ax, (810, y - 15), effect, 12, colour)


def _stop(ax: "Axes", at: d.Point, colour: str) -> None:
    for x in (at[0] - 3, at[0] + 3):
        d.line(ax, [(x, at[1] - 9), (x, at[1] + 9)], colour, width=2.2)


def _legend(ax: "Axes", y: float) -> None:
    """Draw the legend of the colours, and below it the kinds of lines."""
    d.text(ax, (30, y), "gradient of", 13, align="left")
    colours = (
        (216, d.GREEN, "reconstruction"),
        (424, d.BLUE, "idempotence"),
        (674, d.RED, "tightness"),
    )
    for x, colour, name in colours:
        d.line(ax, [(x, y), (x + 44, y)], colour, width=2.4)
        d.text(ax, (x + 54, y), name, 13, align="left")
    y -= 36
    d.arrow(ax, [(30, y), (74, y)])
    d.arrow(ax, [(216, y), (260, y)], d.FAINT, width=2.4)
    d.line(ax, [(424, y), (468, y)], d.FAINT, width=2.4, dashed=True)
    _stop(ax, (696, y), d.FAINT)
    for x, words in (
        (84, "forward pass"),
        (270, "gradient updates $f$"),
        (478, "gradient passes through"),
        (728, "gradient stops: $y$ is constant"),
    ):
        d.text(ax, (x, y), words, 13, align="left")


def write(folder: str | Path, network: nn.Module | None = None) -> list[Path]:
    """Write the diagrams as SVG, the same bytes each time.

    Args:
        folder: The folder for the files.
        network: The network to draw; None for the paper's Table 1.

    Raises:
        ValueError: :func:`network` cannot draw the network.
    """
    drawn = {
        "idea": idea(),
        "objective": objective(),
        "network": layers.network(network or DCGANAutoencoder()),
    }
    return [save(figure, Path(folder) / f"{name}.svg") for name, figure in drawn.items()]


def save(figure: "Figure", path: Path) -> Path:
    """Write a diagram in the format of the path's suffix, the same bytes each time."""
    import matplotlib

    metadata = {"Date": None} if path.suffix == ".svg" else {}
    with matplotlib.rc_context({"svg.hashsalt": path.stem}), atomic(path) as file:
        figure.savefig(file, dpi=130, metadata=metadata)
    return path
