"""The file formats: writing a file, and running it without the model."""

__all__ = ["FORMATS", "ONNX", "Format", "quiet"]

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ign.export.graph import Graph


class Format:
    """A file format.

    Attributes:
        suffix: The suffix of the file names.
        packages: The packages that the format needs.
    """

    suffix: str
    packages: tuple[str, ...] = ()

    def need(self) -> None:
        """Look for the packages.

        Raises:
            ModuleNotFoundError: A package is missing.
        """
        for package in self.packages:
            if find_spec(package) is None:
                raise ModuleNotFoundError(f"No module named {package!r}", name=package)

    def write(self, graph: Graph, example: Tensor, metadata: dict[str, str], file: Path) -> None:
        """Write the graph with its metadata. The file takes any batch size."""
        free = ({0: torch.export.Dim("batch")},)
        with quiet():
            program = torch.export.export(graph, (example,), dynamic_shapes=free, strict=False)
            self.convert(program, metadata, file)

    def convert(self, program: Any, metadata: dict[str, str], file: Path) -> None:
        """Write a traced program."""
        raise NotImplementedError

    def read(self, file: Path) -> Callable[[Tensor], Tensor]:
        """Load a file as a function of a batch."""
        raise NotImplementedError


class ONNX(Format):
    """For ONNX Runtime, in Python, C++, Node and browsers."""

    suffix = ".onnx"
    packages = ("onnx", "onnxscript", "onnxruntime")

    def convert(self, program: Any, metadata: dict[str, str], file: Path) -> None:
        import onnx

        given, made = (metadata[k].partition(":")[0] for k in ("input", "output"))
        exported = torch.onnx.export(
            program, input_names=[given], output_names=[made], dynamo=True, verbose=False
        )
        proto = exported.model_proto  # type: ignore[union-attr]
        proto.producer_name, proto.producer_version = "ign", metadata["ign"]
        proto.graph.name = metadata["model"]
        values = (*proto.graph.value_info, *proto.graph.input, *proto.graph.output)
        for part in (proto, proto.graph, *proto.graph.node, *values):
            part.ClearField("metadata_props")  # paths and lines of the code that it came from
        for value in values:
            for side in value.type.tensor_type.shape.dim:
                if side.dim_param:
                    side.dim_param = "batch"
        onnx.helper.set_model_props(proto, metadata)
        onnx.checker.check_model(proto)
        onnx.save(proto, file)

    def read(self, file: Path) -> Callable[[Tensor], Tensor]:
        import onnxruntime

        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda y: torch.from_numpy(session.run(None, {name: y.numpy()})[0])


class Program(Format):
    """For PyTorch without this library; the metadata is in the extra file ``metadata.json``."""

    suffix = ".pt2"

    def convert(self, program: Any, metadata: dict[str, str], file: Path) -> None:
        for node in program.graph.nodes:
            for key in ("stack_trace", "nn_module_stack", "source_fn_stack"):
                node.meta.pop(key, None)  # paths and lines of the code that it came from
        program.example_inputs = None
        archive = (
            io.BytesIO()
        )  # a temporary file name would become the name of the folder in the archive
        torch.export.save(program, archive, extra_files={"metadata.json": json.dumps(metadata)})
        file.write_bytes(archive.getbuffer())

    def read(self, file: Path) -> Callable[[Tensor], Tensor]:
        return torch.export.load(io.BytesIO(file.read_bytes())).module()


FORMATS: dict[str, Format] = {"onnx": ONNX(), "torch": Program()}
"""The formats by name."""


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress warnings of the exporter about missing packages and its own deprecations."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
