"""Configurations and options of any value."""

import json
import random

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from torture import command, hostile

VALUES = [
    ".nan", ".inf", "-.inf", "1e400", "-1", "0", "1" * 400, "1" * 5000, "true", "null", '""',
    '"\\e[31m"', '"a\\nb"', "[]", "{}", "[1, 2]", "{a: 1}", "!!python/object:os.system x",
    "&a [*a]", "*x", '"\\ud800"', "é", "9223372036854775808", "1.5", "-0.0", "/dev/zero",
    "!!binary aGk=", "2020-01-01", "? a", "0x10", "1_000", "[[[[1]]]]", "1e308", "1e-320",
]  # fmt: skip
FIELDS = [
    "method", "data", "size", "gray", "limit", "flip", "noise", "network.width", "network.norm",
    "objective.distance", "match.weight", "match.anchors", "range", "batch_size", "denoise",
    "steps",
    "learning_rate", "decay", "betas", "ema", "seed", "every", "log_every", "trainer.accelerator",
    "trainer.precision", "trainer.devices",
]  # fmt: skip
LONG = {("steps", "1_000"), ("steps", "0x10"), ("steps", "9223372036854775808")}
"""Runs that are valid and long; and 5,000 images each step."""
TEXTS = [
    b"", b"[" * 5000, b"".join(b" " * i + b"a:\n" for i in range(900)), b"\0\xff\xfe",
    b"\xff\xfea\0",
    b"size: \xff", b'"\\e[31m": 1', b"&a\nsize: *a", b"- 1", b"\tsize: 3", b"x" * 100_000 + b": 1",
    b"config: config.yaml", b"1: 2", b"null: 2", b"? [1, 2]\n: 3", b"size: 8\n---\nsize: 8",
    b"size: 8\nsize: 9", b"a: &a [x,x,x]\nb: &b [*a,*a,*a]\nsize: [*b,*b,*b]",
]  # fmt: skip
YAML = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-9, 9),
        st.integers(),
        st.floats(),
        st.text(max_size=9),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
OPTIONS = {
    "sample": ["-n", "-k", "--seed", "--batch-size", "--device", "--array"],
    "project": ["-k", "--tolerance", "--degrade", "--seed", "--batch-size"],
    "score": ["--score", "--batch-size"],
    "calibrate": ["--data", "--split", "--rate", "--limit"],
    "evaluate": [
        "--data",
        "--samples",
        "-k",
        "--features",
        "--seed",
        "--neighbours",
        "--tolerance",
    ],
    "export": ["--format", "-k", "--seed"],
    "compare": ["--nothing"],
}
ARGUMENTS = ["", "0", "-1", "nan", "inf", "1e400", "1" * 5000, "²", "٣", "1.5", "x\x1b[31m", "a\nb",
             "noise:nan", "noise:1e400", "half:half", "/dev/zero", "-", "--", "\ud800"]  # fmt: skip


def train(attempt, content: bytes) -> None:
    with command.world() as place:
        file = place.inputs / "config.yaml"
        file.write_bytes(content)
        words = ("train", "digits", *command.TINY, "--config", file, "--out", place.out)
        attempt(place, *words, named=("config.yaml", str(place.out), "step"))


@pytest.mark.promise("configs")
def test_any_value_of_any_field(attempt, many):
    tries = [(f, v) for f in FIELDS for v in VALUES if (f, v) not in LONG]
    for field, value in random.Random(1).sample(tries, many(4, 60)):
        train(attempt, (field.replace(".", ":\n  ") + f": {value}\n").encode())


@pytest.mark.promise("configs")
@pytest.mark.parametrize(
    "line", ["method: null", 'method: "\\e[31m"', 'size: "\\e[31m"', "data: /dev/zero", "? a\n: b"]
)
def test_value_that_reaches_a_message(line, attempt):
    train(attempt, line.encode())


@pytest.mark.promise("configs")
def test_any_text(attempt, many):
    for content in random.Random(2).sample(TEXTS, many(3, len(TEXTS))):
        train(attempt, content)


@pytest.mark.promise("configs")
@given(found=st.dictionaries(st.sampled_from(FIELDS), YAML, min_size=1, max_size=2))
def test_any_structure(found, attempt):
    found.pop("steps", None)
    nested: dict = {}
    for name, value in found.items():
        group, _, field = name.rpartition(".")
        if group:
            nested.setdefault(group, {})[field] = value
        else:
            nested[name] = value
    train(attempt, yaml.safe_dump(json.loads(json.dumps(nested))).encode())


@pytest.mark.promise("configs")
@pytest.mark.parametrize("verb", OPTIONS)
def test_any_value_of_any_option(verb, attempt, many, world):
    tries = [(o, v) for o in OPTIONS[verb] for v in ARGUMENTS]
    picture = world.inputs / "a.png"
    picture.write_bytes(hostile.image())
    own = {"score": [picture], "project": [picture, "--out", world.out], "export": []}
    for option, value in random.Random(3).sample(tries, min(len(tries), many(3, 20))):
        words = [verb, "digits", *own.get(verb, ["--out", world.out])]
        words += ["--out", world.out / "a.onnx"] if verb == "export" else []
        force = [] if verb == "score" else ["--force"]
        attempt(world, *words, *force, f"{option}={value}" if option[1] == "-" else option, *(
            [] if option[1] == "-" else [value]
        ), named=("a.png", str(world.out)))  # fmt: skip
