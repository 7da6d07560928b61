"""ign train inspect, and what is done with its model: score, evaluate, calibrate, info."""

import csv
import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from parts import SIDES, save, texture, write_layout
from PIL import Image

SMALL = ("--backbone", "pixels", "--size", 64, "--networks", 1, "--width", 32, "--steps", 60)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_layout(tmp_path_factory.mktemp("cli") / "parts", 45, 20, 5)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, parts):
    from ign.cli import main

    run = tmp_path_factory.mktemp("cli") / "run"
    words = ("train", "inspect", "--data", parts, "--out", run, *SMALL)
    assert main([str(word) for word in words]) == 0
    return run


def rows(text):
    return list(csv.DictReader(text.splitlines()))


def test_train_names_the_layout_and_writes_a_run(ign, parts, tmp_path):
    run = tmp_path / "run"
    status, out, err = ign("train", "inspect", "--data", parts, "--out", run, *SMALL)
    assert status == 0, err
    assert "MVTec AD: 45 good images to train on; test: 20 good, 5 hole, 5 line; 10 masks" in err
    assert "trained on 26 images" in out
    assert "calibrated on 19 others: at most 5.0% of good parts are flagged" in out
    files = sorted(str(p.relative_to(run)) for p in run.rglob("*") if p.is_file())
    assert files == [".ign-files.json", "config.yaml", "metrics.csv", "model/config.json",
                     "model/model.safetensors"]  # fmt: skip
    assert [row["step"] for row in rows((run / "metrics.csv").read_text())] == ["20", "40", "60"]
    status, _, err = ign("train", "inspect", "--data", parts, "--out", run, *SMALL)
    assert (status, err.count("\n")) == (2, 1)
    assert "is not empty; give another --out, or --force" in err


def test_score_writes_table_maps_and_page(ign, trained, parts, tmp_path):
    images = tmp_path / "new"
    shutil.copytree(parts / "test/hole", images / "hole")
    shutil.copytree(parts / "test/good", images / "good")
    odd = images / "a<b>&.png"
    shutil.copy(parts / "test/good/000.png", odd)
    (images / "broken.png").write_bytes(odd.read_bytes()[:50])
    words = ("--out", tmp_path / "s.csv", "--maps", tmp_path / "maps", "--page", tmp_path / "page")
    status, out, err = ign("score", trained, images, *words, "--raw")
    assert status == 0, err
    assert "skipped: image" in err
    assert f"26 scores in {tmp_path / 's.csv'}, " in out
    table = rows((tmp_path / "s.csv").read_text())
    assert list(table[0]) == ["file", "score", "percentile", "flag", "threshold", "peak"]
    by_kind = {k: [r for r in table if r["file"].startswith(k)] for k in ("hole", "good")}
    assert {r["flag"] for r in by_kind["hole"]} == {"1"}
    assert sum(int(r["flag"]) for r in by_kind["good"]) <= 5
    for row in table:
        assert (float(row["score"]) > float(row["threshold"])) == (row["flag"] == "1")
    values = np.load(tmp_path / "maps/hole/000-map.npy")
    assert values.shape == SIDES
    assert values.max() == pytest.approx(float(by_kind["hole"][0]["peak"]), rel=1e-5)
    deep = Image.open(tmp_path / "maps/hole/000-map16.png")
    assert (deep.mode, deep.size) == ("I;16", SIDES[::-1])
    levels = np.asarray(deep).astype(float)
    assert np.corrcoef(levels.ravel(), values.ravel())[0, 1] > 0.99
    page = (tmp_path / "page/index.html").read_text()
    assert "a&lt;b&gt;&amp;.png" in page
    assert "a<b>" not in page
    assert page.count('class="part') == 26
    first = page.index('class="part flagged"')
    assert "hole/" in page[first : page.index("</div>", first)]
    assert (tmp_path / "page/hole/000-map.png").is_file()


def test_masks_are_not_scored(ign, trained, parts):
    status, out, err = ign("score", trained, parts)
    assert status == 0
    assert "10 masks in" in err
    assert len(rows(out)) == 45 + 20 + 10


def test_the_part_of_the_map_can_be_chosen(ign, trained, parts):
    found = {}
    for kind in ("max", "top", "mean"):
        status, out, err = ign("score", trained, parts / "test/hole", "--score", kind)
        assert status == 0
        assert ("not calibrated" in err) == (kind != "top")
        found[kind] = [float(row["score"]) for row in rows(out)]
    assert all(a >= b > c for a, b, c in zip(*found.values(), strict=True))
    status, _, err = ign("score", trained, parts / "test/hole", "--score", "residual")
    assert (status, err.count("\n")) == (2, 1)


def test_evaluate(ign, trained, parts, tmp_path):
    status, out, err = ign("evaluate", trained, "--data", parts, "--out", tmp_path / "e")
    assert status == 0, err
    found = json.loads((tmp_path / "e/results.json").read_text())
    assert set(found["defects"]) == {"hole", "line", "all"}
    assert found["defects"]["hole"]["auroc"] == 1.0
    assert found["defects"]["hole"]["aupro"] > 0.5
    assert found["false_positives"]["count"] == round(found["false_positives"]["share"] * 20)
    assert "of 20 good parts are flagged" in out
    page = (tmp_path / "e/index.html").read_text()
    for name in ("roc.png", "miss-1.png", "alarm-6.png"):
        assert name in page
        assert (tmp_path / "e" / name).is_file()


def test_a_mask_of_another_size(ign, trained, parts, tmp_path):
    shutil.copytree(parts, tmp_path / "parts")
    save(np.zeros((5, 5), np.uint8), tmp_path / "parts/ground_truth/hole/002_mask.png")
    status, _, err = ign("evaluate", trained, "--data", tmp_path / "parts", "--out", tmp_path / "e")
    assert status == 2
    assert "002_mask.png' is 5x5, its image 96x72" in err
    assert not (tmp_path / "e").exists()


def test_images_of_other_sizes_are_scored(ign, trained, tmp_path):
    for i, sides in enumerate(((20, 300), (500, 30), (8, 8))):
        save(texture(i, sides), tmp_path / f"new/{i}.png")
    status, _, err = ign("score", trained, tmp_path / "new", "--maps", tmp_path / "m", "--raw")
    assert status == 0, err
    assert np.load(tmp_path / "m/0-map.npy").shape == (20, 300)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: (p / "train/good").mkdir(parents=True), "no images"),
        (lambda p: save(texture(0), p / "train/good/0.png"), "1 good image; at least 4"),
        (lambda p: save(texture(0), p / "test/scratch/0.png"), "no train/good"),
        (lambda p: [save(np.zeros((9, 9), np.uint8), p / f"{i}.png") for i in range(6)], "black"),
    ],
)
def test_bad_input_is_one_line(ign, make, message, tmp_path):
    (tmp_path / "data").mkdir()
    make(tmp_path / "data")
    words = ("train", "inspect", "--data", tmp_path / "data", "--out", tmp_path / "run", *SMALL)
    status, _, err = ign(*words)
    assert status == 2
    assert message in err.splitlines()[-1]
    assert len(err.splitlines()) <= 2  # the layout, and the error
    assert not (tmp_path / "run").exists()


def test_calibrate_on_good_parts_of_a_layout(ign, trained, parts, tmp_path):
    words = ("calibrate", trained, "--data", parts, "--rate", 0.1, "--out", tmp_path / "again")
    status, out, err = ign(*words)
    assert status == 0, err
    assert "20 good images of parts, test/good" in out
    status, out, _ = ign("score", tmp_path / "again", parts / "test/good")
    assert sum(int(row["flag"]) for row in rows(out)) <= 2
    status, _, err = ign("calibrate", trained, "--data", parts)
    assert (status, err.count("\n")) == (2, 1)


def test_info_and_other_verbs(ign, trained):
    status, out, _ = ign("info", trained)
    assert status == 0
    assert "pixels" in out
    assert "5.0% of 19 images" in out
    for words in (("sample", trained), ("project", trained, "x.png", "--out", "o")):
        status, _, err = ign(*words)
        assert (status, err.count("\n")) == (2, 1)
        assert "is a model of train inspect" in err


def test_watch_scores_new_images_and_goes_on(ign, trained, parts, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "s.csv"
    shutil.copytree(parts / "test/hole", folder)
    words = ("score", trained, folder, "--watch", "--out", out, "--watch-seconds", 1.2)
    status, text, _ = ign(*words)
    assert status == 0
    assert text.count("FLAGGED") == 5
    assert len(rows(out.read_text())) == 5
    with open(out, "ab") as file:  # a crash in the middle of a row
        file.write(b"half")
    shutil.copy(parts / "test/good/000.png", folder / "new.png")
    status, text, _ = ign(*words)
    assert [line.split()[-1] for line in text.splitlines()] == ["new.png"]
    assert [row["file"] for row in rows(out.read_text())][-1] == "new.png"
    assert len(rows(out.read_text())) == 6
    assert ign(*words[:4]).status == 2


def test_the_commands_of_the_page_run_in_order(ign, tmp_path, monkeypatch):
    """docs/inspection.md, from a folder to a file to ship, in a smaller size."""
    page = Path(__file__).resolve().parents[2] / "docs/inspection.md"
    lines = [line.strip() for line in page.read_text(encoding="utf-8").splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("ign ")]
    assert [words[0] for words in commands] == [
        "train", "score", "evaluate", "export", "calibrate", "score",
    ]  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_layout(tmp_path / "parts", 45, 20, 3)
    shutil.copytree(tmp_path / "parts/test/good", "new")
    shutil.copytree(tmp_path / "new", "incoming")
    for i in range(100):
        save(texture(7000 + i), tmp_path / "other-good-parts" / f"{i}.png")
    for words in commands:
        more = {"train": SMALL, "score": ("--watch-seconds", 1) * ("--watch" in words)}
        if "--watch" in words:
            (tmp_path / "scores.csv").unlink()
        status, _, err = ign(*words, *more.get(words[0], ()))
        assert status == 0, err
    for name in ("report/index.html", "evaluation/results.json", "parts.onnx", "scores.csv"):
        assert (tmp_path / name).is_file()
