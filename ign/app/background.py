"""Preprocessing of drawings, so that background, size and position are as in the data.

The digits of MNIST are white on black, at most 20 of 28 pixels wide and high, and centred at their
centre of mass. Most drawings and photographs of digits are dark on light, anywhere in the picture.
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
"""The smallest difference from the background, in [-1, 1], of a pixel that counts as drawn."""
GRAIN = 0.15
"""The share of the contrast of the strongest stroke below which a pixel counts as paper."""


@dataclass(frozen=True)
class Background:
    """The plain background of gray images.

    Args:
        level: The value of the background, in [-1, 1].
        share: The longer side of a drawing, divided by the side of the image.
    """

    level: float
    share: float

    @classmethod
    def of(cls, model: IGN) -> "Background | None":
        """The background of a model's samples, or None for colour images or other backgrounds."""
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
    """Convert a square picture to the network's format.

    Args:
        picture: A picture in mode L or RGB, at least as large as the images of the model.
        size: The side of the model's images.
        background: The background of the data.
        turn: Whether to invert dark and light: ``always``, ``never``, or ``automatic``: if the
            border of the picture and the background are on different sides of middle gray.
        fit: Whether to centre and scale the drawing like the data.

    Returns:
        The image, (C, size, size) in [-1, 1], and messages that say what was changed.

    Raises:
        ValueError: The value of ``turn`` is unknown.
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
            messages.append(f"Dark and light were inverted, since the data are {side}.")
        if paper * background.level > 0 and abs(paper - background.level) > 0.1 and turn != "never":
            x = _cleared(x, paper, background.level)
            messages.append("The paper was replaced by the background of the data.")
        if fit:
            x, moved = _fitted(x, size, background)
            messages += ["The drawing was centred and scaled like the data."] * moved
        picture = to_picture(x[None])
    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.BOX)
    return to_tensor(picture), messages


def _cleared(x: Tensor, paper: float, level: float) -> Tensor:
    """Set the paper to the background and the strongest stroke to the other end of the range."""
    ink = ((x - paper) * -level).clamp(min=0)
    top = ink.flatten().quantile(0.995).clamp(min=INK)
    share = ((ink / top - GRAIN) / (1 - GRAIN)).clamp(0, 1)
    return level - 2 * level * share


def _fitted(x: Tensor, size: int, background: Background) -> tuple[Tensor, bool]:
    """Scale the drawing to the size of the data, with its centre of mass in the middle."""
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
    """The pixels at the edges of (B, H, W), in a border of a thirtieth of the side."""
    n = max(1, images.shape[-1] // 30)
    sides = (images[:, :n], images[:, -n:], images[..., :n], images[..., -n:])
    return torch.cat([side.flatten() for side in sides])


def _box(drawn: Tensor) -> tuple[int, int, int, int] | None:
    """The top, left, bottom and right of the pixels that are True."""
    rows, columns = drawn.any(1).nonzero(), drawn.any(0).nonzero()
    if not len(rows):
        return None
    return (
        int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1,
    )  # fmt: skip
