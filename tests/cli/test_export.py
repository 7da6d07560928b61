"""ign export."""

import shutil
import sys

import numpy as np
import onnxruntime
import pytest
import torch

from ign import IGN


def test_the_file_that_is_written_and_what_is_told(ign, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = ign("export", model)
    assert (status, err) == (0, "")
    first, given, made, off = out.splitlines()
    assert first.startswith("f(image) in model.onnx, 0.0")
    assert given.split() == ["input", "image:", "float32", "NCHW", "in", "-1", "to", "1"]
    assert made.split() == ["output", "projection:", "float32", "NCHW", "in", "-1", "to", "1"]
    assert 0 < float(off.removeprefix("largest difference from the model: ")) < 1e-4
    session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    y = torch.randn(4, 3, 8, 8)
    [found] = session.run(["projection"], {"image": y.numpy()})
    assert np.abs(found - IGN.from_pretrained(model).project(y).numpy()).max() < 1e-4
    before = (tmp_path / "model.onnx").read_bytes()
    status, out, err = ign("export", model)
    assert (status, out) == (2, "")
    assert err == "ign export: --out model.onnx: exists; give another --out, or --force\n"
    assert ign("export", model, "-k", 2, "--force").status == 0
    assert (tmp_path / "model.onnx").read_bytes() != before


def test_every_option(ign, model, tmp_path):
    file = tmp_path / "new" / "s.pt2"
    words = ("--format", "torch", "--sampler", "--uint8", "--half", "-k", 2, "--seed", 3)
    status, out, err = ign("export", model, *words, "--out", file)
    assert (status, err) == (0, "")
    assert f"f(f(noise)) in {file}" in out
    assert "sample: uint8 NHWC in 0 to 255" in out
    assert "largest difference due to half precision: " in out
    found = torch.export.load(file).module()(torch.randn(2, 3, 8, 8))
    assert (found.shape, found.dtype) == ((2, 8, 8, 3), torch.uint8)


def test_a_file_is_named_by_what_it_is(ign, model, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    for part in model.iterdir():
        shutil.copy(part, folder)
    monkeypatch.chdir(folder)
    assert ign("export", ".", "--format", "torch", "--sampler").status == 0
    assert (folder / "mine-sampler.pt2").is_file()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--out m.pt2", "--out m.pt2: the name of a file of format onnx must end in .onnx"),
        ("--format tflite", "invalid choice: 'tflite'"),
        ("-k 0", "at least 1"),
        ("--out there.onnx", "is a folder"),
    ],
)
def test_mistakes(words, told, ign, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.onnx").mkdir()
    status, out, err = ign("export", model, *words.split())
    assert (status, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["there.onnx"]


def test_a_file_that_differs_is_refused(ign, model, tmp_path, monkeypatch):
    monkeypatch.setattr("ign.export.TOLERANCE", -1.0)
    status, out, err = ign("export", model, "--format", "torch", "--out", tmp_path / "m.pt2")
    assert (status, out) == (2, "")
    assert "m.pt2: would differ from the model by " in err
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_told(ign, model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    status, out, err = ign("export", model, "--out", tmp_path / "m.onnx")
    assert (status, out) == (2, "")
    assert err.rstrip().endswith("; pip install 'ign-torch[export]'")
    assert not list(tmp_path.iterdir())
