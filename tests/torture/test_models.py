"""Models whose files lie."""

import json
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load, save
from torture import command, hostile

import ign

DIGITS = Path(ign.__file__).parent / "models" / "digits"
CONFIG = (DIGITS / "config.json").read_text(encoding="utf-8")
WEIGHTS = (DIGITS / "model.safetensors").read_bytes()
VALUES: list[Any] = [
    None, True, -1, 0, 0.5, 1e308, float("nan"), float("inf"), 10**400, 2**63, 10**9, "", "x" * 999,
    [], {}, [1], {"name": 1}, "\x1b[31m", "a\nb", "<script>",
]  # fmt: skip
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)
DEEP = {"arrays": "[" * 100_000, "objects": '{"a":' * 50_000}


def use(attempt, config: str | bytes, weights: bytes) -> list[int]:
    """The status of each command on a model: all 2 where it is refused when it is read."""
    with command.world() as place:
        model, picture = place.inputs / "model", place.inputs / "a.png"
        model.mkdir()
        content = config if isinstance(config, bytes) else config.encode("utf-8", "surrogatepass")
        (model / "config.json").write_bytes(content)
        (model / "model.safetensors").write_bytes(weights)
        picture.write_bytes(hostile.image())
        named = ("config.json", "model.safetensors")
        found = [attempt(place, "info", model, named=named).status]
        if found == [0]:
            found += [
                attempt(place, "info", model, "--json").status,
                attempt(place, "score", model, picture).status,
                attempt(place, "sample", model, "-n", 2, "--out", place.out / "s").status,
                attempt(place, "push", model, "a/b", "--dry-run", "--out", place.out / "p").status,
            ]
        assert set(found) <= {0, 2}
        return found


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else ()
    for key, part in enumerate(value) if isinstance(value, list) else inner:
        yield from places(part, (*path, key))


def replaced(path: tuple[Any, ...], value: Any) -> str:
    """The configuration with another value at one place."""
    whole = {"": json.loads(CONFIG)}
    part: Any = whole
    for key in ("", *path)[:-1]:
        part = part[key]
    part[("", *path)[-1]] = value
    return json.dumps(whole[""])


@pytest.mark.promise("models")
def test_any_value_at_any_place(attempt, many):
    tries = [(p, v) for p in places(json.loads(CONFIG)) for v in VALUES]
    for path, value in random.Random(0).sample(tries, many(6, 120)):
        use(attempt, replaced(path, value), WEIGHTS)


@pytest.mark.promise("models")
@pytest.mark.parametrize("value", ["\x1b[31m", 2**63], ids=["escape", "2^63"])
@pytest.mark.parametrize("path", [("network", "width"), ("about", "data"), ("distance",)], ids=str)
def test_value_that_reaches_a_message(path, value, attempt):
    use(attempt, replaced(path, value), WEIGHTS)


@pytest.mark.promise("models")
@given(found=JSON)
def test_any_json(found, attempt):
    assert use(attempt, json.dumps(found), WEIGHTS) == [2]
    use(attempt, json.dumps(json.loads(CONFIG) | {"about": found}), WEIGHTS)


@pytest.mark.promise("models")
@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_json(text, attempt):
    assert use(attempt, text, WEIGHTS) == [2]
    use(attempt, CONFIG.rstrip()[:-1] + ', "more": ' + "[" * 5000 + "]" * 5000 + "}", WEIGHTS)


@pytest.mark.promise("models")
@pytest.mark.parametrize("digits", [400, 5000])
def test_long_number(digits, attempt):
    text = CONFIG.replace('"format": 1', '"format": ' + "1" * digits)
    assert use(attempt, text, WEIGHTS) == [2]


@pytest.mark.promise("models")
def test_damaged_files(attempt, many):
    for config in hostile.damaged(CONFIG.encode(), many(3, 30)):
        use(attempt, config, WEIGHTS)
    for weights in hostile.damaged(WEIGHTS, many(3, 30), head=2000):
        use(attempt, CONFIG, weights)
    for size in (2**63, 10**9):
        assert use(attempt, CONFIG, struct.pack("<Q", size) + WEIGHTS[8:]) == [2]


@pytest.mark.promise("models")
@pytest.mark.parametrize(
    "name", ["bool", "uint8", "int64", "complex64", "float8_e4m3fn", "float8_e5m2", "float64"]
)
def test_type_of_weights(name, attempt):
    kind = getattr(torch, name)
    state = {k: v.to(kind) for k, v in load(WEIGHTS).items()}
    found = use(attempt, CONFIG, save(state))
    assert found == [2] or name.startswith("float")


@pytest.mark.promise("models")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e300, 1e38, 1e30, 0.0])
def test_value_of_weights(value, attempt):
    state = {
        k: torch.full_like(v, value, dtype=torch.float64) if v.is_floating_point() else v
        for k, v in load(WEIGHTS).items()
    }
    found = use(attempt, CONFIG, save(state))
    assert found == [2] or abs(value) < 1e39


@pytest.mark.promise("models")
def test_tensors_that_are_not_the_models(attempt):
    state = load(WEIGHTS)
    first = next(iter(state))
    for other in (
        {k: v for k, v in state.items() if k != first},
        state | {first: torch.ones(1)},
        state | {"\x1b[31m": torch.ones(1)},
        {},
    ):
        assert use(attempt, CONFIG, save(other)) == [2]
