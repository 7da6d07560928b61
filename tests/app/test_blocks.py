"""The page before it is served: which tabs there are, and where its parts come from."""

import json
from pathlib import Path

import pytest
import torch
from drawings import untrained

pytest.importorskip("gradio", reason="gradio is not installed")

from ign import IGN, nn
from ign.app.blocks import build, theme
from ign.app.uploads import Uploads
from ign.noise import GaussianNoise

FILES = Uploads(Path("unused"))


def tabs(model: IGN) -> list[str]:
    config = build(model, "x", FILES).get_config_file()
    return [c["props"]["label"] for c in config["components"] if c["type"] == "tabitem"]


def test_each_task_has_a_tab():
    assert tabs(untrained(3)) == ["Make it real", "Generate", "Edit", "Explore", "Score"]


def test_a_generator_without_encoder_only_generates():
    torch.manual_seed(0)
    network = next(n for n in nn.NETWORKS.values() if not getattr(n, "projects", True))(1, 8, 4)
    assert tabs(IGN(network, GaussianNoise((1, 8, 8)))) == ["Generate", "Explore"]


def test_names_are_text():
    config = json.dumps(build(untrained(1), "<script>x</script>", FILES).get_config_file())
    assert "<b>&lt;script&gt;" in config


def test_nothing_comes_from_elsewhere():
    assert theme()["theme"]._stylesheets == []
    assert "http" not in theme()["head"]


def test_no_programming_interface_is_told():
    page = build(untrained(1), "x", FILES)
    assert {d["api_visibility"] for d in page.get_config_file()["dependencies"]} == {"private"}
