"""A painted mask, which marks the pixels of a hole."""

__all__ = ["note_sizes", "read_mask"]

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ign.core.terminal import echo
from ign.core.text import printable

if TYPE_CHECKING:
    from torch import Tensor


def read_mask(path: str, size: int) -> "Tensor":
    """Read a mask from an image file.

    The hole consists of the bright pixels. If the image is partly transparent, the hole is in the
    opaque part: its bright pixels if it also has dark ones, otherwise all of its pixels.

    Args:
        path: The file.
        size: The side of the result; the mask is cropped and resized as images are.

    Shape:
        (1, H, W), bool, True in the hole.

    Raises:
        ValueError: The file is not an image, or the mask is empty.
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
            " transparent background"
        )
    return gray


def note_sizes(path: str, images: Iterable[Path]) -> None:
    """Print a note if images have another size than the mask, whose place in them is then a guess.

    Args:
        path: The file of the mask.
        images: The files of the images; files that cannot be read are not counted.
    """
    from ign.data.decode import quiet, read_header

    sizes = []
    with quiet():
        width, height = read_header(path)[:2]
        for image in images:
            with suppress(Exception):  # a broken image is reported when it is read
                sizes.append(read_header(str(image))[:2])
    other = sum(size != (width, height) for size in sizes)
    if other:
        echo(
            f"note: {other} of {len(sizes)} images have another size than --mask {printable(path)}"
            f" ({width}x{height}); the mask and each image are cropped to the square in their"
            " centre and resized",
            error=True,
        )
