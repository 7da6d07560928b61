"""Drawings made like the data: the same background, size and place.

Handwritten digits are white on black, in a box of 20 of 28 pixels about their centre of mass. Most
drawings and photographs of them are dark on light, anywhere in the picture.
"""

__all__ = ["TURNS", "Background", "preprocess"]

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from ign.app.reading import to_tensor
from ign.model import IGN
from ign.view.pictures import to_picture

TURNS = ("automatic", "never", "always")
INK = 0.4
"""How far a pixel in [-1, 1] must be from the background to be drawn."""
GRAIN = 0.15
"""The share of the darkest stroke below which a photograph's paper is still paper."""


@dataclass(frozen=True)
class Background:
    """The plain background of gray images.

    Args:
        level: Its value, in [-1, 1].
        share: The longer side of what is drawn, as a share of the image's side.
    """

    level: float
    share: float

    @classmethod
    def of(cls, model: IGN) -> "Background | None":
        """The background of a model's samples; None if they are in colour or have no plain one."""
        if model.shape[0] != 1:
            return None
        samples = model.sample(64).cpu()[:, 0]
        border = _border(samples)
        level = border.median()
        if level.abs() < 0.8 or (border - level).abs().mean() > 0.1:
            return None
        boxes = [box for one in samples if (box := _box((one - level).abs() > INK)) is not None]
        if not boxes:
            return None
        sides = torch.tensor([max(b - t, r - left) for t, left, b, r in boxes])
        return cls(round(level.item()), sides.median().item() / samples.shape[-1])


def preprocess(
    picture: Image.Image,
    size: int,
    background: Background | None = None,
    turn: str = "automatic",
    fit: bool = True,
) -> tuple[Tensor, list[str]]:
    """A square picture in the network's format, and what was changed.

    Args:
        picture: L or RGB, larger than the model's images or as large.
        size: The side of the model's images.
        background: The background of the data.
        turn: Whether dark and light change places: ``always``, ``never``, or ``automatic``: where
            the border of the picture is on the other side of middle gray than the background.
        fit: Whether what is drawn is centred and scaled as the data are.

    Returns:
        (C, size, size) in [-1, 1], and sentences for a person.

    Raises:
        ValueError: An unknown ``turn``.
    """
    if turn not in TURNS:
        raise ValueError(f"turn {turn!r} is unknown; choose {', '.join(TURNS)}")
    messages: list[str] = []
    if background is not None:
        x = to_tensor(picture)[0]
        paper = _border(x[None]).median().item()
        if turn == "always" or (turn == "automatic" and paper * background.level < 0):
            x, paper = -x, -paper
            side = "light on dark" if background.level < 0 else "dark on light"
            messages.append(f"Dark and light change places: the data are {side}.")
        if paper * background.level > 0 and abs(paper - background.level) > 0.1 and turn != "never":
            x = _cleared(x, paper, background.level)
            messages.append("The paper becomes the background of the data.")
        if fit:
            x, moved = _fitted(x, size, background)
            messages += ["The drawing is centred and scaled as the data are."] * moved
        picture = to_picture(x[None])
    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.BOX)
    return to_tensor(picture), messages


def _cleared(x: Tensor, paper: float, level: float) -> Tensor:
    """The paper at the background's level, the strongest stroke at the other end."""
    ink = ((x - paper) * -level).clamp(min=0)
    top = ink.flatten().quantile(0.995).clamp(min=INK)
    share = ((ink / top - GRAIN) / (1 - GRAIN)).clamp(0, 1)
    return level - 2 * level * share


def _fitted(x: Tensor, size: int, background: Background) -> tuple[Tensor, bool]:
    """What is drawn, in the data's size with its centre of mass in the middle."""
    ink = (x - background.level).abs()
    box = _box(ink > INK)
    if box is None:
        return x, False
    top, left, bottom, right = box
    n = x.shape[-1]
    ink = torch.where(ink > INK, ink, 0.0).double()
    at = torch.arange(n, dtype=torch.float64) + 0.5
    cy, cx = ((ink.sum(d) * at).sum().item() / ink.sum().item() for d in (1, 0))
    side = max(bottom - top, right - left) / background.share
    pixel = n / size
    if abs(side - n) <= 2 * pixel and max(abs(cy - n / 2), abs(cx - n / 2)) <= 1.5 * pixel:
        return x, False
    half = round(side / 2)
    window = (round(cx) - half, round(cy) - half, round(cx) + half, round(cy) + half)
    wide = Image.new("L", (2 * half, 2 * half), 255 if background.level > 0 else 0)
    wide.paste(to_picture(x[None]), (-window[0], -window[1]))
    return to_tensor(wide.resize((size, size), Image.Resampling.BOX))[0], True


def _border(images: Tensor) -> Tensor:
    """The pixels at the edges of (B, H, W), a thirtieth of the side wide."""
    n = max(1, images.shape[-1] // 30)
    sides = (images[:, :n], images[:, -n:], images[..., :n], images[..., -n:])
    return torch.cat([side.flatten() for side in sides])


def _box(drawn: Tensor) -> tuple[int, int, int, int] | None:
    """Top, left, bottom and right of what is True."""
    rows, columns = drawn.any(1).nonzero(), drawn.any(0).nonzero()
    if not len(rows):
        return None
    return (
        int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1,
    )  # fmt: skip
