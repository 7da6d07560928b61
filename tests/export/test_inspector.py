"""The file of an inspector gives the scores, maps and flags of the model."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from parts import damaged, texture, write_layout

from ign.data.layout import find_layout
from ign.export import ExportError
from ign.export import inspector as module
from ign.export.inspector import export_inspector
from ign.inspection import InspectConfig, fit_inspector


@pytest.fixture(scope="module")
def inspector(tmp_path_factory):
    files = [
        p.file for p in find_layout(write_layout(tmp_path_factory.mktemp("d"), 45, 1, 1)).train
    ]
    return fit_inspector(files, InspectConfig(backbone="pixels", size=64, width=32, steps=40))


def test_the_file_gives_the_models_results(inspector, tmp_path):
    made = export_inspector(inspector, tmp_path / "parts.onnx")
    assert made.difference < 5e-4
    session = onnxruntime.InferenceSession(made.path)
    for pixels in (texture(5000), damaged(5000, "hole")[0], texture(5001, (31, 200))):
        image = np.repeat(pixels[None, ..., None], 3, 3)
        score, values, flag = session.run(None, {"image": image})
        wanted = inspector.inspect(torch.from_numpy(image).permute(0, 3, 1, 2))
        assert score[0] == pytest.approx(float(wanted.score[0]), rel=5e-4)
        assert np.abs(values[0] - wanted.map[0].numpy()).max() < 5e-4 * values.max()
        assert bool(flag[0]) == bool(wanted.flag[0])
    found = session.get_modelmeta().custom_metadata_map
    assert float(found["threshold"]) == pytest.approx(inspector.calibration.thresholds["image"])
    assert str(Path(module.__file__).parent).encode() not in made.path.read_bytes()


def test_nothing_is_written_if_the_file_differs(inspector, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TOLERANCE", -1.0)
    with pytest.raises(ExportError, match="would differ from the model by"):
        export_inspector(inspector, tmp_path / "parts.onnx")
    assert not any(tmp_path.iterdir())
