"""What the verbs share: their arguments, models, images from disk."""

__all__ = ["fresh", "images_of", "load_model", "parse", "verb"]

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from ign.data import image_files, read_image, to_float
from ign.model import IGN


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (see {self.prog} --help)")


def verb(name: str, description: str, epilog: str = "") -> Parser:
    """The parser of a verb on a model, with the arguments that all of them take."""
    parser = Parser(
        prog=f"ign {name}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "model", metavar="MODEL", help="a run, a saved model, a packaged name, or owner/name"
    )
    return parser


def parse(parser: Parser, words: Sequence[str]) -> argparse.Namespace:
    """Parse, with the options that come last in every verb's help."""
    parser.add_argument("--batch-size", type=natural, default=64, help="images at a time (64)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    return parser.parse_args(words)


def natural(text: str) -> int:
    """A number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} must be at least 1")
    return value


def device(name: str) -> torch.device:
    """The device of that name; ``auto`` for the best there is.

    Raises:
        ValueError: This machine has none.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(k for k, v in there.items() if v)
    if not there[name]:
        raise ValueError(f"--device {name}: there is none here; use --device auto")
    return torch.device(name)


def load_model(options: argparse.Namespace) -> IGN:
    """The model that the arguments name, on the device that they name."""
    return IGN.from_pretrained(options.model, device(options.device))


def fresh(path: Path, force: bool) -> Path:
    """A path to write to.

    Raises:
        ValueError: Something is there and ``force`` is off.
    """
    if path.exists() and not force:
        raise ValueError(f"{path}: exists; give another --out or --force")
    return path


def images_of(model: IGN, inputs: Sequence[str]) -> tuple[list[Path], Tensor]:
    """All images of files and folders in the model's format, (B, C, H, W) in [-1, 1]."""
    files = image_files(inputs)
    channels, size, _ = model.shape
    arrays = [read_image(f, size=size, gray=channels == 1) for f in files]
    return files, to_float(torch.stack([torch.from_numpy(a) for a in arrays]))
