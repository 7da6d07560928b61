"""What the verbs share: models, images from disk, places to write to."""

__all__ = [
    "Input",
    "Parser",
    "applied",
    "fraction",
    "fresh_file",
    "fresh_folder",
    "inputs",
    "load_model",
    "natural",
    "parse",
    "read",
    "result_name",
    "seed",
    "verb",
]

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ign.cli.parser import Parser, fraction, natural, parse, seed, verb
from ign.core.terminal import progress
from ign.data import DataError, read_image, to_float
from ign.data.files import list_folder
from ign.model import IGN
from ign.project import applied

Rename = Callable[[str], str]
SHEET = "_sheet.png"
SHOWN = 12
"""How many images a sheet shows side by side."""
WRITABLE = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


class Input(NamedTuple):
    """An image file and the name under which its result goes."""

    name: str
    path: Path


def load_model(options: argparse.Namespace) -> IGN:
    """The model that the arguments name, on the device that they name.

    Raises:
        ValueError: This machine has no such device, or the model is not of images.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    name = getattr(options, "device", "cpu")
    if name == "auto":
        name = next(k for k, v in there.items() if v)
    if not there[name]:
        raise ValueError(f"--device {name}: there is none here; use --device auto")
    model = IGN.from_pretrained(options.model, name)
    if len(model.shape) != 3:
        raise ValueError(f"{options.model}: of samples {model.shape}, not images; use it in Python")
    return model


def fresh_folder(path: Path, force: bool, option: str = "--out") -> Path:
    """A folder to write to.

    Raises:
        ValueError: It holds something and ``force`` is off, or it is a file.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(f"{option} {path}: is a file; give a folder")
    if path.exists() and any(path.iterdir()) and not force:
        raise ValueError(f"{option} {path}: is not empty; give another {option}, or --force")
    return path


def fresh_file(path: Path, force: bool) -> Path:
    """A file to write.

    Raises:
        ValueError: It exists and ``force`` is off, or it is a folder.
    """
    if path.is_dir():
        raise ValueError(f"--out {path}: is a folder; give a file")
    if path.exists() and not force:
        raise ValueError(f"--out {path}: exists; give another --out, or --force")
    return path


def result_name(name: str) -> str:
    """An input's name, as PNG where its kind cannot be written, and never the sheet's."""
    path = Path(name)
    path = path if path.suffix.lower() in WRITABLE else path.with_suffix(".png")
    return f"_{path}" if str(path) == SHEET else str(path)


def inputs(paths: Sequence[str], rename: Rename = str) -> list[Input]:
    """The images among files and folders, in order; two of one name are told apart.

    Args:
        paths: Files and folders.
        rename: From an image's name to its result's.

    Raises:
        ValueError: A path that is not there, or no image at all.
    """
    every: list[Input] = []
    for given in map(Path, paths):
        if not given.exists():
            raise ValueError(f"{given}: no such file or folder")
        if given.is_dir():
            every += [Input(f.name, Path(f.path)) for f in list_folder(given).files]
        else:
            every.append(Input(given.name, given))
    if not every:
        raise ValueError(f"{', '.join(paths)}: no images there")
    names = [rename(one.name) for one in every]
    taken: set[str] = set()
    for i in sorted(range(len(every)), key=lambda i: names[i] != every[i].name):
        wanted, n = Path(names[i]), 2
        while names[i] in taken:
            names[i], n = str(wanted.with_stem(f"{wanted.stem}-{n}")), n + 1
        taken.add(names[i])
    return [Input(name, one.path) for name, one in zip(names, every, strict=True)]


def read(
    model: IGN, paths: Sequence[str], count: int, rename: Rename = str
) -> Iterator[tuple[list[Input], Tensor]]:
    """The images of files and folders in the model's format, some at a time, with a bar.

    An image that cannot be read is named on standard error and left out.

    Args:
        model: Gives size and channels.
        paths: Files and folders.
        count: How many at a time.
        rename: From an image's name to its result's.

    Yields:
        The files and their images, (B, C, H, W) in [-1, 1].

    Raises:
        ValueError: Nothing among the paths can be read.
    """
    every, broken = inputs(paths, rename), 0
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
