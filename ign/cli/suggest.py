"""Suggestions for words that ``ign`` does not know."""

__all__ = ["did_you_mean", "improve", "train_error", "train_words"]

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

PRESETS = Path(__file__).parents[1] / "training" / "presets"
ALIASES = {
    "lr": "learning-rate", "learning_rate": "learning-rate", "epochs": "steps", "epoch": "steps",
    "iterations": "steps", "max-steps": "steps", "bs": "batch-size", "batch": "batch-size",
    "gpu": "device", "gpus": "trainer.devices", "output": "out", "out-dir": "out",
    "output-dir": "out", "dataset": "data", "data-dir": "data", "width": "network.width",
    "norm": "network.norm", "precision": "trainer.precision", "overwrite": "force",
    "num": "n", "num-samples": "n", "image-size": "size", "resolution": "size",
}  # fmt: skip
"""Option names of other programs, and their names in ``ign``."""
SWITCHES = {
    "--help",
    "-h",
    "--force",
    "--trust-code",
    "--trust_code",
    "--print-config",
    "--print_config",
}
"""Options of ``ign train`` that take no value."""
BOOLEANS = ("flip", "gray", "compile", "skip_broken")
"""Options of ``ign train`` whose value, true or false, may be left out."""
VALUES = ("true", "false", "null", "True", "False", "None")
LONGEST = 200
"""The maximum number of characters of a value or message that is shown."""
LARGEST = 2**20
"""The maximum size of a file of options in bytes."""
EXPECTED = re.compile(
    r'[Pp]arser key "(?P<key>[^"]+)": (?:Does not validate against any of the Union subtypes'
    r" Subtypes: \[(?P<union>.*?)\] Errors: .* Given value: (?P<given>.*?)"
    r"|Expected an? (?P<one><class '\w+'>|typing\.Literal\[.*?\])\.? Got value: (?P<got>.*?))\.?$"
)
"""How jsonargparse reports a value of the wrong type."""
TYPES = re.compile(r"(?<=<class ')[\w.]+|typing\.Literal\[.*?\]")
WORDS = {
    "int": "a whole number", "float": "a finite number", "str": "text", "bool": "true or false",
    "NoneType": "null", "tuple": "numbers separated by commas, such as 0.9,0.999", "list": "a list",
}  # fmt: skip
"""The types of values as people call them."""
CELEBA = (
    "ign does not download CelebA, whose terms allow research only: get img_align_celeba.zip and"
    " list_eval_partition.txt from https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html into one"
    " folder, then type: ign train {preset} --data FOLDER"
)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` for the most similar of the known words, or an empty text."""
    names = list(known)
    alias = ALIASES.get(word.lstrip("-").replace("_", "-"))
    for option in (f"--{alias}", f"-{alias}"):
        if alias and word.startswith("-") and option in names:
            note = " (1 step is one batch)" if "epoch" in word else ""
            return f"; did you mean {option!r}{note}?"
    close = get_close_matches(word, names, 1, 0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def improve(message: str, options: Iterable[str]) -> str:
    """Format an error message of argparse in one line, with a suggestion at its end."""
    message = " ".join(message.split())
    if found := re.search(r"(?:unrecognized arguments:|Option) +'?([^\s']+)", message):
        return message + did_you_mean(found[1].partition("=")[0].rstrip("."), options)
    if found := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message):
        return message + did_you_mean(found[1], re.findall(r"[\w.-]+", found[2]))
    return message


def train_words(words: Sequence[str]) -> list[str]:
    """Reorder the words after ``ign train``, so that the preset comes first.

    The preset can be at any position. An existing folder or zip becomes the value of ``--data``,
    and betas can be written as ``0.9,0.999``.

    Raises:
        ValueError: A word is neither an option, a preset nor an existing path, or the data that a
            preset needs was not given.
    """
    presets = sorted(path.stem for path in PRESETS.glob("*.yaml"))
    options, positional, takes = list[str](), list[str](), False
    for word in _explicit(words):
        if takes or word.startswith("-"):
            options.append(word)
            takes = not takes and "=" not in word and word not in SWITCHES
        else:
            positional.append(word)
    chosen = [word for word in positional if word in presets]
    others = [word for word in positional if word not in presets]
    if len(chosen) > 1 or len(others) > 1:
        raise ValueError(f"give one preset; {' and '.join(chosen if chosen[1:] else others)}")
    if others:
        options += ["--data", _data(others[0], presets, options)]
    preset = chosen[0] if chosen else "folder"
    for before, word in zip(["", *options], options, strict=False):
        if before == "--config" or word.startswith("--config="):
            _check_config(Path(word.removeprefix("--config=")))
    _needs_data(preset, options)
    return [preset, *_betas(options)] if chosen else _betas(options)


def _explicit(words: Sequence[str]) -> list[str]:
    """The words, with ``=true`` after a yes-or-no option that has no value."""
    following = [*words[1:], ""]
    return [
        f"{word}=true" if word.replace("-", "_")[2:] in BOOLEANS and value not in VALUES else word
        for word, value in zip(words, following, strict=True)
    ]


def _given(options: Sequence[str], *names: str) -> bool:
    return any(word.partition("=")[0] in names for word in options)


def _data(word: str, presets: Sequence[str], options: Sequence[str]) -> str:
    """The positional word as the value of ``--data``."""
    if _given(options, "--data"):
        raise ValueError(f"{word!r} and --data: give only one of them")
    if word in ("fashion-mnist",) or Path(word).expanduser().exists():
        return word
    meant = did_you_mean(word, presets) or f"; presets: {', '.join(presets)}"
    raise ValueError(f"{word!r}: no such preset, folder or zip{meant}")


def _needs_data(preset: str, options: Sequence[str]) -> None:
    named = _given(options, "--data", "--config", "--resume", "--help", "-h", "--print-config")
    if named or _given(options, "--print_config"):
        return
    default = re.search(
        r"^data: *(\S+)", (PRESETS / f"{preset}.yaml").read_text(encoding="utf-8"), re.MULTILINE
    )
    if "celeba" in preset and not (default and Path(default[1]).exists()):
        raise ValueError(CELEBA.format(preset=preset))


def _check_config(path: Path) -> None:
    """Refuse a file that holds no options, before it is parsed.

    Raises:
        ValueError: It is not a YAML file of options.
        OSError: It cannot be read.
    """
    import yaml

    if path.exists() and not path.is_file():
        raise ValueError(f"--config {path}: is not a file")
    if path.stat().st_size > LARGEST:
        raise ValueError(
            f"--config {path}: is larger than {LARGEST:,} bytes; give a YAML file of options"
        )
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError(f"--config {path}: is nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:
        text = " ".join(str(error).split())[:LONGEST]
        raise ValueError(f"--config {path}: is not YAML in UTF-8 ({text})") from None
    if not isinstance(found, dict | None):
        raise ValueError(f"--config {path}: has no options; write lines such as steps: 3000")


def _betas(options: list[str]) -> list[str]:
    """Convert ``--betas 0.9,0.999`` to a YAML list."""
    made = list[str]()
    for word in options:
        name, sign, value = word.partition("=")
        after = made[-1:] == ["--betas"]
        if after and "," in word and not word.startswith("["):
            word = f"[{word}]"
        elif name == "--betas" and sign and not value.startswith("["):
            word = f"--betas=[{value}]"
        made.append(word)
    return made


def train_error(message: str, options: Iterable[str]) -> str:
    """Format an error of jsonargparse in one line that names the option and its valid values."""
    text = " ".join(message.split())
    if found := EXPECTED.search(text):
        kinds, value = found["union"] or found["one"], found["given"] or found["got"]
        name = f"--{found['key'].replace('_', '-')}"
        wanted = dict.fromkeys(_kind(kind) for kind in TYPES.findall(kinds))
        return f"{name} {value[:LONGEST]}: must be {' or '.join(wanted)}"
    if found := re.match(r'Parser key "config": (.*)', text):
        return f"--config: {found[1]}"
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return improve(text, [option.replace("_", "-") for option in options])


def _kind(name: str) -> str:
    """A type, or the choices of a Literal, in words."""
    if name.startswith("typing.Literal"):
        choices = re.findall(r"[^\[\]', ]+", name.partition("[")[2])
        return f"one of {', '.join(choices)}"
    return WORDS.get(name, name)
