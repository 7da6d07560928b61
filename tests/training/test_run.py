"""What a run leaves behind, and how one begins."""

import math
import shutil
import sys

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from training.runs import OPTIONS, TINY, begin, main, rows, saved, steps

import ign
from ign import data
from ign.training import arguments, choose_folder
from ign.view import pictures

LOSSES = ("seconds", "steps_per_second", "total", "rec", "idem", "tight", "discriminator",
          "generator", "generator_rec", "match")  # fmt: skip
MEASURES = ("drift_held_out", "drift_train", "gap", "diversity")


def test_run_leaves_all_that_one_needs(whole):
    assert sorted(p.name for p in whole.iterdir()) == [
        "checkpoints", "config.yaml", "metrics.csv", "model", "samples", "tensorboard",
    ]  # fmt: skip
    assert saved(whole) == ["step-00000008.ckpt", "step-00000012.ckpt"]
    names = [f"step-{n:08d}.png" for n in (4, 8, 12)]
    assert sorted(p.name for p in (whole / "samples").iterdir()) == names
    (events,) = (whole / "tensorboard").iterdir()
    written = events.read_bytes()
    assert all(tag.encode() in written for tag in ("samples", *LOSSES, *MEASURES))


def test_metrics_are_one_row_a_step(whole):
    assert list(rows(whole)[0]) == ["step", *LOSSES, *MEASURES]
    assert steps(whole) == list(range(1, 13))
    for row in rows(whole):
        wanted = LOSSES + MEASURES if int(row["step"]) % 4 == 0 else LOSSES
        assert {k for k, v in row.items() if v} == {"step", *wanted}
        assert all(math.isfinite(float(v)) for v in row.values() if v)
        assert float(row["match"]) > 0 > float(row["tight"])
    seconds = [float(row["seconds"]) for row in rows(whole)]
    assert seconds == sorted(seconds)


def test_rounding_is_for_the_trained_model(plain, tmp_path):
    network = OPTIONS["network"] | {"rounding": 0.5}
    made = ign.train("digits", out=tmp_path / "run", **OPTIONS | {"network": network})
    grid, free = (ign.IGN.from_pretrained(p) for p in (tmp_path / "run", plain))
    weights = grid.network.state_dict()
    spread = weights.pop("spread")
    assert all(torch.equal(v, weights.pop(k)) for k, v in free.network.state_dict().items())
    assert not weights
    images = data.load("digits", size=8, limit=64)
    codes = free.network.eval().encoder(images.batch(torch.arange(len(images)))).flatten(1)
    assert torch.allclose(spread, codes.std(0), rtol=1e-4)
    assert torch.equal(made.network.spread, spread)
    assert not torch.equal(grid.sample(4), free.sample(4))


def test_grids_show_the_same_noise_at_each_step(whole):
    model = ign.IGN.from_pretrained(whole)
    wanted = np.asarray(pictures.grid(model.sample(64)))
    shown = [np.asarray(Image.open(p)) for p in sorted((whole / "samples").iterdir())]
    assert np.array_equal(shown[-1], wanted)
    assert not np.array_equal(shown[0], wanted)


def test_config_file_is_the_run(plain):
    config = arguments(yaml.safe_load((plain / "config.yaml").read_text(encoding="utf-8")))
    assert config == arguments(OPTIONS | {"horizon": 12}, "digits")
    assert config.batch_size == 8
    assert config.network.width == 4


def test_python_trains_what_the_command_line_trains(plain, tmp_path):
    model = ign.train("digits", out=tmp_path / "run", **OPTIONS)
    kept = ign.IGN.from_pretrained(tmp_path / "run")
    assert torch.equal(model.sample(4, 2), kept.sample(4, 2))
    assert kept.about["steps"] == 12
    assert torch.equal(kept.sample(4), ign.IGN.from_pretrained(plain).sample(4))
    with pytest.raises(ValueError, match="holds a run"):
        ign.train("digits", out=tmp_path / "run", **OPTIONS)


def test_distance_of_ones_own_trains(tmp_path):
    words = [*TINY, "--steps=2", "--objective.distance=ign.objective.distance:l2"]
    run = begin(tmp_path / "run", words)
    assert float(rows(run)[-1]["drift_held_out"]) > 0


def test_init_starts_from_a_model(plain, tmp_path, capsys):
    still = [*TINY, "--steps=1", "--learning_rate=1e-30", "--ema=0", f"--init={plain}"]
    begin(tmp_path / "run", still)
    before, after = (ign.IGN.from_pretrained(run) for run in (plain, tmp_path / "run"))
    assert all(map(torch.equal, before.network.parameters(), after.network.parameters()))
    wide = [*still, "--network.width=8", f"--out={tmp_path / 'wide'}"]
    assert main("train", "digits", *wide) == 2
    assert "network.width" in capsys.readouterr().err
    assert not (tmp_path / "wide").exists()


def test_force_replaces_a_run_once_the_new_one_can_begin(tmp_path, capsys):
    words = ["train", "digits", *TINY, "--steps=2", f"--out={tmp_path / 'run'}"]
    assert main(*words) == 0
    assert main(*words) == 2
    assert main(*words, "--force", "--data=/nowhere") == 2
    assert saved(tmp_path / "run") == ["step-00000002.ckpt"]
    assert main(*words, "--force", "--steps=1") == 0
    assert saved(tmp_path / "run") == ["step-00000001.ckpt"]
    assert [p.stem for p in (tmp_path / "run" / "samples").iterdir()] == ["step-00000001"]
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1
    assert steps(tmp_path / "run") == [1]


def test_place_of_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(choose_folder(None, "digits", False)) == "runs/digits"
    assert str(choose_folder(None, "digits", False)) == "runs/digits-2"
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "love.txt").write_text("keep me", encoding="utf-8")
    for there in ("letters", "letters/love.txt"):
        with pytest.raises(ValueError, match="not a run"):
            choose_folder(there, "digits", True)


def test_folder_of_images_from_the_command_line(tmp_path, capsys):
    noise = np.random.default_rng(0)
    for i in range(24):
        folder = tmp_path / "in" / ("a", "b")[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = noise.integers(0, 256, (14, 12, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    words = [*TINY, "--steps=4", "--batch_size=4", f"--data={tmp_path / 'in'}"]
    assert main("train", *words, f"--out={tmp_path / 'run'}") == 0
    assert f"ign sample {tmp_path / 'run'}" in capsys.readouterr().out
    model = ign.IGN.from_pretrained(tmp_path / "run")
    assert model.shape == (3, 8, 8)
    assert model.noise.name == "spectral"
    config = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text(encoding="utf-8"))
    assert config["data"] == str(tmp_path / "in")
    with pytest.raises(ValueError, match="data is empty"):
        ign.train("folder", out=tmp_path / "other")


def test_decoded_images_are_kept_for_the_next_run_where_they_are_many(tmp_path, monkeypatch):
    noise = np.random.default_rng(0)
    (tmp_path / "in").mkdir()
    for i in range(24):
        Image.fromarray(noise.integers(0, 256, (8, 8), np.uint8)).save(tmp_path / "in" / f"{i}.png")
    monkeypatch.setenv("IGN_CACHE", str(tmp_path / "cache"))
    options = OPTIONS | {"data": str(tmp_path / "in"), "steps": 2, "batch_size": 4}
    found = []
    for limit, name in ((2**26, "memory"), (0, "first"), (0, "second")):
        monkeypatch.setattr(sys.modules["ign.training.setup"], "IN_MEMORY", limit)
        assert (tmp_path / "cache").exists() == (name == "second")
        found.append(ign.train("folder", out=tmp_path / name, **options))
        if name == "first":
            monkeypatch.setattr("ign.data.loading.read_all", None)
    for model in found[1:]:
        assert all(map(torch.equal, model.parameters(), found[0].parameters()))


def test_replacing_a_run_leaves_the_files_of_the_user(plain, tmp_path):
    run = shutil.copytree(plain, tmp_path / "run")
    mine = [run / "notes.txt", run / "checkpoints" / "mine.ckpt", run / "samples" / "a" / "b.png"]
    for file in mine:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"mine")
    assert main("train", "digits", *TINY, "--steps=2", "--every=2", "--force", f"--out={run}") == 0
    assert all(file.read_bytes() == b"mine" for file in mine)
    assert saved(run) == ["mine.ckpt", "step-00000002.ckpt"]
    assert steps(run) == [1, 2]
