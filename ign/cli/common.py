"""Shared parts of the verbs: models, images from disk, output paths."""

__all__ = [
    "SHEET",
    "SHOWN",
    "Input",
    "Parser",
    "distinct",
    "find_inputs",
    "fraction",
    "index",
    "is_inspector_name",
    "load_model",
    "natural",
    "new_file",
    "new_folder",
    "number",
    "parse",
    "pick_device",
    "positive",
    "read_inputs",
    "result_name",
    "seed",
    "shortened",
    "verb",
]

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from ign.cli.parser import (
    Parser,
    fraction,
    index,
    natural,
    number,
    parse,
    positive,
    seed,
    verb,
)
from ign.core.files import check_writable
from ign.core.terminal import echo, progress

if TYPE_CHECKING:
    from torch import Tensor

    from ign import IGN
    from ign.data.decode import Header

Rename = Callable[[str], str]
SHEET = "_sheet.png"
SHOWN = 12
"""The number of images side by side in a sheet."""
LOSSLESS = {".png", ".bmp"}
"""Suffixes of files that keep every pixel value."""
MASKS = "ground_truth"
"""The folder of masks in the layout of MVTec AD."""
LONGEST_NAME = 255
"""The maximum length of a file name in bytes on common file systems."""


class Input(NamedTuple):
    """An image file and the name of the file for its result."""

    name: str
    path: Path


def pick_device(name: str) -> str:
    """A device by name; ``auto`` is the first of cuda, mps and cpu that this machine has.

    Raises:
        ValueError: This machine has no such device.
    """
    import torch

    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return next(device for device, there in available.items() if there)
    if not available[name]:
        raise ValueError(f"--device {name}: this machine has no such device; use --device auto")
    return name


def load_model(options: argparse.Namespace) -> "IGN":
    """Load the model of the arguments to the device of the arguments.

    Raises:
        ValueError: This machine has no such device, or the model is not for images.
    """
    from ign import IGN

    if not options.model:
        raise ValueError("the name of the model is empty; give a run, a model or its name")
    if is_inspector_name(options.model):
        raise ValueError(
            f"{options.model}: is a model of train inspect, which scores parts and does not"
            " generate; use it with ign score, evaluate, calibrate, info or export --what score"
        )
    model = IGN.from_pretrained(options.model, pick_device(getattr(options, "device", "cpu")))
    if len(model.shape) != 3:
        raise ValueError(
            f"{options.model}: is for samples of shape {model.shape}, not for images; use it in"
            " Python"
        )
    return model


def is_inspector_name(name: str) -> bool:
    """Whether a model is one of train inspect; PyTorch is imported only for models on disk."""
    if not name or not Path(name).exists():
        return False
    from ign.inspection import is_inspector

    return is_inspector(name)


def new_folder(path: Path, force: bool, option: str = "--out") -> Path:
    """A folder that can be written to.

    Raises:
        ValueError: It is not empty and ``force`` is False, or it is a file.
        OSError: It cannot be written to.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(f"{option} {path}: is a file; give a folder")
    if path.exists() and any(path.iterdir()) and not force:
        raise ValueError(f"{option} {path}: is not empty; give another {option}, or --force")
    check_writable(path / "file")
    return path


def new_file(path: Path, force: bool) -> Path:
    """A file that can be written.

    Raises:
        ValueError: It exists and ``force`` is False, or it is a folder or a device.
        OSError: Its folder cannot be written to.
    """
    if path.is_dir():
        raise ValueError(f"--out {path}: is a folder; give a file")
    if path.exists() and not path.is_file():
        raise ValueError(f"--out {path}: is not a regular file")
    if path.exists() and not force:
        raise ValueError(f"--out {path}: exists; give another --out, or --force")
    check_writable(path)
    return path


def result_name(name: str) -> str:
    """The name of an input with a lossless suffix, different from the name of the sheet."""
    path = Path(name)
    path = path if path.suffix.lower() in LOSSLESS else path.with_suffix(".png")
    return f"_{path}" if str(path) == SHEET else str(path)


def shortened(path: Path, extra: str = "") -> Path:
    """Append ``extra`` to the stem of a path, which is cut if the name would be too long."""
    end = f"{extra}{path.suffix}"
    room = LONGEST_NAME - len(os.fsencode(end))
    stem = path.stem
    while len(os.fsencode(stem)) > room:
        stem = stem[:-1]
    return path.with_name(stem + end)


def distinct(path: Path, taken: set[str]) -> str:
    """Return a path that is not taken, if necessary with a number, and mark it as taken."""
    name, n = str(shortened(path)), 2
    while name in taken:
        name, n = str(shortened(path, f"-{n}")), n + 1
    taken.add(name)
    return name


def find_inputs(paths: Sequence[str], rename: Rename = str) -> list[Input]:
    """List the images in files and folders, in order; equal names get different numbers.

    Images in a folder ``ground_truth`` are masks, and are left out with a note.

    Args:
        paths: Files and folders.
        rename: From the name of an image to the name of its result.

    Raises:
        ValueError: A path does not exist or is neither a file nor a folder, or no image is found.
    """
    from ign.data.files import list_folder

    every: list[Input] = []
    for text in paths:
        given = Path(text)
        if not text:
            raise ValueError("an INPUT is empty; give image files and folders")
        if not given.exists():
            raise ValueError(f"{given}: no such file or folder")
        if given.is_dir():
            files = list_folder(given).files
            kept = [f for f in files if MASKS not in PurePosixPath(f.name).parts[:-1]]
            if len(kept) < len(files):
                echo(f"{len(files) - len(kept)} masks in {given}/{MASKS} are left out", error=True)
            every += [Input(f.name, Path(f.path)) for f in kept]
        elif given.is_file():
            every.append(Input(given.name, given))
        else:
            raise ValueError(f"{given}: is neither a file nor a folder; give image files")
    if not every:
        raise ValueError(f"{', '.join(paths)}: no images found")
    names = [str(shortened(Path(rename(one.name)))) for one in every]
    taken: set[str] = set()
    for i in sorted(range(len(every)), key=lambda i: names[i] != every[i].name):
        names[i] = distinct(Path(names[i]), taken)
    return [Input(name, one.path) for name, one in zip(names, every, strict=True)]


def read_inputs(
    model: "IGN", paths: Sequence[str], count: int, rename: Rename = str
) -> Iterator[tuple[list[Input], "Tensor"]]:
    """The images of files and folders in the model's format, in batches, with a progress bar.

    Each image that cannot be read is skipped and named on standard error, and so is the number of
    images that were resized or converted.

    Args:
        model: The model, whose size and channels the images get.
        paths: Files and folders.
        count: The number of images in a batch.
        rename: From the name of an image to the name of its result.

    Yields:
        The files and their images, (B, C, H, W) in [-1, 1].

    Raises:
        ValueError: None of the images can be read.
    """
    import torch

    from ign.data import DataError, read_image, to_float

    every, broken, changed, cut = find_inputs(paths, rename), 0, 0, 0
    channels, size, _ = model.shape
    with progress() as bar:
        task = bar.add_task("reading", total=len(every))
        for start in range(0, len(every), count):
            files, arrays = [], []
            for one in every[start : start + count]:
                try:
                    pixels = read_image(one.path, size, channels == 1, model.value_range)
                except DataError as error:
                    echo(f"skipped: {' '.join(str(error).split())}", error=True)
                    broken += 1
                    continue
                header = _header(one.path)
                same = header[:2] == (size, size) and (channels == 3 or header.gray)
                changed, cut = changed + (not same), cut + header.cut
                files.append(one)
                arrays.append(torch.tensor(pixels))
            if files:
                yield files, to_float(torch.stack(arrays))
            bar.advance(task, len(every[start : start + count]))
    if broken == len(every):
        raise ValueError(f"none of {broken} images can be read")
    if broken:
        echo(f"skipped {broken} of {len(every)} images", error=True)
    if changed:
        kind = f"{size}x{size}, {'gray' if channels == 1 else 'colour'}"
        echo(
            f"note: {changed} of {len(every)} images were cropped, resized or converted to what"
            f" the model takes ({kind})",
            error=True,
        )
    if cut:
        echo(
            f"note: {cut} of {len(every)} images have more than 8 bits per colour channel; only the"
            " upper 8 bits are used",
            error=True,
        )


def _header(path: Path) -> "Header":
    from ign.data.decode import quiet, read_header

    with quiet():
        return read_header(str(path))
