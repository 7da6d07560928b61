"""ign completion, asked in the shells themselves."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ign.cli import VERBS, edit, main
from ign.io.packaged import packaged
from ign.training import PRESETS

BASH = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(( $# - 1 ))
"$(complete -p ign | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" 2> /dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """
zmodload zsh/zpty
zpty -b z zsh -f -i
until_seen() {  # the word, for some seconds
  local i line; heard=""
  for i in {1..100}; do
    while zpty -rt z line; do heard+="$line"; done
    [[ $heard == *$1* ]] && return
    sleep 0.2
  done
}
zpty -w z "PS1='> '; fpath=($1 \\$fpath); autoload -U compinit; compinit -u -D; LISTMAX=1000"
zpty -w z "print rea''dy"
until_seen ready
zpty -w -n z "$2"$'\\t\\t'
until_seen "$3"
print -r -- "$heard"
"""
FOLDER = {"photo.png", "photos", "runs"}
CASES = {
    "ign ": set(VERBS),
    "ign s": {"sample", "score"},
    "ign sample ": {*packaged(), *FOLDER},
    "ign sample mn": {"mnist"},
    "ign sample mnist --de": {"--device"},
    "ign sample mnist --device ": {"auto", "cpu", "cuda", "mps"},
    "ign sample mnist --out ": {"photos", "runs"},
    "ign train ": set(PRESETS),
    "ign train mnist --network.n": {"--network.norm"},
    "ign train mnist --network.norm ": {"batch", "role", "group", "none"},
    "ign train --data ": {"digits", "mnist", "fashion-mnist", *FOLDER},
    "ign edit ": set(edit.VERBS),
    "ign edit inpaint mnist --mas": {"--mask"},
    "ign project mnist ph": {"photo.png", "photos"},
    "ign push ru": {"runs"},
    "ign completion ": {"bash", "zsh", "fish"},
}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory) -> Path:
    """A folder with the script of each shell, and one with files to complete."""
    folder = tmp_path_factory.mktemp("completion")
    for name in ("runs", "photos"):
        (folder / "files" / name).mkdir(parents=True)
    (folder / "files" / "photo.png").touch()
    with pytest.MonkeyPatch.context() as patch:
        for shell in ("bash", "zsh", "fish"):
            with open(
                folder / ("_ign" if shell == "zsh" else f"ign.{shell}"), "w", encoding="utf-8"
            ) as file:
                patch.setattr("sys.stdout", file)
                assert main(["completion", shell]) == 0
    return folder


def ask(scripts: Path, *command: str) -> str:
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]} here")
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=scripts / "files", timeout=60, check=True
    )
    return done.stdout


@pytest.mark.parametrize("typed", CASES)
def test_bash(typed, scripts):
    words = typed.split(" ")
    out = ask(scripts, "bash", "--norc", "-c", BASH, "bash", str(scripts / "ign.bash"), *words)
    assert {line for line in out.splitlines() if line} == CASES[typed]


@pytest.mark.parametrize("typed", CASES)
def test_fish(typed, scripts):
    script = f"source {scripts / 'ign.fish'}; complete -C '{typed}'"
    out = ask(scripts, "fish", "--no-config", "-c", script)
    assert {line.split("\t")[0].rstrip("/") for line in out.splitlines()} == CASES[typed]


@pytest.mark.slow
@pytest.mark.parametrize("typed", ["ign s", "ign sample ", "ign train mnist --network.norm "])
def test_zsh(typed, scripts):
    last = max(CASES[typed])  # they are listed in order
    out = ask(scripts, "zsh", "-f", "-c", ZSH, "zsh", str(scripts), typed, last)
    for word in CASES[typed]:
        assert word in out


def test_a_verb_whose_packages_are_missing_is_completed_without_its_options(monkeypatch):
    from ign.cli import completion, sample

    def missing(words):
        raise ModuleNotFoundError("No module named 'lightning'", name="lightning")

    monkeypatch.setattr(sample, "run", missing)
    verbs = completion.whole()._subparsers._group_actions[0].choices
    assert [a.dest for a in verbs["sample"]._actions] == ["help"]
    assert len(verbs["score"]._actions) > 4


def test_no_such_shell(ign):
    status, out, err = ign("completion", "powershell")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "bash" in err
