"""The program for a GPU, rehearsed on a CPU: what it needs, what it writes, and how it resumes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from reference import error

from benchmarks.gpu import tools
from benchmarks.gpu.__main__ import PARTS, WRITTEN, main
from benchmarks.gpu.tools import FILES, Results
from benchmarks.plain import configuration
from benchmarks.speed.variants import TwoPasses, inputs, options_of
from ign.nn import DCGANAutoencoder
from ign.training import PRESETS, arguments
from ign.training.configs import CONFIGS
from ign.training.methods import METHODS

ROOT = Path(__file__).resolve().parent.parent
FOREIGN = (
    "jsonargparse", "rich", "sklearn", "scikit_learn", "platformdirs", "matplotlib", "tensorboard",
    "huggingface_hub", "gradio", "onnx", "onnxruntime",
)  # fmt: skip
"""Packages that the machine with the GPU may not have."""


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("method", CONFIGS)
def test_a_configuration_is_the_one_of_the_command_line(preset, method):
    options = {"method": method, "network.width": 8, "learning_rate": 1e-3}
    assert configuration(preset, options) == arguments(options, preset)


def test_an_unknown_field_is_refused():
    with pytest.raises(ValueError, match="widht"):
        configuration("mnist", {"network.widht": 8})


@pytest.mark.parametrize("tuned", [True, False])
@pytest.mark.parametrize("preset", sorted({*PRESETS} - {"folder"}))
def test_the_two_pass_form_has_the_terms_of_the_preset(preset, tuned):
    config, shape = options_of(preset, {"network.width": 4, "network.norm": "batch", "size": 16})
    config.batch_size = 16
    torch.manual_seed(0)
    network = DCGANAutoencoder(shape[0], 16, 4, "batch").double()
    for p in network.parameters():
        p.data.mul_(5 if p.ndim > 1 else 1)
    batch = inputs(config, (shape[0], 16), torch.device("cpu"))
    for name, value in vars(batch).items():
        if isinstance(value, torch.Tensor):
            setattr(batch, name, value.double())
    (update,) = METHODS["ign"](network, config).losses(network, batch)
    total = TwoPasses(config, network, tuned)(network, batch)
    found, wanted = (
        torch.cat([g.flatten() for g in torch.autograd.grad(v, [*network.parameters()])])
        for v in (update.loss, total)
    )
    assert error(found, wanted) < 1e-12


def test_the_plan_names_every_file_and_writes_none(tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["--dry-run", f"--out={out}", "--device=cpu"]) == 0
    shown = capsys.readouterr().out
    names = [name for part in PARTS for name in WRITTEN[part]]
    assert len(names) <= FILES
    assert all(name in shown for name in names)
    assert not out.exists()


@pytest.mark.parametrize("words", [["--minutes=0"], ["--faces=nothing.zip"], ["--only=all"]])
def test_senseless_words_are_refused(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.strip()


def test_a_result_stays_when_the_program_starts_again(tmp_path):
    calls = []
    for _ in range(2):
        results = Results(tmp_path, "times")
        assert results.measure("one", lambda: calls.append(1) or {"ms": 3}) == {"ms": 3}
        assert "zero" in results.measure("two", lambda: 1 / 0)["error"]
    assert calls == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["times.json"]


def test_large_weights_are_divided_into_files(tmp_path, monkeypatch):
    from safetensors.torch import load_file

    from benchmarks.gpu import faces

    limit = 2**16 + 2**15
    monkeypatch.setattr(faces, "LIMIT", limit)
    images = tools.faces({}, 20, 16, None)
    step = tools.Step("celeba", images, torch.device("cpu"), {"network.width": 8, "batch_size": 8})
    names = faces._save(step, "ign", tmp_path)
    assert len(names) > 1
    assert all((tmp_path / name).stat().st_size <= limit for name in names)
    kept = {k: v for name in names for k, v in load_file(tmp_path / name).items()}
    for name, value in step.module.average.network.state_dict().items():
        assert torch.allclose(kept[name].float(), value.float(), atol=1e-3), name


@pytest.mark.slow
def test_rehearsal_in_an_environment_without_other_packages(tmp_path):
    """Everything at tiny sizes, with a Python that sees none of the packages in FOREIGN."""
    place = tmp_path / "packages"
    place.mkdir()
    for entry in Path(torch.__file__).parents[1].iterdir():
        if not entry.name.lower().startswith(FOREIGN):
            (place / entry.name).symlink_to(entry)
    words = ["--tiny", "--device=cpu", "--minutes=5", f"--out={tmp_path / 'out'}"]
    command = [sys.executable, "-S", "-m", "benchmarks.gpu", *words, f"--work={tmp_path / 'work'}"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{place}", "PYTHONNOUSERSITE": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(files) <= FILES
    assert {"correctness.json", "times.json", "faces.json", "ign.png", "dcgan.png"} < {*files}
    read = {
        part: json.loads((tmp_path / "out" / f"{part}.json").read_text(encoding="utf-8"))
        for part in PARTS
    }
    for part, found in read.items():
        assert all("error" not in value for value in found.values() if isinstance(value, dict)), (
            part
        )
    checks = [v for k, v in read["correctness"].items() if k != "about"]
    assert all(value for check in checks for key, value in check.items() if key.endswith("ok"))
    first = read["faces"]["ign: training"]["steps"]
    (tmp_path / "out" / "faces.json").unlink()
    again = [*command, "--only", "faces"]
    subprocess.run(again, cwd=ROOT, env=environment, check=True)
    found = json.loads((tmp_path / "out" / "faces.json").read_text(encoding="utf-8"))
    assert found["ign: training"]["steps"] == first + 1
