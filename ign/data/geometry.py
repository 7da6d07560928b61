"""From a decoded picture to pixels of one size and kind."""

__all__ = ["GAP", "fit", "fit_opaque", "opaque", "pixels"]

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

GAP = 3.0
"""A large picture is first reduced cheaply, to no less than this many times the wanted size."""


def fit(image: Image.Image, size: int | None, crop: int | None = None) -> Image.Image:
    """Cut a square of side ``crop`` from the centre, then the largest square, at side ``size``."""
    if crop is not None:
        width, height = image.size
        crop = min(crop, width, height)
        left, top = (width - crop) // 2, (height - crop) // 2
        image = image.crop((left, top, left + crop, top + crop))
    if size is None or image.size == (size, size):
        return image
    width, height = image.size
    side = min(width, height)
    x, y = (width - side) / 2, (height - side) / 2
    box = (x, y, x + side, y + side)
    return image.resize((size, size), Image.Resampling.LANCZOS, box=box, reducing_gap=GAP)


def fit_opaque(image: Image.Image, size: int | None, crop: int | None = None) -> Image.Image:
    """Do as :func:`fit` does, but give RGBA as RGB, one channel after another to save memory."""
    if image.mode != "RGBA":
        return fit(image, size, crop)
    return Image.merge("RGB", [fit(image.getchannel(c), size, crop) for c in "RGB"])


def pixels(image: Image.Image, gray: bool) -> NDArray[np.uint8]:
    """The values of a picture, (1, H, W) or (3, H, W)."""
    values = np.asarray(image.convert("L" if gray else "RGB"))
    return values[None] if gray else np.ascontiguousarray(values.transpose(2, 0, 1))


def opaque(image: Image.Image, background: int) -> Image.Image:
    """The picture as L, RGB, or RGBA whose alpha does not count any more."""
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        hidden = ImageChops.invert(image.getchannel("A"))
        image.paste((background,) * 3 + (255,), mask=hidden)
        return image
    return image if image.mode == "L" else image.convert("L" if image.mode == "1" else "RGB")
