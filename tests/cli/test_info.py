"""ign info."""

import json

import torch

from ign import IGN, nn, noise


def test_facts_for_people_and_programs(ign, model):
    status, out, err = ign("info", model, "--json")
    facts = json.loads(out)
    assert (status, err) == (0, "")
    wanted = {
        "path": str(model), "images": "3 x 8 x 8, values in [-1, 1]", "norm": "role",
        "network": "DCGANAutoencoder", "width": 4, "noise": "gaussian", "distance": "l1",
        "data": "nothing", "steps": 0,
    }  # fmt: skip
    assert {k: facts[k] for k in wanted} == wanted
    lines = ign("info", model).out.splitlines()
    assert len(lines) == len(facts)
    assert f"parameters        {facts['parameters']:,}" in lines


def test_run_stands_for_its_model(ign, model):
    assert ign("info", model.parent).out == ign("info", model).out


def test_a_model_of_vectors_is_for_python(ign, tmp_path, monkeypatch):
    class Line(torch.nn.Linear):
        def __init__(self, columns):
            super().__init__(columns, columns)
            self.config = {"columns": columns}

    monkeypatch.setitem(nn.NETWORKS, "Line", Line)
    IGN(Line(5), noise.GaussianNoise((5,))).save_pretrained(tmp_path)
    status, out, err = ign("info", tmp_path)
    assert (status, out) == (2, "")
    assert (
        err
        == f"ign info: {tmp_path}: is for samples of shape (5,), not for images; use it in Python\n"
    )
