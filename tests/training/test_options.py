"""The configuration: presets, YAML, command line and Python say the same in their own ways."""

from dataclasses import asdict

import pytest
import yaml
from training.runs import main

import ign
from ign.training import PRESETS, Config, arguments, parser, preset_file
from ign.training.configs import IGNConfig
from ign.training.methods import METHODS
from ign.training.options import to_yaml

OTHER = {
    "data": "elsewhere", "size": 24, "gray": True, "limit": 50,
    "range": "0:4095", "skip_broken": True, "flip": True, "noise": "spectral",
    "network.width": 8, "network.norm": "group", "objective.distance": "l2",
    "objective.rec_weight": 3.5, "objective.idem_weight": 4.0, "objective.tight_weight": 0.5,
    "objective.clamp_ratio": None, "objective.clamp_scale": "z", "match.weight": 2.0,
    "match.bandwidth": 0.25, "match.anchors": 9, "adversarial.weight": 3.0,
    "adversarial.reconstruction_weight": 0.75, "network.rounding": 2.0,
    "network.decoder_norm": "group", "network.code_norm": True, "code.weight": 4.0,
    "code.own_weight": 0.5, "compile": True, "batch_size": 6, "denoise": 0.5, "steps": 7,
    "horizon": 70, "learning_rate": 1e-5, "decay": 0.25, "betas": [0.1, 0.2], "ema": 0.5,
    "seed": 3, "every": 5,
    "log_every": 4, "trainer.accelerator": "cpu", "trainer.devices": 2, "trainer.num_nodes": 3,
    "trainer.strategy": "ddp", "trainer.precision": "bf16-mixed",
    "trainer.accumulate_grad_batches": 11,
}  # fmt: skip
"""Another value for each field of method ign but its name."""

OWN = {"vae": {"beta": 0.5}, "ebgan": {"margin": 3.0, "pull_weight": 0.0}}
"""Another value for each field that only one baseline has."""

PAPER = {
    "mnist-paper": {
        "data": "mnist", "noise": "gaussian", "objective.distance": "l2",
        "objective.rec_weight": 1.0, "objective.idem_weight": 1.0, "objective.tight_weight": 0.1,
        "objective.clamp_ratio": None,
    },
    "celeba-paper": {
        "data": "celeba", "size": 64, "noise": "spectral", "objective.distance": "l1",
        "objective.rec_weight": 20.0, "objective.idem_weight": 20.0,
        "objective.tight_weight": 2.5, "objective.clamp_ratio": 1.5,
    },
}  # fmt: skip
"""Table 1, Section 3.1 and the listing of the paper."""
BOTH = {
    "learning_rate": 1e-4, "betas": (0.5, 0.999), "batch_size": 256, "network.width": 64,
    "network.norm": "batch", "match.weight": 0.0, "objective.clamp_scale": "x",
    "adversarial.weight": 0.0, "denoise": 0.0, "ema": 0.0,
    "decay": 0.0, "flip": False, "network.rounding": 0.0,
    "trainer.precision": "32",
}  # fmt: skip


def flat(config: Config) -> dict:
    values = {}
    for name, value in asdict(config).items():
        nested = {f"{name}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {}
        values |= nested or {name: value}
    return values


@pytest.fixture
def parsed(monkeypatch):
    """Runs ``ign train`` up to the configuration and returns it."""
    found = []
    monkeypatch.setattr("ign.training.run", lambda config, *_: found.append(config))

    def parsed(*words):
        assert main("train", *words) == 0
        return found.pop()

    return parsed


def test_every_field_from_the_command_line_yaml_and_python(parsed, tmp_path):
    wanted = flat(IGNConfig()) | OTHER | {"betas": tuple(OTHER["betas"])}
    assert wanted.keys() == flat(IGNConfig()).keys()
    given = {name: value for name, value in flat(IGNConfig()).items() if name != "method"}
    assert all(wanted[name] != value for name, value in given.items())
    words = [f"--{k}={'null' if v is None else v}" for k, v in OTHER.items()]
    config = parsed("digits", *words)
    assert flat(config) == wanted
    assert arguments(OTHER, "digits") == config
    (tmp_path / "a.yaml").write_text(to_yaml(config), encoding="utf-8")
    assert parsed("--config", tmp_path / "a.yaml") == config
    assert parsed("mnist-paper", f"--config={tmp_path / 'a.yaml'}", "--steps=9").steps == 9


@pytest.mark.parametrize("name", OWN)
def test_fields_of_a_baseline(parsed, tmp_path, name):
    words = [f"--{field}={value}" for field, value in OWN[name].items()]
    config = parsed("digits", f"--method={name}", *words)
    assert {field: flat(config)[field] for field in OWN[name]} == OWN[name]
    assert arguments({"method": name, **OWN[name]}, "digits") == config
    (tmp_path / "a.yaml").write_text(to_yaml(config), encoding="utf-8")
    again = parsed("mnist", f"--config={tmp_path / 'a.yaml'}", "--horizon=null")
    assert again == config


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_method_takes_every_preset(preset, method):
    config = arguments({"method": method}, preset)
    assert type(config) is METHODS[method].config
    if method != "ign":
        own = METHODS[method].config()
        for name in ("learning_rate", "betas"):
            assert getattr(config, name) == getattr(own, name)
        assert config.network.norm == own.network.norm
        assert config.steps == arguments({}, preset).steps


FORMER_WORDS = {
    "objective.match_weight": ("match.weight", 2.0),
    "objective.match_bandwidth": ("match.bandwidth", 0.25),
    "anchors": ("match.anchors", 9),
    "objective.adversarial_weight": ("adversarial.weight", 3.0),
    "trainer.compile": ("compile", True),
}


@pytest.mark.parametrize("former", FORMER_WORDS)
def test_a_former_name_still_works_and_says_its_new_one(former, parsed, capsys):
    now, value = FORMER_WORDS[former]
    assert flat(parsed("digits", f"--{former}={value}"))[now] == value
    assert f"--{former} is now --{now}" in capsys.readouterr().err
    with pytest.warns(DeprecationWarning, match=f"{former} is now {now}"):
        config = arguments({former: value}, "digits")
    assert flat(config)[now] == value


def test_some_fields_leave_the_others_as_the_preset_has_them():
    config = arguments({"network": {"width": 5}, "trainer.precision": "bf16-mixed"}, "celeba-paper")
    preset = flat(arguments({}, "celeba-paper"))
    assert flat(config) == preset | {"network.width": 5, "trainer.precision": "bf16-mixed"}


@pytest.mark.parametrize("name", PRESETS)
def test_preset_names_fields_that_exist(name):
    given = flat(arguments({}, name))
    for key, value in yaml.safe_load(preset_file(name).read_text(encoding="utf-8")).items():
        for inner, v in value.items() if isinstance(value, dict) else [("", value)]:
            found = given[f"{key}.{inner}" if inner else key]
            assert found == (tuple(v) if isinstance(v, list) else v)


@pytest.mark.parametrize("name", PAPER)
def test_paper_presets_are_the_paper(name):
    config = flat(arguments({}, name))
    wanted = BOTH | PAPER[name]
    assert {k: config[k] for k in wanted} == wanted


def test_printed_configuration_is_one_to_start_from(parsed, tmp_path, capsys):
    words = ("digits", "--steps=7", "--objective.clamp_ratio=null")
    with pytest.raises(SystemExit) as end:
        main("train", *words, "--print_config")
    assert end.value.code == 0
    (tmp_path / "a.yaml").write_text(capsys.readouterr().out, encoding="utf-8")
    assert parsed("mnist", f"--config={tmp_path / 'a.yaml'}") == parsed(*words)


MISTAKES = {
    "--widht=3": "widht", "--network.widht=3": "widht", "--step=3": "step", "--resum=x": "resum",
    "--steps=many": "steps", "--noise=pink": "pink", "--batch_size=1": "batch_size 1",
    "--learning_rate=0": "learning_rate", "--ema=1": "ema", "--betas=[0.5,1.5]": "betas",
    "--seed=99999999999999999999": "seed", "--config=/nowhere.yaml": "/nowhere.yaml",
    "--trainer.accumulate_grad_batches=0": "accumulate", "--size=300": "size",
    "--trainer.strategy=none": "strategy",
}  # fmt: skip


@pytest.mark.parametrize("word", MISTAKES)
def test_mistake_is_one_line_on_the_command_line(word, tmp_path, capsys):
    assert main("train", "digits", word, f"--out={tmp_path / 'run'}") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ign train: "), "no bar either, where there is no terminal"
    assert err.count("\n") == 1
    assert MISTAKES[word] in err
    assert not (tmp_path / "run").exists()


def test_mistake_in_yaml_is_one_line(tmp_path, capsys):
    (tmp_path / "a.yaml").write_text("network: {widht: 3}\n", encoding="utf-8")
    assert main("train", "digits", f"--config={tmp_path / 'a.yaml'}") == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "values",
    [
        {"widht": 3}, {"network": {"widht": 3}}, {"network.widht": 3}, {"steps": "many"},
        {"noise": "pink"}, {"batch_size": 1}, {"steps": 0}, {"decay": 2.0}, {"limit": 1},
    ],
)  # fmt: skip
def test_mistake_in_python_is_a_value_error(values):
    with pytest.raises(ValueError, match=r"\w+") as error:
        ign.train("digits", **values)
    assert "\n" not in str(error.value)


def test_unknown_preset_is_refused(capsys):
    assert main("train", "digit") == 2
    assert "digits" in capsys.readouterr().err
    with pytest.raises(ValueError, match="celeba-paper"):
        ign.train("digit")


def test_device_that_is_not_there(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert main("train", "digits", "--device=cuda", f"--out={tmp_path / 'run'}") == 2
    assert (
        capsys.readouterr().err
        == "ign train: device cuda: this machine has no such device; use auto\n"
    )


def test_help_of_each_field():
    text = parser().format_help()
    assert all(f"--{name}" in text for name in OTHER)


@pytest.mark.parametrize("text", ["method: null", "network: null", "network:\n  width: null"])
def test_field_without_a_value(text, tmp_path, capsys):
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    assert main("train", "digits", f"--config={file}", f"--out={tmp_path / 'run'}") == 2
    _, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert text.split()[-2].removesuffix(":") in err
