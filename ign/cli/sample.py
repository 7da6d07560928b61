"""ign sample: images from noise."""

__all__ = ["run"]

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ign.cli.common import load_model, natural, parse, seed, verb
from ign.core.folder import output_folder
from ign.core.terminal import echo, progress

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

SHOWN = 100
COLUMNS = 12


def run(words: Sequence[str]) -> None:
    """Write OUT/f1/00000.png, ... for each k, and the first of them as OUT/grid.png."""
    parser = verb(
        "sample",
        "Generate images from noise. Writes OUT/f1/00000.png and so on, one folder for each K, and"
        " the first images side by side as OUT/grid.png.",
        "examples:\n"
        "  ign sample mnist -n 100 --out samples\n"
        "  ign sample runs/mnist -k 1 2 3 --seed 7 --out samples",
    )
    parser.add_argument("-n", type=natural, default=64, metavar="N", help="number of images")
    parser.add_argument(
        "--out", type=Path, default=Path("samples"), metavar="FOLDER", help="where to write"
    )
    parser.add_argument("--seed", type=seed, default=0, help="the same seed gives the same images")
    parser.add_argument(
        "--applications", "-k", type=natural, nargs="+", default=[1], metavar="K",
        help="how often the network is applied: f(z), f(f(z)), ...",
    )  # fmt: skip
    parser.add_argument(
        "--array", action="store_true",
        help="write one file OUT/fK.npy for each K, (N, C, H, W) uint8, instead of images",
    )  # fmt: skip
    options = parse(parser, words)
    with output_folder(options.out, options.force) as out:
        _write(options, out.work)
    ks = sorted(set(options.applications))
    each = f" for each of k = {', '.join(map(str, ks))}" if len(ks) > 1 else ""
    echo(f"{options.n} images{each} in {options.out}; see {options.out / 'grid.png'}")


def _write(options: Namespace, out: Path) -> None:
    """Write the samples and the grid."""
    from ign.view import pictures

    model = load_model(options)
    ks = sorted(set(options.applications))
    first = model.sample_trajectory(min(options.n, SHOWN), ks, options.seed, options.batch_size)
    pictures.save(_grid(ks, first), out / "grid.png")
    with progress() as bar, ExitStack() as stack:
        task = bar.add_task("sampling", total=options.n)
        puts = [stack.enter_context(_writer(options, out, k, model.shape)) for k in ks]
        for start in range(0, options.n, options.batch_size):
            count = min(options.batch_size, options.n - start)
            parts = model.sample_trajectory(count, ks, options.seed, count, start)
            for put, images in zip(puts, parts, strict=True):
                put(images, start)
            bar.advance(task, count)


Put = Callable[["Tensor", int], None]


@contextmanager
def _writer(options: Namespace, out: Path, k: int, shape: tuple[int, ...]) -> Iterator[Put]:
    """Return a function that writes the samples from number ``start`` on, after k applications."""
    from ign.view.stream import array_file, picture_files

    if options.array:
        with array_file(out / f"f{k}.npy", (options.n, *shape)) as put:
            yield lambda images, start: put(images)
        return
    with picture_files() as write:
        yield lambda images, start: write(
            images, [out / f"f{k}" / f"{start + i:05d}.png" for i in range(len(images))]
        )


def _grid(ks: list[int], images: "list[Tensor]") -> "Image":
    """Arrange the samples in a grid, or in one row for each k."""
    from ign.project import applied
    from ign.view import pictures

    if len(ks) == 1:
        return pictures.grid(images[0])
    rows = []
    for start in range(0, min(len(images[0]), 4 * COLUMNS), COLUMNS):
        rows += [
            (applied(k, "z"), x[start : start + COLUMNS]) for k, x in zip(ks, images, strict=True)
        ]
    return pictures.sheet(rows)
