"""What was probably meant."""

import pytest

from ign.cli import suggest


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("--steps 3 mnist", "mnist --steps 3"),
        ("mnist --steps 3", "mnist --steps 3"),
        ("--force mnist --gray=true", "mnist --force --gray=true"),
        ("mnist --flip --steps 3", "mnist --flip=true --steps 3"),
        ("--gray false --skip-broken photos", "--gray false --skip-broken=true --data photos"),
        ("photos", "--data photos"),
        ("--steps 3 photos", "--steps 3 --data photos"),
        ("mnist photos", "mnist --data photos"),
        ("--betas 0.9,0.999", "--betas [0.9,0.999]"),
        ("--betas=0.9,0.999", "--betas=[0.9,0.999]"),
        ("--betas [0.9,0.999]", "--betas [0.9,0.999]"),
        ("celeba --data photos", "celeba --data photos"),
    ],
)
def test_words_of_train_in_any_order(words, wanted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    assert suggest.train_words(words.split()) == wanted.split()


MISTAKES = {
    "sampel": "no verb 'sampel'; did you mean 'sample'?",
    "--hlep": "no option '--hlep'; did you mean '--help'?",
    "train mnits": "'mnits': no such preset, folder or zip; did you mean 'mnist'?",
    "train nowhere/": "'nowhere/': no such preset, folder or zip; presets: celeba,",
    "train mnist digits": "give one preset; mnist and digits",
    "train --data x photos": "'photos' and --data: give only one of them",
    "train celeba": "ign does not download CelebA",
    "train digits --lr 3": "did you mean '--learning-rate'?",
    "train digits --epochs 3": "did you mean '--steps' (1 step is one batch)?",
    "train digits --trainer.precison 32": "did you mean '--trainer.precision'?",
    "train digits --objective.clamp_ratio abc": "clamp-ratio abc: must be a finite number or null",
    "train digits --size x": "--size x: must be a whole number or null",
    "train digits --betas 0.9": "--betas 0.9: must be numbers separated by commas",
    "train digits --network.norm foo": "must be one of batch, role, group, none",
    "train digits --config {deep}": "is nested too deeply",
    "train digits --config {json}": "is nested too deeply",
    "train digits --config {binary}": "is not YAML in UTF-8",
    "train digits --config {text}": "has no options",
    "train digits --config {wrong}": "did you mean '--steps'?",
    "train digits --config {new}": "No such file",
    "train digits --config {folder}": "is not a file",
    "sample mnist --sede 3": "did you mean '--seed'?",
    "score mnist x --score residul": "did you mean 'residual'?",
    "edit inpant": "did you mean 'inpaint'?",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_mistake_is_one_line_that_says_what_was_meant(words, ign, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    contents = {
        "deep": b"[" * 5000, "json": b'{"a":' * 5000, "binary": b"\xff\xfe\0a", "text": b"words",
        "wrong": b"stepz: 3",
    }  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    names = {name: name for name in (*contents, "new")}
    (tmp_path / "folder").mkdir()
    (tmp_path / "photos").mkdir()
    status, out, err = ign(*words.format(folder="folder", **names).split())
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert MISTAKES[words] in err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("words", [["help"], ["help", "sample"], ["help", "edit", "inpaint"]])
def test_help_is_a_verb(words, ign, capsys):
    with pytest.raises(SystemExit) as end:
        ign(*words)
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(" ".join(["usage: ign", *words[1:]]))
