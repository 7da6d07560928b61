"""What the verbs share: their arguments, models, images from disk."""

__all__ = ["applied", "fresh_folder", "load_model", "natural", "parse", "read", "verb"]

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import torch
from torch import Tensor

from ign.data import DataError, read_image, to_float
from ign.data.files import list_folder
from ign.model import IGN
from ign.terminal import progress


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (see {self.prog} --help)")


class Input(NamedTuple):
    """An image file and the name under which its result goes."""

    name: str
    path: Path


def verb(name: str, description: str, epilog: str = "") -> Parser:
    """The parser of a verb on a model."""
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
    """Parse, with the options that every verb on a model takes."""
    parser.add_argument(
        "--batch-size", type=natural, default=64, metavar="B", help="images at a time (64)"
    )
    parser.add_argument(
        "--device",
        default="auto",
        choices=("auto", "cpu", "cuda", "mps"),
        help="where to compute; auto takes the best there is",
    )
    parser.add_argument("--force", action="store_true", help="write over what is there")
    return parser.parse_args(words)


def natural(text: str) -> int:
    """A whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} must be at least 1")
    return value


def applied(k: int, to: str) -> str:
    """What k applications are called: f(z), f(f(z)), f(f(f(z))), f^4(z), ..."""
    return f"f^{k}({to})" if k > 3 else "f(" * k + to + ")" * k


def load_model(options: argparse.Namespace) -> IGN:
    """The model that the arguments name, on the device that they name.

    Raises:
        ValueError: This machine has no such device.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    name = options.device
    if name == "auto":
        name = next(k for k, v in there.items() if v)
    if not there[name]:
        raise ValueError(f"--device {name}: there is none here; use --device auto")
    return IGN.from_pretrained(options.model, name)


def fresh_folder(path: Path, force: bool) -> Path:
    """A folder to write to.

    Raises:
        ValueError: It holds something and ``force`` is off, or it is a file.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(f"--out {path}: is a file; give a folder")
    if path.exists() and any(path.iterdir()) and not force:
        raise ValueError(f"--out {path}: is not empty; give another --out, or --force")
    return path


def inputs(paths: Sequence[str]) -> list[Input]:
    """The images among files and folders, in order; two of one name are told apart.

    Raises:
        ValueError: A path that is not there, or no image at all.
    """
    found: dict[str, Path] = {}
    for given in map(Path, paths):
        if not given.exists():
            raise ValueError(f"{given}: no such file or folder")
        pairs = [(given.name, given)]
        if given.is_dir():
            pairs = [(f.name, f.path) for f in list_folder(given).files]
        for name, file in pairs:
            free, i = name, 2
            while free in found:
                free = str(Path(name).with_stem(f"{Path(name).stem}-{i}"))
                i += 1
            found[free] = file
    if not found:
        raise ValueError(f"{', '.join(paths)}: no images there")
    return [Input(name, path) for name, path in found.items()]


def read(model: IGN, paths: Sequence[str], count: int) -> Iterator[tuple[list[Input], Tensor]]:
    """The images of files and folders in the model's format, some at a time, with a bar.

    An image that cannot be read is named on standard error and left out.

    Args:
        model: Gives size and channels.
        paths: Files and folders.
        count: How many at a time.

    Yields:
        The files and their images, (B, C, H, W) in [-1, 1].

    Raises:
        ValueError: Nothing among the paths can be read.
    """
    every, broken = inputs(paths), 0
    channels, size, _ = model.shape
    with progress() as bar:
        task = bar.add_task("reading", total=len(every))
        for start in range(0, len(every), count):
            kept, arrays = [], []
            for one in every[start : start + count]:
                try:
                    pixels = read_image(one.path, size=size, gray=channels == 1)
                except DataError as error:
                    print(f"skipped: {error}", file=sys.stderr)
                    broken += 1
                    continue
                kept.append(one)
                arrays.append(torch.tensor(pixels))
            if kept:
                yield kept, to_float(torch.stack(arrays))
            bar.advance(task, len(every[start : start + count]))
    if broken == len(every):
        raise ValueError(f"none of {broken} images can be read")
    if broken:
        print(f"skipped {broken} of {len(every)} images", file=sys.stderr)
