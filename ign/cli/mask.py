"""A mask that was painted: which pixels are the hole."""

__all__ = ["read_mask"]

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def read_mask(path: str, size: int) -> "Tensor":
    """Read a mask from an image file.

    The hole is where the image is bright. Where some of it is transparent, the hole is in the
    opaque part: its bright pixels if it has dark ones too, else all of it, whatever its colour.

    Args:
        path: The file.
        size: The side of the result; the mask is cropped and resized as images are.

    Shape:
        (1, H, W), bool, True in the hole.

    Raises:
        ValueError: It is no image file, or covers nothing.
    """
    import torch
    from PIL import Image

    from ign.data import read_image
    from ign.data.decode import fit, quiet

    if not path or (Path(path).exists() and not Path(path).is_file()):
        raise ValueError(f"--mask {path}: is not a file; give an image")
    gray = torch.tensor(read_image(path, size=size, gray=True)) > 127
    with quiet(), Image.open(path) as image:
        transparent = image.has_transparency_data
        if transparent:
            red, green, blue, alpha = fit(image.convert("RGBA"), size).split()
            bright = fit(Image.merge("RGB", (red, green, blue)).convert("L"), size)
            visible, light = (
                torch.frombuffer(bytearray(x.tobytes()), dtype=torch.uint8).view(1, size, size)
                > 127
                for x in (alpha, bright)
            )
            both = (visible & light).any() and (visible & ~light).any()
            gray = visible & light if both else visible
    if not gray.any():
        raise ValueError(
            f"--mask {path}: the mask covers nothing; paint the hole bright on black, or on a"
            " transparent ground"
        )
    return gray
