r"""A model as one file that runs without this library: ONNX, or a program of ``torch.export``.

The graph is :math:`f^k` as :meth:`ign.model.IGN.project` computes it, or with ``sampler`` the way
from white noise to :math:`f^k(z)` as :meth:`ign.model.IGN.sample` goes. A file is opened again and
compared with the model before it gets its name.
"""

__all__ = ["FORMATS", "TOLERANCE", "ExportError", "Exported", "export"]

import copy
from pathlib import Path
from typing import NamedTuple

from ign.core.files import atomic
from ign.export.check import difference, inputs
from ign.export.formats import FORMATS
from ign.export.graph import Graph, describe, rounded
from ign.model import IGN

TOLERANCE = 1e-4
"""The largest difference from the model that a file may show, of values in [-1, 1]."""


class ExportError(ValueError):
    """A model that cannot be exported so, or a file that does not compute what the model does."""


class Exported(NamedTuple):
    """A file that was written.

    Attributes:
        path: Where it is.
        difference: The largest difference from the model that the check found; with half
            precision from the model of rounded weights.
        rounding: The largest difference from the model of whole weights.
        metadata: What the file says of itself.
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

    The file is run on normal and uniform noise, samples, spoilt samples and saturated images, in
    batches of 3 and of 1.

    Args:
        model: The model; it is left as it is.
        path: The file to write; what is there is replaced.
        format: ``onnx`` (needs ``ign[export]``) or ``torch``.
        applications: k, at least 1.
        sampler: Whether the input is white noise, standard normal, which the graph turns into the
            model's noise and samples from, and not images.
        uint8: Whether images go in and out as (B, H, W, C) uint8, not as (B, C, H, W) in [-1, 1].
        half: Whether the file holds kernels and matrices as float16; it computes in float32.
        seed: Of what the file is run on.
        name: What the metadata call the model; None for the file's name.

    Raises:
        ExportError: The options do not fit the model, or the file differs from it by more than
            :data:`TOLERANCE`; then nothing is written.
        ModuleNotFoundError: A package of ``ign[export]`` is missing.
    """
    path = Path(path)
    _check(model, format, applications, sampler)
    exact = copy.deepcopy(model).cpu().eval().requires_grad_(False)
    model = rounded(exact) if half else exact
    graph = Graph(model, applications, sampler, uint8, half).eval()
    told = describe(model, name or path.stem, applications, sampler, uint8, half)
    given = inputs(exact, sampler, uint8, seed)
    with atomic(path) as file:
        FORMATS[format].write(graph, given[0], told, file)
        run = FORMATS[format].read(file)
        found = [run(y) for y in given]
        off = difference(model, graph, given, found)
        if not off <= TOLERANCE:
            less = "; export fewer applications and run the file more often" * (applications > 1)
            raise ExportError(
                f"{path}: would differ from the model by {off:.1e}, more than {TOLERANCE:.0e};"
                f" nothing is written{less}"
            )
    return Exported(path, off, difference(exact, graph, given, found) if half else off, told)


def _check(model: IGN, format: str, applications: int, sampler: bool) -> None:
    """Raise where the options do not fit the model or this environment."""
    if format not in FORMATS:
        raise ExportError(f"format {format!r} is unknown; choose {' or '.join(FORMATS)}")
    if applications < 1:
        raise ExportError(f"applications {applications} must be at least 1")
    if not model.projects and not (sampler and applications == 1):
        raise ExportError(
            "this model is a generator without encoder; export its sampler, with one application"
        )
    FORMATS[format].need()
