"""Model files that are hostile, damaged, or do not belong together."""

import json
import subprocess
import sys
import warnings

import pytest
import torch
from safetensors.torch import load_file, save_file

from ign import IGN, ModelError, nn, noise
from ign.anomaly import SCORES, Calibration
from ign.io.config import CONFIG, WEIGHTS
from ign.io.weights import fingerprint

WEIGHT = "network.encoder.0.weight"


def small(seed=0):
    torch.manual_seed(seed)
    return IGN(nn.DCGANAutoencoder(1, 8, 4, "role"), noise.GaussianNoise((1, 8, 8)))


@pytest.fixture
def saved(tmp_path):
    return small().save_pretrained(tmp_path / "model")


def refused(folder):
    with pytest.raises(ModelError) as caught:
        IGN.from_pretrained(folder)
    text = str(caught.value)
    assert text.startswith(str(folder))
    assert "\n" not in text
    assert len(text) < 400
    return text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 200_000, "cannot be read as JSON"),
        ('{"format": 1, "about": ' + "[" * 500 + "]" * 500 + "}", "nested more than 16 levels"),
        ('{"format": 1, "about": 1' + "0" * 400 + "}", "about needs more than 64 bits"),
        ('{"format": 1' + "0" * 5000 + "}", "cannot be read as JSON"),
        ('{"format": 1, "about": {"loss": 1e999}}', "about.loss is not finite"),
        ('{"format": 1, "about": NaN}', "about is not finite"),
        ("null", "is not a model configuration"),
    ],
)
def test_json_that_python_cannot_hold(saved, text, words):
    (saved / CONFIG).write_text(text, encoding="utf-8")
    assert words in refused(saved)


@pytest.mark.parametrize(
    ("entry", "change"),
    [
        ("network", {"width": 1e30}),
        ("network", {"width": 10**18}),
        ("network", {"width": 10**5}),
        ("network", {"width": None}),
        ("network", {"width": True}),
        ("network", {"channels": 10**9}),
        ("network", {"size": "8"}),
        ("network", {"norm": ["role"]}),
        ("network", {"rounding": 1e308}),
        ("image", {"height": 10**15}),
        ("image", {"height": 8.0}),
        ("noise", {"name": ["gaussian"]}),
        ("noise", None),
        ("distance", {"l1": 1}),
        ("about", [1]),
        ("calibration", None),
        ("calibration", {"rate": 0.1}),
    ],
)
def test_values_that_no_model_has(saved, entry, change):
    config = json.loads((saved / CONFIG).read_text(encoding="utf-8"))
    whole = isinstance(change, dict) and isinstance(config.get(entry), dict)
    config[entry] = {**config[entry], **change} if whole else change
    (saved / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    refused(saved)


def test_a_wide_network_is_refused_by_the_size_of_the_file(saved):
    config = json.loads((saved / CONFIG).read_text(encoding="utf-8"))
    config["network"]["width"] = 10**5
    (saved / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    assert "too few for the 640,004,100,003 numbers of the network" in refused(saved)


@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.int32, torch.uint8, torch.complex64, torch.float8_e4m3fn]
)
def test_weights_must_be_floating_point_of_16_bits_or_more(saved, dtype):
    state = load_file(saved / WEIGHTS)
    state[WEIGHT] = state[WEIGHT].to(dtype)
    save_file(state, saved / WEIGHTS)
    assert f"{WEIGHT} is " in refused(saved)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_floating_point_types_are_cast(saved, dtype):
    state = load_file(saved / WEIGHTS)
    state[WEIGHT] = state[WEIGHT].to(dtype)
    save_file(state, saved / WEIGHTS)
    found = IGN.from_pretrained(saved).network.encoder[0].weight
    assert torch.equal(found, state[WEIGHT].float())
    assert found.dtype == torch.float32


def test_weights_are_checked_after_they_are_cast(saved):
    state = load_file(saved / WEIGHTS)
    state[WEIGHT] = torch.full_like(state[WEIGHT], 1e300, dtype=torch.float64)
    save_file(state, saved / WEIGHTS)
    assert f"{WEIGHT} holds NaN, infinity or a value that float32 cannot hold" in refused(saved)


def header(text, length=None):
    return (len(text) if length is None else length).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        header(b"{}", 2**63),
        header(b"{}", 10**7) + b" " * 5000,
        header(b"[" * 100_000),
        header(b'{"a": ' + b" " * 5000),
        header(b'{"x":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}')
        + b" " * 5000,
        header(b'{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}') + b" " * 5000,
        header(b'{"x":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}')
        + b" " * 5000,
    ],
)
def test_headers_that_are_giant_truncated_or_wrong(saved, content):
    (saved / WEIGHTS).write_bytes(content)
    refused(saved)


def test_finite_weights_that_give_nan_are_an_error_of_the_model(saved):
    state = load_file(saved / WEIGHTS)
    state[WEIGHT] = torch.full_like(state[WEIGHT], 3e38)
    save_file(state, saved / WEIGHTS)
    model, images = IGN.from_pretrained(saved), torch.rand(5, 1, 8, 8) - 0.5
    with pytest.raises(ModelError, match=r"f\(z\): number 0 holds NaN or infinity; the weights"):
        model.sample(2)
    for method in (model.project, model.score, model.score_map, model.scores, model.analyze):
        with pytest.raises(ModelError, match="number 0 holds NaN or infinity; the weights"):
            method(images)
    images[3] = torch.nan
    with pytest.raises(ValueError, match="image number 3 holds NaN or infinity"):
        small().project(images, batch_size=2)


def calibrated(model):
    drawn = torch.rand(2, 50, generator=torch.Generator().manual_seed(1))
    model.calibration = Calibration.fit(dict(zip(SCORES, drawn, strict=True)), 0.1, "clean")
    return model


def test_a_calibration_is_ignored_with_other_weights(tmp_path):
    folder = calibrated(small()).save_pretrained(tmp_path / "a")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert IGN.from_pretrained(folder).calibration is not None
    other = small(1).save_pretrained(tmp_path / "b")
    (folder / WEIGHTS).write_bytes((other / WEIGHTS).read_bytes())
    with pytest.warns(UserWarning, match="was made with other weights; calibrate the model again"):
        assert IGN.from_pretrained(folder).calibration is None


def test_a_calibration_of_an_earlier_version_is_bound_when_it_is_loaded(tmp_path):
    model = calibrated(small())
    folder = model.save_pretrained(tmp_path)
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    del config["calibration"]["weights"]
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    assert IGN.from_pretrained(folder).calibration == model.calibration


def test_a_calibration_is_not_saved_with_weights_that_have_changed(tmp_path):
    model = calibrated(small())
    with pytest.raises(ValueError, match="this calibration was made with other weights"):
        small(1).calibration = model.calibration
    with pytest.warns(UserWarning, match="saved without the calibration"):
        folder = model.save_pretrained(tmp_path / "half", torch.float16)
    half = calibrated(IGN.from_pretrained(folder))
    half.save_pretrained(tmp_path / "again", torch.float16)
    assert IGN.from_pretrained(tmp_path / "again").calibration == half.calibration
    with torch.no_grad():
        model.network.encoder[0].weight[0] += 1
    with pytest.warns(UserWarning, match="saved without the calibration"):
        model.save_pretrained(tmp_path / "trained")
    assert IGN.from_pretrained(tmp_path / "trained").calibration is None


def test_the_fingerprint_is_of_names_and_values():
    state = {"a": torch.tensor([1.0, 2.0]), "b": torch.tensor(3)}
    assert fingerprint(state) == fingerprint(dict(reversed(state.items())))
    assert fingerprint(state) == fingerprint({**state, "a": state["a"].half()})
    assert fingerprint(state) != fingerprint({**state, "a": state["a"].flip(0)})
    assert fingerprint(state) != fingerprint({"c": state["a"], "b": state["b"]})


class Tied(torch.nn.Module):
    """Two layers of one weight, and tensors that are not in the state dict."""

    def __init__(self, columns=5):
        super().__init__()
        self.config, self.shape = {"columns": columns}, (columns,)
        self.first = torch.nn.Linear(columns, columns)
        self.second = torch.nn.Linear(columns, columns)
        self.second.weight = self.first.weight
        self.register_buffer("two", torch.tensor(2.0), persistent=False)
        self.three = torch.tensor(3.0)

    def forward(self, x):
        return self.second(self.first(x)) * self.two + self.three


def test_tied_weights_and_tensors_outside_the_state_dict(tmp_path, monkeypatch):
    monkeypatch.setitem(nn.NETWORKS, "Tied", Tied)
    model = IGN(Tied(), noise.GaussianNoise((5,)))
    before = torch.get_rng_state()
    again = IGN.from_pretrained(model.save_pretrained(tmp_path))
    assert torch.equal(torch.get_rng_state(), before)
    assert again.network.second.weight is again.network.first.weight
    assert torch.equal(again.sample(3, 2), model.sample(3, 2))


@pytest.mark.parametrize("bad", [{"f": print}, {"f": float("nan")}, {1, 2}])
def test_what_json_cannot_hold_is_not_saved_and_nothing_is_written(tmp_path, bad):
    model = small()
    model.about = {"bad": bad}
    with pytest.raises(ModelError, match="the model cannot be saved"):
        model.save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_model_is_loaded_without_the_compiler_of_pytorch(saved):
    """It would be imported by operations on the meta device, and takes seconds."""
    code = "import sys, ign; ign.IGN.from_pretrained(sys.argv[1]).sample(1); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, saved], capture_output=True, text=True, check=True
    )
    assert not {"torch._dynamo", "sympy", "torch._inductor"} & set(done.stdout.split())


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_flipped_bit_or_a_cut_gives_a_model_or_one_line(saved, name):
    """Of the configuration, or of the header of the weights."""
    path = saved / name
    whole = path.read_bytes()
    end = len(whole) if name == CONFIG else 8 + int.from_bytes(whole[:8], "little")
    draw = torch.Generator().manual_seed(0)
    messages = []
    for i in range(200):
        at = int(torch.randint(end, (), generator=draw))
        bit = 1 << int(torch.randint(8, (), generator=draw))
        spoilt = bytearray(whole)
        spoilt[at] ^= bit
        path.write_bytes(whole[:at] if i % 10 == 0 else spoilt)
        try:
            IGN.from_pretrained(saved).sample(1)
        except ModelError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert not any("\n" in text for text in messages)
