"""How a run computes: what auto stands for, how it is described, what compilation leaves alone."""

import pytest
import torch
from training.runs import OPTIONS, SHARED, TINY, begin, main, same_end
from training.test_module import training

import ign
from ign.training import precision
from ign.training.config import TrainerConfig
from ign.training.configs import IGNConfig
from ign.training.module import Training


def processor(monkeypatch, **supported: bool) -> None:
    """A processor with and without these instructions."""
    for name in ("avx512_bf16", "amx_tile"):
        there = supported.get(name, False)
        monkeypatch.setattr(torch.cpu, f"_is_{name}_supported", lambda there=there: there)


@pytest.mark.parametrize("name", ["avx512_bf16", "amx_tile", ""])
def test_auto_is_bfloat16_where_the_processor_has_it(name, monkeypatch):
    processor(monkeypatch, **{name: True} if name else {})
    wanted = "bf16-mixed" if name else "32"
    assert precision.precision_of(TrainerConfig("cpu")) == wanted
    for given in ("32", "bf16-mixed"):
        assert precision.precision_of(TrainerConfig("cpu", precision=given)) == given
    assert precision.precision_of(TrainerConfig("cpu", strategy="fsdp")) == "32"
    assert precision.precision_of(TrainerConfig("mps")) == "32"


@pytest.mark.parametrize("native", [True, False])
def test_auto_asks_the_gpu(native, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    asked = []
    monkeypatch.setattr(
        "torch.cuda.is_bf16_supported", lambda including_emulation: asked.append(1) or native
    )
    assert precision.precision_of(TrainerConfig()) == ("bf16-mixed" if native else "32")
    assert precision.device_of("auto") == "cuda"
    assert asked


def test_description_is_what_is_done(monkeypatch):
    processor(monkeypatch, avx512_bf16=True)
    config = IGNConfig(trainer=TrainerConfig("cpu"), compile=True)
    wanted = "on cpu: bfloat16 autocast, channels-last, fused Adam, compiled objective"
    assert precision.describe_computation(config) == wanted
    config = IGNConfig(trainer=TrainerConfig("cpu", precision="32"))
    assert precision.describe_computation(config) == "on cpu: float32, channels-last, fused Adam"


def test_a_run_takes_the_precision_and_the_model_names_it(plain, tmp_path, monkeypatch):
    processor(monkeypatch, avx512_bf16=True)
    seen, step = set(), Training.training_step

    def looking(self, *args):
        seen.add(torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else None)
        return step(self, *args)

    monkeypatch.setattr(Training, "training_step", looking)
    run = begin(tmp_path / "run", [*TINY, "--trainer.precision=auto"])
    assert seen == {torch.bfloat16}
    assert ign.IGN.from_pretrained(run).about["precision"] == "bf16-mixed"
    assert ign.IGN.from_pretrained(plain).about["precision"] == "32"
    assert not same_end(run, plain)
    assert all(p.dtype == torch.float32 for p in ign.IGN.from_pretrained(run).parameters())


def test_compiled_run_is_the_run(plain, tmp_path, monkeypatch):
    """With the graphs that torch.compile makes, run as they are; generated code needs a GPU's
    or a C++ compiler."""
    compile_, calls = torch.compile, []

    def eager(what, **options):
        calls.append(what)
        return compile_(what, backend="aot_eager", fullgraph=options.get("fullgraph", False))

    monkeypatch.setattr(torch, "compile", eager)
    options = OPTIONS | {"compile": True}
    model = ign.train("digits", out=tmp_path / "run", **options)
    assert len(calls) == 2
    wanted = ign.IGN.from_pretrained(plain)
    for a, b in zip(model.parameters(), wanted.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_compilation_is_refused_where_it_means_nothing(tmp_path, capsys):
    words = [*SHARED, "--method=vae", "--compile=true", f"--out={tmp_path / 'run'}"]
    assert main("train", "digits", *words) == 2
    assert "--compile=true" in capsys.readouterr().err


def test_images_that_lie_elsewhere_are_brought_as_bytes(monkeypatch):
    module = training()
    here, chosen = module.on_device(torch.tensor([3, 1, 4]))
    assert here is module.images.images
    assert chosen.tolist() == [3, 1, 4]
    monkeypatch.setattr(Training, "device", torch.device("meta"))
    brought, places = module.on_device(torch.tensor([3, 1, 4]))
    assert (brought.shape, brought.dtype, brought.device.type) == (
        (3, 1, 8, 8),
        torch.uint8,
        "meta",
    )
    assert (places.shape, places.device.type) == ((3,), "meta")
