r"""Export a model as one file that runs without this library: ONNX or ``torch.export``.

The graph computes :math:`f^k` as :meth:`ign.model.IGN.project` does, or with ``sampler``
:math:`f^k(z)` from white noise as :meth:`ign.model.IGN.sample` does. A file is loaded again and
compared with the model before it is moved to its final path.
"""

__all__ = ["FORMATS", "TOLERANCE", "ExportError", "Exported", "export"]

import copy
import shutil
from pathlib import Path
from typing import NamedTuple

import torch

from ign.core.files import atomic
from ign.core.text import printable
from ign.export.check import difference, inputs
from ign.export.formats import FORMATS
from ign.export.graph import Graph, describe, rounded
from ign.export.scratch import scratch
from ign.model import IGN

TOLERANCE = 1e-4
"""The largest difference from the model that a file may have, for values in [-1, 1]."""


class ExportError(ValueError):
    """The options do not fit the model, or the outputs of the file differ from the model's."""


class Exported(NamedTuple):
    """A file that was written.

    Attributes:
        path: The file.
        difference: The largest difference from the model in the check. With ``half`` it is the
            difference from a model whose weights are rounded to float16.
        rounding: The largest difference from the model whose weights are not rounded.
        metadata: The metadata of the file.
    """

    path: Path
    difference: float
    rounding: float
    metadata: dict[str, str]


def export(
    model: IGN,
    path: str | Path,
    format: str = "onnx",
    applications: int = 1,
    sampler: bool = False,
    uint8: bool = False,
    half: bool = False,
    seed: int = 0,
    name: str | None = None,
) -> Exported:
    r"""Write :math:`f^k` as one file with its weights, for any batch size, and check it.

    The check runs the file on normal and uniform noise, samples, degraded samples and saturated
    images, in batches of 3 and of 1. The file is written in the temporary folder of the system
    and moved to ``path`` when it is complete and checked.

    Args:
        model: The model, which is not changed.
        path: The file to write; an existing file is replaced.
        format: ``onnx`` (needs ``ign-torch[export]``) or ``torch``.
        applications: k, at least 1.
        sampler: Whether the input is standard normal noise, from which the graph makes the noise
            of the model and samples, instead of images.
        uint8: Whether images are (B, H, W, C) uint8 instead of (B, C, H, W) in [-1, 1].
        half: Whether to store convolution kernels and matrices as float16; the graph computes in
            float32.
        seed: The seed of the inputs of the check.
        name: The name of the model in the metadata; None for the stem of ``path``.

    Returns:
        The file and the differences that the check found.

    Raises:
        ExportError: The options do not fit the model, an output is not finite, or the file differs
            from the model by more than :data:`TOLERANCE`. No file is written then.
        OSError: The file cannot be written.
        ModuleNotFoundError: A package of ``ign-torch[export]`` is missing.
    """
    path = Path(path)
    _check(model, format, applications, sampler)
    exact = copy.deepcopy(model).cpu().eval().requires_grad_(False)
    model = rounded(exact) if half else exact
    graph = Graph(model, applications, sampler, uint8, half).eval()
    metadata = describe(model, printable(name or path.stem), applications, sampler, uint8, half)
    given = inputs(exact, sampler, uint8, seed)
    with scratch(path) as folder:
        file = folder / f"model{path.suffix}"
        FORMATS[format].write(graph, given[0], metadata, file)
        run = FORMATS[format].read(file)
        found = [run(y) for y in given]
        if not all(torch.isfinite(out).all() for out in found):
            raise ExportError(f"{path}: outputs would contain NaN or infinity; nothing is written")
        off = difference(model, graph, given, found)
        if not off <= TOLERANCE:
            less = "; export fewer applications and run the file several times" * (applications > 1)
            raise ExportError(
                f"{path}: would differ from the model by {off:.1e}, more than {TOLERANCE:.0e};"
                f" nothing is written{less}"
            )
        with atomic(path) as place:
            shutil.copyfile(file, place)
    return Exported(path, off, difference(exact, graph, given, found) if half else off, metadata)


def _check(model: IGN, format: str, applications: int, sampler: bool) -> None:
    """Raise an error if the options do not fit the model or a package is missing."""
    if format not in FORMATS:
        raise ExportError(f"format {format!r} is unknown; choose {' or '.join(FORMATS)}")
    if applications < 1:
        raise ExportError(f"applications {applications} must be at least 1")
    if not model.projects and not (sampler and applications == 1):
        raise ExportError(
            "this model is a generator without encoder; export a sampler with one application"
        )
    FORMATS[format].need()
