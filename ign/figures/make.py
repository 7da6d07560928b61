"""Draw all figures of the paper for a model, and write an HTML page that shows them."""

__all__ = ["make"]

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ign.edit import between
from ign.figures import diagrams
from ign.figures.panels import NAMES, PANELS, Panel, Subject
from ign.model import IGN
from ign.view import pictures, video
from ign.view.html import Section, write_page

STOPS, STEPS, TILES = 5, 16, 9
WRITTEN = ("fig-[0-9]*.svg", "fig-[0-9]*.png", "interpolation-f*", "index.html")
"""The files that :func:`make` writes."""
Attributes = dict[str, Callable[[Tensor], Tensor]]


def make(
    model: IGN,
    out: Path,
    images: Tensor | None = None,
    seed: int = 0,
    attributes: Attributes | None = None,
    done: Callable[[], None] = lambda: None,
) -> Path:
    """Draw every figure of the paper for a model. Figures of an earlier call are removed.

    Args:
        model: The model.
        out: The folder for ``fig-01.svg``, ``fig-04.png`` and so on, the videos and
            ``index.html``.
        images: Held-out images, (N, C, H, W) in [-1, 1]; None to use samples instead.
        seed: The seed of the noise and of the degradations.
        attributes: Functions for Figure 6 by name, which measure an attribute of images,
            (B, C, H, W) to (B,); None for the brightness.
        done: A function that is called after each of the :func:`count` parts.

    Returns:
        The page.
    """
    for pattern in WRITTEN:
        for path in out.glob(pattern):
            path.unlink()
    brightness = {"brightness": lambda x: x.flatten(1).mean(1)}
    subject = Subject(model, images, seed, attributes or brightness)
    sections = _diagrams(model, out)
    for draw in PANELS:
        sections.append(_panel(draw(subject), out))
        done()
    sections.sort(key=lambda section: int(section.title.split()[1].partition("-")[0].rstrip(":")))
    sections.append(_film(subject, out))
    done()
    about = model.about
    parameters = sum(p.numel() for p in model.network.parameters())
    return write_page(
        out / "index.html",
        "Figures of an Idempotent Generative Network",
        f"The figures of the paper (Shocher et al., 2024, arXiv 2311.01462), drawn from one network"
        f" of {parameters:,} parameters, trained for {about.get('steps', 0):,} steps on"
        f" {about.get('data', 'images')}. Images and seeds are the first ones, not selected.",
        sections,
    )


def count() -> int:
    """The number of parts of :func:`make`."""
    return len(PANELS) + 1


def _diagrams(model: IGN, out: Path) -> list[Section]:
    """Draw Figures 1 and 3, and Figure 15 if the network can be drawn."""
    drawn = [
        ("01", diagrams.idea, "Figure 1: The idea",
         "Data are left unchanged. Other inputs are mapped onto the data and stay there."),
        ("03", diagrams.objective, "Figure 3: The objective",
         "The three terms, and where the gradient of each goes."),
        ("15", lambda: diagrams.network(model.network), "Figure 15: The network",
         "The network of this model, drawn from its layers."),
    ]  # fmt: skip
    sections = []
    for number, draw, title, text in drawn:
        try:
            figure = draw()
        except ValueError:
            continue
        path = diagrams.save(figure, out / f"fig-{number}.svg")
        sections.append(Section(title, text, [path.name], smooth=True))
    return sections


def _panel(panel: Panel, out: Path) -> Section:
    """Write the pictures of a figure, with the caption below the last one."""
    title = f"Figure{'s' if '-' in panel.number else ''} {panel.number}: {panel.title}"
    names = _names(panel)
    *before, last = panel.pictures
    for name, picture in zip(
        names, [*before, pictures.captioned(last, title, panel.text)], strict=True
    ):
        pictures.save(picture, out / name)
    return Section(title, panel.text, names, smooth=True, captioned=True)


def _names(panel: Panel) -> list[str]:
    stem = "fig-" + "-".join(f"{int(n):02d}" for n in panel.number.split("-"))
    if len(panel.pictures) == 1:
        return [f"{stem}.png"]
    return [f"{stem}-{letter}.png" for letter, _ in zip("abcdef", panel.pictures, strict=False)]


def _film(subject: Subject, out: Path) -> Section:
    """Write videos of interpolations after one, two and three applications."""
    model, seed = subject.model, subject.seed
    stops = model.latents(torch.arange(TILES * STOPS), seed).view(TILES, STOPS, *model.shape)
    t = torch.arange(STEPS) / STEPS
    ways = [between(stops[:, i], stops[:, (i + 1) % STOPS], t) for i in range(STOPS)]
    z = torch.cat(ways, 1)
    iterates = model.trajectory(z.flatten(0, 1), [1, 2, 3], noise=True)
    films = [x.cpu().view(z.shape) for x in iterates]
    names = []
    for k, film in enumerate(films, start=1):
        frames = [pictures.grid(frame) for frame in film.transpose(0, 1)]
        names.append(video.write(frames, out / f"interpolation-{'f' * k}.mp4").name)
        if k == 1:
            video.write(_smaller(frames), out / "interpolation-f.gif", fps=10)
    return Section(
        "Interpolation",
        f"Straight lines through {STOPS} noise images and back, {TILES} side by side (samples 0 to"
        f" {TILES * STOPS - 1} of seed {seed}): {NAMES[0]}, {NAMES[1]} and {NAMES[2]}.",
        names,
    )


def _smaller(frames: Sequence[Image.Image]) -> list[Image.Image]:
    """Every other frame, in 64 grays or colours."""
    return [frame.quantize(64).convert("RGB") for frame in frames[::2]]
