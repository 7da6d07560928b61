"""ign evaluate and ign compare."""

import errno
import json
import os
import re
import subprocess
import sys

import pytest
from forked import Forked

from ign.data import load

SMALL = ("--data", "digits", "--features", "mnist", "--samples", 60)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """One cache for these tests, so that features of the digits are made once."""
    folder = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("IGN_CACHE", str(folder))


@pytest.fixture(scope="module")
def evaluated(models, tmp_path_factory):
    """An evaluation of the gray model by a process of its own, and what it printed."""
    out = tmp_path_factory.mktemp("evaluated") / "out"
    words = ["evaluate", models["gray"], *SMALL, "--seed", "4", "--html", "--out", out]
    cache = tmp_path_factory.getbasetemp() / "cache"
    done = Forked(*words, variables={"IGN_CACHE": str(cache)})
    assert done.wait() == 0, done.err
    return out, done, words


def test_what_it_writes_and_shows(evaluated):
    out, done, _ = evaluated
    assert sorted(p.name for p in out.glob("[!.]*")) == [
        "classes.png", "drift.png", "index.html", "nearest.png", "results.json",
        "samples-f1.png", "samples-f2.png",
    ]  # fmt: skip
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    lines = done.out.splitlines()
    assert lines[0].startswith("60 samples of seed 4 against 364 held-out images (digits test)")
    for row in results["rows"][:2]:
        assert row["name"] in done.out
        assert f"{row['frechet']:.2f}" in done.out
        assert f"{row['drift']:.4f}" in done.out
    assert f"{out}/results.json" in lines[-2]
    assert "warning: 60 samples and 364 real images: under 2,048" in done.err
    assert done.err.count("\n") == len(results["alarms"]) + len(results["warnings"])


def test_results_say_what_was_asked(evaluated, models):
    out, _, words = evaluated
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["about"]["command"] == f"ign {' '.join(map(str, words))}"
    assert results["model"]["path"] == str(models["gray"])
    protocol = results["protocol"]
    assert (protocol["samples"], protocol["seed"]) == (60, 4)
    real = {k: v for k, v in protocol["real"].items() if k != "sha256"}
    assert real == {"images": 364, "source": "digits", "split": "test"}
    assert protocol["train"]["images"] == len(load("digits"))
    assert protocol["features"]["name"] == "mnist"


def test_page_names_each_picture(evaluated):
    out, _, _ = evaluated
    text = (out / "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'src="([^"]+)"', text)) == {p.name for p in out.glob("*.png")}
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    for row in results["rows"]:
        assert f"<th>{row['name'].replace('>', '&gt;')}" in text
    assert results["protocol"]["features"]["sha256"] in text
    assert results["protocol"]["real"]["sha256"] in text
    assert "<td>seed<td>4" in text


def test_nothing_is_written_over_without_force(evaluated, ign, models):
    out, _, _ = evaluated
    before = (out / "results.json").read_bytes()
    status, _, err = ign("evaluate", models["gray"], *SMALL, "--out", out)
    assert status == 2
    assert "not empty" in err
    assert (out / "results.json").read_bytes() == before


def test_several_applications_without_a_page(ign, models, tmp_path):
    words = ("evaluate", models["gray"], *SMALL, "-k", 3, 1, "--out", tmp_path / "e")
    assert ign(*words).status == 0
    assert [p.name for p in (tmp_path / "e").glob("[!.]*")] == ["results.json"]
    assert ign(*words).status == 2
    assert ign(*words, "--force").status == 0
    rows = json.loads((tmp_path / "e" / "results.json").read_text(encoding="utf-8"))["rows"]
    assert [row.get("applications") for row in rows[:3]] == [1, 3, None]


MISTAKES = {
    "evaluate": "MODEL",
    "evaluate {gray}": "--data",
    "evaluate {gray} --data nowhere": "no such file or folder",
    "evaluate {gray} --data digits": "there is no packaged feature net for images of (1, 8, 8)",
    "evaluate {gray} --data digits --features mnits": "choose faces, mnist or give",
    "evaluate {gray} --data digits --features {text}.pt": "No such file",
    "evaluate {gray} --data digits --features mnist -n 3": "neighbours 5 must be",
    "evaluate {gray} --data digits --features mnist --split train": "invalid choice",
    "evaluate {gray} --data digits --features mnist --tolerance 0": "'0' must be above 0",
    "compare": "RESULTS",
    "compare {new}": "no such file",
    "compare {text}": "cannot be read as JSON",
    "compare {results} {results}": "is given twice; name each: NAME=RESULTS",
    "compare {results} --out {text}": "is a file",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistake_is_one_line(words, ign, models, evaluated, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = tmp_path / "text"
    text.write_text("words", encoding="utf-8")
    names = {"gray": models["gray"], "new": tmp_path / "new", "text": text, "results": evaluated[0]}
    status, out, err = ign(*words.format(**names).split())
    assert (status, out) == (2, "")
    assert MISTAKES[words] in err
    assert err.startswith("ign ")
    assert err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["text"]


def test_a_full_disk_leaves_nothing(ign, models, tmp_path, monkeypatch):
    def full(self, *_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr("pathlib.Path.write_text", full)
    status, _, err = ign("evaluate", models["gray"], *SMALL, "--out", tmp_path / "e")
    assert status == 2
    assert err.endswith("No space left on device\n")
    assert not (tmp_path / "e").exists()


def test_compare(evaluated, ign, tmp_path):
    out, _, _ = evaluated
    other = json.loads((out / "results.json").read_text(encoding="utf-8"))
    other["protocol"]["samples"] = 61
    (tmp_path / "other.json").write_text(json.dumps(other), encoding="utf-8")
    folder = tmp_path / "c"
    words = ("compare", out, f"theirs={tmp_path / 'other.json'}", "--out", folder)
    status, shown, err = ign(*words)
    assert (status, err) == (0, "")
    assert sorted(p.name for p in folder.glob("[!.]*")) == [
        "bars.png",
        "comparison.md",
        "scatter.png",
    ]
    text = (folder / "comparison.md").read_text(encoding="utf-8")
    note = "† not comparable: samples 61, not 60"
    assert note in text
    assert note in shown
    table = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert [line[0] for line in table] == ["| model", *[f"| {out}"] * 2, *["| theirs †"] * 2]
    assert [line[1] for line in table[1:]] == ["f(z)", "f(f(z))"] * 2
    frechet = f"{other['rows'][0]['frechet']:.2f}"
    assert table[1][2] == table[3][2] == frechet
    assert frechet in shown
    assert ign(*words).status == 2
    assert ign(*words, "--force").status == 0


def test_compare_in_a_console_without_arrows(evaluated, tmp_path):
    out, _, _ = evaluated
    code = "from ign.cli import main; raise SystemExit(main())"
    words = ["compare", f"a[b]|$é={out}", f"b={out}", "--out", tmp_path / "c"]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, check=False,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode("cp1252")
    assert " ^ " in shown
    assert "a[b]|$é" in shown
    text = (tmp_path / "c" / "comparison.md").read_text(encoding="utf-8")
    assert r"| a\[b\]\|\$é |" in text
    assert "precision ↑" in text


def test_force_leaves_no_file_of_an_earlier_call(ign, models, tmp_path):
    words = ("evaluate", models["gray"], *SMALL, "--out", tmp_path / "e")
    assert ign(*words, "-k", 1, 2, "--html").status == 0
    (tmp_path / "e" / "notes.txt").write_text("mine", encoding="utf-8")
    assert ign(*words, "-k", 1, "--force").status == 0
    left = sorted(p.name for p in (tmp_path / "e").glob("[!.]*"))
    assert left == ["notes.txt", "results.json"]


def test_missing_packages_are_those_of_the_extra(capsys):
    from ign.cli.faults import mistake

    mistake("compare", ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib"))
    assert capsys.readouterr().err.endswith("pip install 'ign-torch[eval]'\n")
