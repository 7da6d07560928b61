"""Help: fits in 80 columns, says what a verb does, shows defaults and an example that parses."""

import re
import shlex
from importlib import import_module

import pytest

from ign.cli import VERBS, edit, main
from ign.cli.parser import Parser, hyphens, parser_of

EVERY = [[], *([verb] for verb in VERBS), *(["edit", verb] for verb in edit.VERBS)]
NO_OUT = ("", "edit", "info", "completion", "app")


@pytest.fixture(params=EVERY, ids=" ".join)
def shown(request, monkeypatch, capsys):
    """The words before ``--help``, and what it prints."""
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as end:
        main([*request.param, "--help"])
    out, err = capsys.readouterr()
    assert (end.value.code, err) == (0, "")
    return " ".join(request.param), out


def test_help_fits_and_says_what_and_how(shown):
    name, text = shown
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith(f"usage: ign {name}".rstrip())
    sentence = text.split("\n\n")[1].replace("\n", " ").split(".")[0]
    assert re.fullmatch(r"[A-Z][a-z]+ .{10,110}", sentence), sentence
    examples = re.findall(rf"^  (ign {name}.*)$", text, re.MULTILINE)
    assert examples or f"ign {name}" in text.partition("example")[2]
    assert not re.search(r"Literal|null, default|default: None|default: False|SUPPRESS|dest", text)
    assert "--out" in text or name in NO_OUT


def test_examples_are_words_that_the_verb_takes(shown):
    name, text = shown
    if name in ("", "train"):  # train parses its own: below
        return
    function = edit.FUNCTIONS[name[5:]] if " " in name else None
    if name == "edit":
        function, name = edit.FUNCTIONS["inpaint"], "edit inpaint"
    if function is None:
        function = import_module(f"ign.cli.{name}").run
    for example in re.findall(r"^  (ign .*)$", text, re.MULTILINE):
        words = shlex.split(example.partition(" > ")[0])
        parser_of(function).parse_args(words[1 + len(name.split()) :])


def test_help_of_a_preset_has_its_defaults(capsys):
    texts = []
    for preset in ("mnist", "celeba-paper"):
        with pytest.raises(SystemExit):
            main(["train", preset, "--help"])
        texts.append(" ".join(capsys.readouterr().out.split()))
    assert re.search(
        r"--network.width N number of feature maps of the first layer \(default: 32\)", texts[0]
    )
    assert re.search(
        r"--network.width N number of feature maps of the first layer \(default: 64\)", texts[1]
    )


def test_underscores_stand_for_hyphens_and_hyphens_for_underscores(ign, model, tmp_path):
    words = ("sample", model, "-n", 2, "--batch_size", 1, "--out", tmp_path / "a_b")
    assert ign(*words).status == 0
    assert (tmp_path / "a_b" / "grid.png").exists()
    assert hyphens("--log_every=my_file") == "--log-every=my_file"
    assert hyphens("--objective.rec-weight=1e-3", "_") == "--objective.rec_weight=1e-3"
    assert [hyphens(word) for word in ("a_b", "-k", "--a b_c")] == ["a_b", "-k", "--a b_c"]


def test_train_takes_both_spellings(capsys):
    texts = []
    for words in ("--batch-size=8 --print-config", "--batch_size 8 --print_config"):
        with pytest.raises(SystemExit):
            main(["train", "digits", *words.split()])
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert "batch_size: 8" in texts[0]


def test_defaults_are_shown_once_and_only_where_there_are_any():
    parser = Parser(prog="ign test")
    parser.add_argument("--count", type=int, default=3, metavar="N", help="100% of it")
    parser.add_argument("--name", metavar="X", help="nothing by itself (default: yours)", default=1)
    parser.add_argument("--flag", action="store_true", help="a switch")
    parser.add_argument("--pair", nargs=2, default=(1, 2), metavar=("A", "B"), help="both")
    text = parser.format_help()
    for line in ("100% of it (default: 3)", "(default: yours)\n", "a switch\n", "(default: 1 2)"):
        assert line in text
    assert text.count("(default") == 3


def test_what_may_be_left_out_is_in_brackets(capsys):
    for verb, words in (("app", "[MODEL] [options]"), ("sample", "MODEL [options]")):
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        assert capsys.readouterr().out.startswith(f"usage: ign {verb} {words}\n")


def test_a_function_that_does_not_parse_is_told():
    with pytest.raises(TypeError, match="does not parse arguments"):
        parser_of(lambda words: None)


def test_names_in_help_texts_are_those_of_the_library():
    from ign import anomaly, degrade, export
    from ign.cli import choices
    from ign.data.download import MIRRORS
    from ign.data.splits import SPLITS
    from ign.edit import METHODS
    from ign.io.packaged import packaged

    masks = [k for k, v in degrade.DEGRADATIONS.items() if issubclass(v, degrade.Mask)]
    assert tuple(degrade.DEGRADATIONS) == choices.DEGRADATIONS
    assert tuple(masks) == choices.MASKS
    assert tuple(anomaly.SCORES) == choices.SCORES
    assert tuple(METHODS) == choices.INTERPOLATIONS
    assert tuple(SPLITS) == choices.SPLITS
    assert ("digits", *MIRRORS) == choices.DATA
    assert {k: v.suffix for k, v in export.FORMATS.items()} == choices.EXPORT_FORMATS
    assert packaged() == choices.packaged_models()
