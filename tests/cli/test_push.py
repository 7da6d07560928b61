"""ign push: what would be pushed, and what is."""

import json
import shutil

import pytest
import torch
import yaml
from standin import Hub

from ign import IGN
from ign.evaluate.card import run_of
from ign.io.packaged import CONFIG, WEIGHTS

PUSHED = {CONFIG, WEIGHTS, "README.md", "projections.png", "samples-f1.png", "samples-f2.png"}


@pytest.fixture
def server(tmp_path, monkeypatch):
    from huggingface_hub import constants, utils

    server = Hub()
    monkeypatch.setattr(constants, "ENDPOINT", server.address)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", "hf_writer")
    utils.disable_progress_bars()
    yield server
    utils.enable_progress_bars()
    server.stop()


def test_dry_run_writes_the_folder_and_sends_nothing(ign, model, server, tmp_path):
    out = tmp_path / "out"
    words = ("push", model, "someone/new", "--dry-run", "--out", out, "--licence", "mit")
    status, told, err = ign(*words)
    assert (status, err) == (0, "")
    assert told == f"look at {out / 'README.md'}; nothing was sent\n"
    assert {path.name for path in out.iterdir()} == PUSHED
    assert torch.equal(IGN.from_pretrained(out).sample(2), IGN.from_pretrained(model).sample(2))
    assert 'from_pretrained("someone/new")' in (out / "README.md").read_text(encoding="utf-8")
    assert server.requests == []
    assert ign(*words).status == 2, "nothing is written over"


def test_what_is_pushed_is_what_the_dry_run_wrote(ign, model, server, tmp_path):
    ign("push", model, "someone/new", "--dry-run", "--out", tmp_path / "out")
    words = ("push", model, "someone/new", "--private", "--revision", "wide", "--message", "mine")
    status, out, err = ign(*words)
    assert (status, err) == (0, "")
    pushed, note = out.splitlines()
    assert pushed.startswith(f"pushed: {server.address}/someone/new/commit/")
    assert note == "the card names no licence: choose one with --licence, or in your own --card"
    repository = server.repositories["someone/new"]
    assert (repository.private, repository.messages) == (True, ["initial commit", "mine"])
    files = server.files("someone/new", "wide")
    assert {k: v for k, v in files.items() if k != ".gitattributes"} == {
        path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()
    }


def test_a_run_s_configuration_its_images_and_a_card_of_one_s_own(ign, model, server, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(model, run / "model")
    (run / "config.yaml").write_text(
        yaml.safe_dump({"data": "digits", "steps": 5}), encoding="utf-8"
    )
    assert run_of(str(run)) == run_of(str(run / "model")) == run
    assert run_of("mnist") is None
    config = json.loads((run / "model" / CONFIG).read_text(encoding="utf-8"))
    config["about"]["data"] = "digits"
    (run / "model" / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    out = tmp_path / "out"
    words = ("push", run, "me/x", "--dry-run", "--out", out, "--data", "digits", "--split", "val")
    status, told, err = ign(*words)
    assert (status, err, told.count("\n")) == (0, "", 1)
    text = (out / "README.md").read_text(encoding="utf-8")
    assert "steps: 5" in text
    assert "x: the first 8 images of digits, val" in text
    (tmp_path / "mine.md").write_text("---\nlicense: mit\n---\nmine", encoding="utf-8")
    assert ign("push", run, "someone/x", "--card", tmp_path / "mine.md").status == 0
    assert server.files("someone/x")["README.md"] == (tmp_path / "mine.md").read_bytes()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("nowhere", "nowhere: give OWNER/NAME"),
        ("someone/x@v2", "give OWNER/NAME, and the branch with --revision"),
        ("other/x", "push to 'other/x': the token does not allow this"),
        ("someone/x --results {there}", "results.json"),
        ("someone/x --card {there}/none.md", "none.md: No such file"),
        ("someone/x --data {there}/none", "no such file or folder"),
    ],
)
def test_mistakes_are_one_line_and_push_nothing(words, told, ign, model, server, tmp_path):
    status, out, err = ign("push", model, *words.format(there=tmp_path).split())
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert told in err
    assert server.repositories == {}
