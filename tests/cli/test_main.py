"""The words before the verb, help, and mistakes: one line on standard error, exit status 2."""

import os
import subprocess
import sys

import pytest

from ign import __version__
from ign.cli import VERBS, main
from ign.cli.faults import mistake


@pytest.mark.parametrize("word", ["-h", "--help", "--version"])
def test_help_and_version(word, capsys):
    with pytest.raises(SystemExit) as end:
        main([word])
    out, _ = capsys.readouterr()
    assert end.value.code == 0
    assert __version__ in out if word == "--version" else all(verb in out for verb in VERBS)


def test_no_verb(ign):
    status, out, err = ign()
    assert (status, out) == (2, "")
    assert all(verb in err for verb in VERBS)


MISTAKES = {
    "frobnicate": "no verb 'frobnicate'",
    "--frobnicate": "no option '--frobnicate'",
    "sample": "MODEL",
    "sample nosuch": "'nosuch': no such path",
    "sample {there}": "no config.json",
    "sample {model} -n 0": "'0' must be a whole number",
    "sample {model} -n many": "'many' must be a whole number",
    "sample {model} -k 0": "at least 1",
    "sample {model} --seed 99999999999999999999": "64 bits",
    "sample {model} --batch-size -1": "--batch-size",
    "sample {model} --device gpu": "cpu",
    "sample {model} --device cuda": "this machine has no such device",
    "sample {model} --out {there}": "not empty",
    "sample {model} --out {file}": "is a file",
    "sample {model} --colour red": "--colour",
    "project {model}": "INPUT",
    "project {model} {new}": "no such file or folder",
    "project {model} {there} --out {new}": "none of 1 images",
    "project {model} {file} --out {there}": "not empty",
    "score {model} {new}": "no such file or folder",
    "score {model} {file} --out {file}": "exists",
    "score {model} {file} --out {there} --force": "is a folder",
    "info": "MODEL",
    "info nosuch": "'nosuch': no such path",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistake_is_one_line(words, ign, model, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    (tmp_path / "there").mkdir()
    file = tmp_path / "there" / "file.png"
    file.write_text("not an image", encoding="utf-8")
    names = {"model": model, "there": file.parent, "file": file, "new": tmp_path / "new"}
    status, out, err = ign(*words.format(**names).split())
    *before, last = err.splitlines()
    assert (status, out) == (2, "")
    assert MISTAKES[words] in last
    assert last.startswith("ign")
    assert all(line.startswith("skipped: ") for line in before)
    assert [p.name for p in tmp_path.rglob("*")] == ["there", "file.png"]
    assert file.read_text(encoding="utf-8") == "not an image"


def test_missing_package_names_what_to_install(capsys):
    assert mistake("train", ModuleNotFoundError("No module named 'yaml'", name="yaml")) == 2
    assert mistake("train", ModuleNotFoundError("No module named 'x'", name="x")) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == "ign train: No module named 'yaml'; pip install 'ign-torch[train]'"
    assert second == "ign train: No module named 'x'"


def test_interrupt_is_one_line(ign, monkeypatch):
    def planted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ign.cli.info.run", planted)
    assert ign("info", "x") == (130, "", "ign info: interrupted\n")


def test_as_a_process(model):
    """A mistake, and a reader that goes away: no traceback, the exit status of each."""
    code = [sys.executable, "-c", "from ign.cli import main; raise SystemExit(main())"]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": ""}
    wrong = subprocess.run([*code, "sample", "nosuch"], capture_output=True, text=True, env=env)
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (2, "", 1)
    reading, writing = os.pipe()
    os.close(reading)
    left = subprocess.run(
        [*code, "info", model], stdout=writing, stderr=subprocess.PIPE, text=True, env=env
    )
    os.close(writing)
    assert (left.returncode, left.stderr) == (141, "")
