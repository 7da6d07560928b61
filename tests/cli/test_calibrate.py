"""ign calibrate."""

import json
import shutil

import pytest

from ign import IGN


@pytest.fixture
def own(models, tmp_path):
    """A run whose model may be changed, and the bytes of its weights."""
    folder = tmp_path / "run" / "model"
    shutil.copytree(models["gray"], folder)
    return tmp_path / "run", (folder / "model.safetensors").read_bytes()


def test_a_run_is_calibrated_in_its_place(ign, own):
    run, weights = own
    words = ("calibrate", run, "--data", "digits", "--limit", 60, "--split", "test")
    status, out, err = ign(*words)
    assert status == 0, err
    assert "60 clean images of digits, split test; saved in" in out
    assert (run / "model" / "model.safetensors").read_bytes() == weights
    found = IGN.from_pretrained(run).calibration
    assert (found.rate, found.images, found.data) == (0.05, 60, "digits, split test")
    assert found.thresholds["displacement"] > 0
    assert "calibration       5.0% of 60 images of digits, split test" in ign("info", run).out
    status, out, err = ign(*words)
    assert status == 2
    assert "is already calibrated; give --force" in err
    assert ign(*words, "--rate", 0.5, "--force").status == 0
    assert IGN.from_pretrained(run).calibration.rate == 0.5


@pytest.mark.parametrize(("trained", "split"), [("digits", "test"), ("other", "all")])
def test_of_the_data_of_the_training_only_the_held_out_part_is_clean(ign, own, trained, split):
    run, _ = own
    file = run / "model" / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    config["about"]["data"] = trained
    file.write_text(json.dumps(config), encoding="utf-8")
    assert ign("calibrate", run, "--data", "digits").status == 0
    assert IGN.from_pretrained(run).calibration.data == f"digits, split {split}"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--data", "digits", "--limit", 5), "5 clean images are too few for a rate of 0.05; give"),
        (("--data", "nowhere"), "no such file or folder"),
        (("--data", "digits", "--rate", "1"), "must be a number above 0 and below 1"),
        (("--data", "digits", "--rate", "x"), "must be a number above 0 and below 1"),
        ((), "required: --data"),
    ],
)
def test_mistakes_leave_the_model_as_it_was(ign, own, words, told):
    run, _ = own
    before = (run / "model" / "config.json").read_bytes()
    status, out, err = ign("calibrate", run, *words)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert told in err
    assert (run / "model" / "config.json").read_bytes() == before


def test_a_model_that_is_no_path_is_not_changed_in_place(ign):
    status, _, err = ign("calibrate", "someone/model", "--data", "digits")
    assert status == 2
    assert "give --out FOLDER" in err
