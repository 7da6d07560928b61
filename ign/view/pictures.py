"""Tensors as pictures: grids and labelled sheets, written atomically."""

__all__ = ["captioned", "enlarged", "first_of", "grid", "heat", "save", "sheet", "to_picture"]

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ign.core.files import atomic
from ign.core.text import printable
from ign.data import to_uint8

PAPER, INK = 255, 60
LEAST_TILE = 56
LEAST_FRAME = 256
"""The minimum number of pixels of the shorter side of an enlarged picture."""
HEAT = ((0, 0, 0), (84, 18, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))
"""The colours of a map from its least to its largest value."""
JPEG: dict[str, Any] = {"quality": 100, "subsampling": 0}
BEST = {".jpg": JPEG, ".jpeg": JPEG, ".jpe": JPEG, ".webp": {"lossless": True}}
"""The options with the highest quality for each lossy format."""
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def to_picture(image: Tensor) -> Image.Image:
    """One image (C, H, W) in [-1, 1], C = 1 or 3, as a picture; values outside are clamped."""
    pixels = to_uint8(image.detach().cpu())
    if len(pixels) not in (1, 3):
        raise ValueError(f"an image of {len(pixels)} channels has no picture; 1 or 3 do")
    array = pixels.movedim(0, -1).numpy()
    return Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)


def enlarged(picture: Image.Image | Tensor) -> Image.Image:
    """A small picture, or an image (C, H, W) in [-1, 1], with each pixel as a square of pixels.

    The shorter side of the result has at least 256 pixels. Larger pictures stay as they are.
    """
    picture = to_picture(picture) if isinstance(picture, Tensor) else picture
    scale = -(-LEAST_FRAME // min(picture.size))
    size = (scale * picture.width, scale * picture.height)
    return picture.resize(size, Image.Resampling.NEAREST)


def heat(values: Tensor, top: float = 1.0) -> Tensor:
    """Maps as images: black for 0, over violet and orange, to light yellow for ``top`` and more.

    Args:
        values: (B, H, W), at least 0.
        top: The value of the last colour.

    Returns:
        (B, 3, H, W) in [-1, 1].
    """
    colours = torch.tensor(HEAT, dtype=values.dtype) / 127.5 - 1
    place = (values / top).clamp(0, 1) * (len(HEAT) - 1)
    below = place.long().clamp(max=len(HEAT) - 2)
    part = (place - below)[..., None]
    return ((1 - part) * colours[below] + part * colours[below + 1]).movedim(-1, 1)


def grid(images: Tensor, columns: int | None = None) -> Image.Image:
    """Images (N, C, H, W) in [-1, 1] as one picture, row by row, small ones enlarged.

    Args:
        images: The images.
        columns: The number of images in a row; None for about as many as there are rows.
    """
    columns = columns or max(1, round(len(images) ** 0.5))
    rows = [images[i : i + columns] for i in range(0, len(images), columns)]
    return sheet([("", row) for row in rows])


def first_of(shown: int, total: int) -> str:
    """The note below a sheet that shows some images only; empty for a sheet of all of them."""
    return f"first {shown:,} of {total:,}" if shown < total else ""


def sheet(rows: Sequence[tuple[str, Tensor]], group: int = 0, note: str = "") -> Image.Image:
    """Rows of images, each with its label on the left, as one picture.

    Args:
        rows: Labels and images, each (N, C, H, W) in [-1, 1]; all of one size.
        group: The number of rows between wider gaps; 0 for no wider gap.
        note: A line of text below the rows.
    """
    rows = [("\n".join(map(_plain, label.split("\n"))), images) for label, images in rows]
    scale = -(-LEAST_TILE // rows[0][1].shape[-1])
    height, width = (scale * n for n in rows[0][1].shape[-2:])
    gap = max(2, width // 16)
    font = ImageFont.load_default(size=14)
    margin = max((int(font.getlength(line)) for t, _ in rows for line in t.split("\n")), default=0)
    margin += 2 * gap if margin else gap
    columns = max(len(images) for _, images in rows)
    tops = [
        gap + r * (height + gap) + (r // group * 4 * gap if group else 0) for r in range(len(rows))
    ]
    size = (margin + columns * (width + gap), tops[-1] + height + gap)
    picture = Image.new("RGB", size, (PAPER,) * 3)
    draw = ImageDraw.Draw(picture)
    for r, (label, images) in enumerate(rows):
        top = tops[r]
        middle = (gap, top + height // 2)
        draw.multiline_text(middle, label, fill=(INK,) * 3, font=font, anchor="lm")
        for c, image in enumerate(images):
            tile = to_picture(image).resize((width, height), Image.Resampling.NEAREST)
            picture.paste(tile, (margin + c * (width + gap), top))
    return captioned(picture, "", note) if note else picture


def _plain(text: str) -> str:
    return printable(text, 10 * len(text) + 3)


def captioned(picture: Image.Image, title: str, text: str) -> Image.Image:
    """A picture with a title and a text below it, which are broken into lines of its width."""
    pad, width = 10, max(picture.width, 420 if title else 120)
    lines = []
    for words, size in ((_plain(title), 16), (_plain(text), 13)):
        if not words:
            continue
        font = ImageFont.load_default(size=size)
        lines += [(line, font, size * 3 // 2) for line in _lines(words, font, width - 2 * pad)]
    height = picture.height + sum(height for *_, height in lines) + 2 * pad
    whole = Image.new("RGB", (width, height), (PAPER,) * 3)
    whole.paste(picture, ((width - picture.width) // 2, 0))
    draw, top = ImageDraw.Draw(whole), picture.height + pad
    for line, font, height in lines:
        draw.text((pad, top), line, fill=(INK,) * 3, font=font)
        top += height
    return whole


def _lines(text: str, font: Font, width: int) -> list[str]:
    """The text in lines that are no wider than the width, a single long word apart."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def save(picture: Image.Image | Tensor, path: str | Path, durable: bool = True) -> Path:
    """Write a picture, or an image (C, H, W) in [-1, 1], in the format of the path's suffix.

    PNG and WebP keep every pixel value. JPEG is written with quality 100 and without subsampling of
    the colours, and still changes values by a little.

    Args:
        picture: The picture or image.
        path: The file.
        durable: As for ``ign.core.files.atomic``.

    Raises:
        OSError: The file cannot be written.
    """
    picture = to_picture(picture) if isinstance(picture, torch.Tensor) else picture
    path = Path(path)
    with atomic(path, durable) as file:
        picture.save(file, **BEST.get(path.suffix.lower(), {}))
    return path
