"""Pictures of maps: heat, contours at the threshold, and maps with 16 bits."""

__all__ = ["contours", "picture_of", "write_maps"]

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ign.core.files import atomic
from ign.inspection.inspector import Inspector, enlarged
from ign.view import pictures

LARGEST = 640
"""The longer side of a picture at most."""
BRIGHT = 1.5
"""The value of the brightest colour, as a multiple of the threshold."""
DEEP = 65535
RANGE = 16
"""The value of the largest level of 16 bits, as a multiple of the threshold."""
OUTLINE = (64, 255, 240)


def write_maps(
    image: Tensor, values: Tensor, inspector: Inspector, path: Path, raw: bool = False
) -> None:
    """Write PATH with image and map side by side, and beside it the map with 16 bits.

    Args:
        image: (3, H, W) uint8.
        values: The map, (H, W).
        inspector: The inspector, whose threshold scales the colours.
        path: NAME-map.png; the map with 16 bits is NAME-map16.png, in which 65535 is 16 times
            the threshold of a pixel.
        raw: Whether to also write the values, as NAME-map.npy, float32.
    """
    threshold = pixel_threshold(inspector, values)
    pictures.save(picture_of(image, values, threshold), path, durable=False)
    levels = (values / (RANGE * threshold)).clamp(0, 1) * DEEP
    deep = Image.fromarray(levels.round().numpy().astype(np.uint16))
    pictures.save(deep, path.with_name(f"{path.stem}16.png"), durable=False)
    if raw:
        with atomic(path.with_suffix(".npy"), durable=False) as place, open(place, "wb") as file:
            np.save(file, values.numpy())


def pixel_threshold(inspector: Inspector, values: Tensor) -> float:
    """The threshold of a pixel; the largest value if the model is not calibrated."""
    known = inspector.calibration
    return known.thresholds["pixel"] if known else max(float(values.max()), 1e-6)


def picture_of(image: Tensor, values: Tensor, threshold: float) -> Image.Image:
    """The image with the outline of what is above the threshold, and the map, side by side."""
    scale = min(1.0, LARGEST / max(image.shape[-2:]))
    sides = [max(1, round(scale * side)) for side in image.shape[-2:]]
    photo = Image.fromarray(image.movedim(0, -1).numpy()).resize(
        (sides[1], sides[0]), Image.Resampling.BILINEAR
    )
    small = enlarged(values[None].float(), (sides[0], sides[1]))[0]
    pixels = torch.tensor(np.array(photo))
    pixels[contours(small, threshold)] = torch.tensor(OUTLINE, dtype=torch.uint8)
    heat = pictures.to_picture(pictures.heat(small[None], BRIGHT * threshold)[0])
    both = Image.new("RGB", (2 * sides[1] + 4, sides[0]), (255, 255, 255))
    both.paste(Image.fromarray(pixels.numpy()), (0, 0))
    both.paste(heat, (sides[1] + 4, 0))
    return both


def contours(values: Tensor, threshold: float) -> Tensor:
    """The pixels above the threshold with a neighbour that is not, (H, W) to (H, W) bool."""
    above = (values > threshold).float()
    around = torch.nn.functional.pad(above[None, None], (2, 2, 2, 2), mode="replicate")
    least = -torch.nn.functional.max_pool2d(-around, 5, 1)[0, 0]
    return (above > 0) & (least == 0)
