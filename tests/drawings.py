"""Drawings and models for the tests of the page."""

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ign import IGN
from ign.nn import DCGANAutoencoder
from ign.noise import GaussianNoise


def blob(size: int, side: int) -> Tensor:
    """A square of that side, symmetric about the middle, white on black, (1, size, size)."""
    image = torch.full((1, size, size), -1.0)
    first = (size - side) // 2
    image[:, first : first + side, first : first + side] = 1
    return image


def seven(light: bool, side: int = 280) -> Image.Image:
    """A seven in the upper left quarter, dark on light or light on dark."""
    paper, ink = (255, 0) if light else (0, 255)
    picture = Image.new("L", (side, side), paper)
    line = [(0.1 * side, 0.1 * side), (0.4 * side, 0.1 * side), (0.2 * side, 0.45 * side)]
    ImageDraw.Draw(picture).line(line, fill=ink, width=side // 16)
    return picture


def untrained(channels: int, size: int = 8, seed: int = 0) -> IGN:
    """A model that nobody trained, its weights large enough to change what it is given."""
    torch.manual_seed(seed)
    network = DCGANAutoencoder(channels, size, 4, "role")
    for p in network.parameters():
        p.data *= 8
    return IGN(network, GaussianNoise((channels, size, size)), "l1", {"data": "nothing"})
