"""An inspector as one ONNX file: image bytes in; score, map and flag out."""

__all__ = ["ScoreGraph", "export_inspector"]

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ign.core.files import atomic
from ign.core.text import printable
from ign.export import Exported, ExportError
from ign.export.formats import ONNX, quiet
from ign.export.scratch import scratch
from ign.inspection.inspector import Inspector, enlarged
from ign.project import RESOLUTION

TOLERANCE = 1e-3
"""The largest relative difference from the model that scores and maps may have."""
SIDES = ((1, 90, 130), (3, 64, 48), (1, 333, 517))
"""The batch sizes, heights and widths of the images of the check."""


class ScoreGraph(nn.Module):
    """Resizing, backbone, networks and threshold.

    Shape:
        (B, H, W, 3) uint8 of any size to scores (B,), maps (B, H, W) and flags (B,) bool.
    """

    threshold: Tensor

    def __init__(self, inspector: Inspector):
        super().__init__()
        self.inspector = inspector
        known = inspector.calibration
        limit = known.thresholds["image"] if known else float("inf")
        limit += RESOLUTION * max(1, abs(limit)) if known else 0
        self.register_buffer("threshold", torch.tensor(limit))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        score, values = self.inspector(image.permute(0, 3, 1, 2))
        large = enlarged(values, (image.shape[1], image.shape[2]))
        return score, large, score > self.threshold


def export_inspector(inspector: Inspector, path: str | Path, name: str | None = None) -> Exported:
    """Write an inspector as an ONNX file for any batch size and image size, and check it.

    The check runs the file on random images of several sizes. The file is moved to ``path`` when
    it is complete and checked.

    Args:
        inspector: The inspector, which is not changed.
        path: The file to write; an existing file is replaced.
        name: The name of the model in the metadata; None for the stem of ``path``.

    Raises:
        ExportError: Scores or maps would differ from the model by more than 0.1 %. No file is
            written then.
        OSError: The file cannot be written.
        ModuleNotFoundError: A package of ``ign-torch[export]`` is missing.
    """
    path, form = Path(path), ONNX()
    form.need()
    graph = ScoreGraph(copy.deepcopy(inspector).cpu()).eval()
    metadata = _describe(inspector, printable(name or path.stem))
    with scratch(path) as folder:
        file = folder / "model.onnx"
        _write(graph, metadata, file)
        off = _difference(graph, file)
        if not off <= TOLERANCE:
            raise ExportError(
                f"{path}: would differ from the model by {off:.1e}, more than {TOLERANCE:.0e};"
                " nothing is written"
            )
        with atomic(path) as place:
            shutil.copyfile(file, place)
    return Exported(path, off, off, metadata)


def _write(graph: ScoreGraph, metadata: dict[str, str], file: Path) -> None:
    import onnx

    sides = {0: torch.export.Dim("batch"), 1: torch.export.Dim("height", min=2),
             2: torch.export.Dim("width", min=2)}  # fmt: skip
    example = torch.zeros(2, 90, 130, 3, dtype=torch.uint8)
    with quiet():
        program = torch.export.export(graph, (example,), dynamic_shapes=(sides,), strict=False)
        made: Any = torch.onnx.export(
            program, input_names=["image"], output_names=["score", "map", "flag"], dynamo=True,
            verbose=False,
        )  # fmt: skip
    proto = made.model_proto
    proto.producer_name, proto.producer_version = "ign", metadata["ign"]
    values = (*proto.graph.value_info, *proto.graph.input, *proto.graph.output)
    for part in (proto, proto.graph, *proto.graph.node, *values):
        part.ClearField("metadata_props")  # paths and lines of the code that it came from
    onnx.helper.set_model_props(proto, metadata)
    onnx.checker.check_model(proto)
    onnx.save(proto, file)


def _difference(graph: ScoreGraph, file: Path) -> float:
    """The largest relative difference of scores and maps between the file and the model."""
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    drawn, off = np.random.default_rng(0), 0.0
    for sides in SIDES:
        image = drawn.integers(0, 256, (*sides, 3), np.uint8)
        with torch.no_grad():
            wanted = [x.numpy() for x in graph(torch.from_numpy(image))]
        found = session.run(None, {"image": image})
        for a, b in zip(found[:2], wanted[:2], strict=True):
            if a.shape != b.shape:
                raise ExportError(f"the file gives {a.shape}, the model {b.shape}")
            off = max(off, float(np.abs(a - b).max() / max(1e-6, np.abs(b).max())))
    return off


def _describe(inspector: Inspector, name: str) -> dict[str, str]:
    import ign

    known = inspector.calibration
    return {
        "ign": ign.__version__,
        "torch": torch.__version__,
        "model": name,
        "computes": "anomaly score, map and flag of an image",
        "input": "image: uint8 NHWC, RGB, any height and width",
        "output": "score: float32 (N); map: float32 (N, H, W); flag: bool (N), score above the"
        " threshold",
        "backbone": inspector.backbone,
        "threshold": f"{known.thresholds['image']:.6g}" if known else "",
        "pixel_threshold": f"{known.thresholds['pixel']:.6g}" if known else "",
        "rate": f"{known.rate:g}" if known else "",
        "about": json.dumps(inspector.about),
    }
