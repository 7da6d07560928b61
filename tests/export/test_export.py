"""A file computes what the model does, for every network, and says what it takes."""

import contextlib
import json
import zipfile

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from projectors import Half
from projectors import model as simple

from ign import IGN, ModelError, nn, noise
from ign.data import to_float, to_uint8
from ign.export import TOLERANCE, ExportError, check, export
from ign.export.formats import Program

DCGAN = "DCGANAutoencoder"


def build(name=DCGAN, channels=1, size=10, norm="role", spectral=False, **more):
    """A small model with statistics and weights of its own, far from the identity and from 0."""
    torch.manual_seed(0)
    network = nn.NETWORKS[name](channels, size, 8, norm, **more)
    for p in network.parameters():
        torch.nn.init.kaiming_normal_(p) if p.ndim > 1 else p.data.add_(torch.randn_like(p) / 5)
    shape = (channels, size, size)
    for role, spread in zip(nn.ROLES, (1.0, 2.0, 0.5), strict=True):
        for layer in network.modules():
            layer.momentum = 1.0
        with nn.role(network, role), contextlib.suppress(ValueError):
            network(spread * torch.randn(9, *shape))
    if spectral:
        return IGN(network, noise.SpectralNoise.fit(torch.randn(9, *shape).cumsum(-1) / 5))
    return IGN(network, noise.GaussianNoise(shape))


def run(path, y):
    """What ONNX Runtime makes of a file, without anything of this library."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: y.numpy()})[0]


def images(model, n=5, seed=7):
    return torch.randn(n, *model.shape, generator=torch.Generator().manual_seed(seed))


EVERY = [(DCGAN, c, s, n) for c in (1, 3) for s in (10, 28, 32, 64) for n in nn.NORMS]
PEERS = [k for k, v in nn.NETWORKS.items() if k != DCGAN and v.__module__.startswith("ign.")]
QUICK = [(DCGAN, 1, 10, "role"), (DCGAN, 3, 28, "batch"), (DCGAN, 1, 32, "group"),
         (DCGAN, 3, 64, "none")]  # fmt: skip


def case(one):
    return pytest.param(*one, marks=[] if one in QUICK else pytest.mark.slow)


@pytest.mark.parametrize(("name", "channels", "size", "norm"), [case(one) for one in EVERY])
def test_onnx_computes_the_projection(name, channels, size, norm, tmp_path):
    model = build(name, channels, size, norm)
    made = export(model, tmp_path / "m.onnx")
    assert made.difference < TOLERANCE
    y = images(model)
    wanted = model.project(y)
    assert wanted.std(0).mean() > 0.04, "a constant is no test"
    assert np.abs(run(made.path, y) - wanted.numpy()).max() < TOLERANCE
    assert made.path.stat().st_size < 4 * sum(map(torch.numel, model.state_dict().values())) + 3e4


@pytest.mark.parametrize("format", ["onnx", "torch"])
def test_codes_are_rounded_in_the_file_too(format, tmp_path):
    model = build(rounding=1.0)
    model.network.fit(torch.randn(50, len(model.network.spread)))
    made = export(model, tmp_path / f"m.{format}", format, applications=3)
    y = images(model)
    found = torch.from_numpy(run(made.path, y)) if format == "onnx" else load(made.path)(y)
    assert (found - model.project(y, 3)).abs().max() < TOLERANCE
    model.network.rounding = 0.0
    assert (found - model.project(y, 3)).abs().max() > 100 * TOLERANCE


@pytest.mark.parametrize("name", PEERS)
def test_onnx_computes_what_the_baselines_do(name, tmp_path):
    model = build(name, norm="batch")
    y = images(model)
    made = export(model, tmp_path / "sampler.onnx", sampler=True)
    [wanted] = model.trajectory(y, [1], noise=True)
    assert np.abs(run(made.path, y) - wanted.numpy()).max() < TOLERANCE
    if model.projects:
        export(model, tmp_path / "m.pt2", "torch")
    else:
        with pytest.raises(ExportError, match="export a sampler"):
            export(model, tmp_path / "m.onnx")
        with pytest.raises(ExportError, match="one application"):
            export(model, tmp_path / "m.onnx", sampler=True, applications=2)
        assert not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize("format", ["onnx", "torch"])
@pytest.mark.parametrize("spectral", [False, True])
def test_a_sampler_makes_the_samples_of_the_model(spectral, format, tmp_path):
    """In the role of noise first, then in the role of what is unknown."""
    model = build(spectral=spectral)
    made = export(model, tmp_path / f"s.{format}", format, applications=2, sampler=True)
    white = images(model)
    [wanted] = model.trajectory(model.noise.color(white), [2], noise=True)
    found = torch.from_numpy(run(made.path, white)) if format == "onnx" else load(made.path)(white)
    assert (found - wanted).abs().max() < TOLERANCE
    assert (model.project(model.noise.color(white), 2) - wanted).abs().max() > 100 * TOLERANCE
    assert made.metadata["computes"] == "f(f(noise))"


def load(path):
    return torch.export.load(path).module()


@pytest.mark.parametrize("format", ["onnx", "torch"])
def test_bytes_go_in_and_out(format, tmp_path):
    """They are the levels nearest to the model's values; white and black are kept apart."""
    model = build(DCGAN, 3)
    made = export(model, tmp_path / "m.onnx", format, uint8=True)
    y = to_uint8(images(model)).movedim(1, -1).contiguous()
    found = torch.from_numpy(run(made.path, y)) if format == "onnx" else load(made.path)(y)
    assert found.dtype == torch.uint8
    assert found.shape == (5, 10, 10, 3)
    wanted = to_uint8(model.project(to_float(y.movedim(-1, 1)))).movedim(1, -1)
    off = (found.int() - wanted.int()).abs()
    assert off.max() <= 1
    assert (off > 0).float().mean() < 0.01
    assert found.float().std() > 5


@pytest.mark.parametrize("format", ["onnx", "torch"])
def test_half_precision_halves_the_weights_and_is_the_model_of_rounded_ones(format, tmp_path):
    model = build(size=28)
    whole = export(model, tmp_path / "whole", format)
    half = export(model, tmp_path / "half", format, half=True)
    kernels = [p for p in model.network.parameters() if p.ndim > 1]
    saved = whole.path.stat().st_size - half.path.stat().st_size
    assert 1.6 < saved / sum(map(torch.numel, kernels)) <= 2
    assert half.difference < TOLERANCE < half.rounding < 0.1
    assert whole.rounding == whole.difference
    for p in kernels:
        p.data = p.data.half().float()
    y = images(model)
    found = torch.from_numpy(run(half.path, y)) if format == "onnx" else load(half.path)(y)
    assert (found - model.project(y)).abs().max() < TOLERANCE


def test_many_applications_share_the_weights(tmp_path):
    model = build(size=28)
    once, three = (export(model, tmp_path / f"{k}.onnx", applications=k) for k in (1, 3))
    y = images(model)
    assert np.abs(run(three.path, y) - model.project(y, 3).numpy()).max() < TOLERANCE
    assert three.path.stat().st_size < once.path.stat().st_size + 3e4


def test_onnx_says_what_it_takes_and_nothing_of_where_it_was_made(tmp_path):
    model = build()
    model.about |= {"data": "nothing", "licence": "CC0"}
    made = export(model, tmp_path / "small.onnx", applications=2, uint8=True)
    proto = onnx.load(made.path)
    told = {p.key: p.value for p in proto.metadata_props}
    assert told == made.metadata
    assert told["model"] == proto.graph.name == "small"
    assert told["computes"] == "f(f(image))"
    assert told["input"] == "image: uint8 NHWC in 0 to 255"
    assert told["output"] == "projection: uint8 NHWC in 0 to 255"
    assert (told["layout"], told["value_range"]) == ("NHWC", "0 255")
    assert [told[k] for k in ("channels", "height", "width")] == ["1", "10", "10"]
    assert (told["noise"], told["licence"]) == ("gaussian", "CC0")
    assert json.loads(told["about"])["data"] == "nothing"
    for value in (proto.graph.input[0], proto.graph.output[0]):
        sides = [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        assert sides == ["batch", 10, 10, 1]
    assert b"dcgan.py" not in made.path.read_bytes()
    assert not any(t.external_data for t in proto.graph.initializer)


def test_a_program_holds_no_pickle_and_the_same_metadata(tmp_path):
    made = export(build(), tmp_path / "m.pt2", "torch")
    told = {"metadata.json": ""}
    program = torch.export.load(made.path, extra_files=told)
    assert json.loads(told["metadata.json"]) == made.metadata
    assert made.metadata["input"] == "image: float32 NCHW in -1 to 1"
    assert program.module()(torch.zeros(7, 1, 10, 10)).shape == (7, 1, 10, 10)
    with zipfile.ZipFile(made.path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            assert b"dcgan.py" not in content
            assert not content.startswith(b"PK"), "what torch.save would write"
        weights = json.loads(archive.read("archive/data/weights/model_weights_config.json"))
    assert not any(one["use_pickle"] for one in weights["config"].values())


@pytest.mark.parametrize("uint8", [False, True])
def test_a_file_that_computes_something_else_is_not_written(uint8, tmp_path, monkeypatch):
    """The network is changed by a thousandth between the check's two sides."""
    model = build()
    path = tmp_path / "m.pt2"
    export(model, path, "torch")
    before = path.read_bytes()
    project = IGN.project
    monkeypatch.setattr(IGN, "project", lambda self, y, k: project(self, y, k) + 6e-3)
    with pytest.raises(ExportError, match=r"would differ from the model by \d.*nothing is written"):
        export(model, path, "torch", uint8=uint8)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["m.pt2"]


def test_outputs_that_are_not_finite_are_refused(tmp_path):
    broken = build()
    with torch.no_grad():
        next(broken.network.parameters()).fill_(torch.nan)
    with pytest.raises((ExportError, ModelError), match="NaN or infinity"):
        export(broken, tmp_path / "m.pt2", "torch")
    assert not list(tmp_path.iterdir())


def test_a_killed_export_leaves_nothing_beside_its_file(tmp_path, monkeypatch):
    """While a file is made and checked, nothing is in the folder that it will be in."""
    present = []
    plain = Program.read

    def read(self, file):
        present.append(sorted(tmp_path.rglob("*")))
        return plain(self, file)

    monkeypatch.setattr(Program, "read", read)
    export(build(), tmp_path / "m.pt2", "torch")
    assert present == [[]]
    assert [p.name for p in tmp_path.iterdir()] == ["m.pt2"]


def test_a_value_that_is_not_finite_is_a_difference():
    model = build()
    y = images(model)
    graph = type("graph", (), {"noise": None, "uint8": False, "applications": 1})
    assert check.difference(model, graph, [y], [model.project(y)]) < 1e-6
    wrong = model.project(y)
    wrong[0, 0, 0, 0] = torch.nan
    assert np.isnan(check.difference(model, graph, [y], [wrong]))


def test_the_model_stays_as_it_is_and_may_be_ones_own(tmp_path):
    network = Half()
    model = simple(network)
    made = export(model, tmp_path / "half.onnx", applications=3)
    y = images(model)
    assert np.abs(run(made.path, y) - y.numpy() / 8).max() < 1e-6
    assert model.network is network
    assert network.factor.requires_grad


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"format": "tflite"}, "format 'tflite' is unknown; choose onnx or torch"),
        ({"applications": 0}, "applications 0 must be at least 1"),
    ],
)
def test_options_that_cannot_be_are_told(options, words, tmp_path):
    with pytest.raises(ExportError, match=words):
        export(build(), tmp_path / "m", **options)
    assert not list(tmp_path.iterdir())
