"""Which evaluations may stand beside each other."""

import copy
import json
import re

import pytest
from PIL import Image

from ign.evaluate.comparison import _limits, bars, compare, read, scatter
from ign.evaluate.tables import markdown

RESULTS = {
    "format": 1,
    "protocol": {
        "features": {"name": "mnist", "sha256": "0" * 64}, "samples": 5000, "neighbours": 5,
        "tolerance": 0.02, "real": {"images": 10000, "sha256": "1" * 64},
        "kernel": {"subsets": 100, "size": 1000}, "seed": 0,
    },
    "rows": [
        {"name": "f(z)", "applications": 1, "frechet": 7.8, "kernel": 0.1, "kernel_std": 0.01,
         "precision": 0.75, "recall": 0.8, "coverage": 0.6, "drift": 0.0168, "still": 0.726},
        {"name": "training images", "frechet": 0.2, "precision": 0.9},
        {"name": "noise", "drift": 1.1},
    ],
}  # fmt: skip


def changed(*path, to):
    results = copy.deepcopy(RESULTS)
    inner = results
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return results


def changed_row(key, to):
    return json.dumps(changed("rows", 0, key, to=to))


DIFFERENCES = {
    "features mnist ffff": (("protocol", "features", "sha256"), "f" * 64),
    "real set 10,000 images ffff": (("protocol", "real", "sha256"), "f" * 64),
    "samples 5,001, not 5,000": (("protocol", "samples"), 5001),
    "k 3, not 5": (("protocol", "neighbours"), 3),
    "kernel 50 subsets of 1000": (("protocol", "kernel", "subsets"), 50),
    "tolerance 0.1": (("protocol", "tolerance"), 0.1),
}


@pytest.mark.parametrize("words", DIFFERENCES)
def test_what_differs_is_marked_and_not_compared(words):
    path, to = DIFFERENCES[words]
    found = compare({"ours": RESULTS, "theirs": changed(*path, to=to), "more": RESULTS})
    assert [row["model"] for row in found.rows] == ["ours", "theirs †", "more"]
    (note,) = found.notes
    assert note.startswith("† not comparable: ")
    assert words in note
    assert [name for name, _ in found.comparable] == ["ours, f(z)", "more, f(z)"]


def test_another_seed_is_comparable():
    found = compare({"a": RESULTS, "b": changed("protocol", "seed", to=1)})
    assert not found.notes
    assert len(found.comparable) == 2


def test_rows_are_those_of_samples_and_columns_those_with_values():
    (row,) = compare({"a": RESULTS}).rows
    assert row == {
        "model": "a", "samples": "f(z)", "Fréchet distance ↓": "7.80",
        "kernel distance ↓": "0.1000", "precision ↑": "0.750", "recall ↑": "0.800",
        "coverage ↑": "0.600", "drift ↓": "0.0168", "drift < 0.02 ↑": "72.6%",
    }  # fmt: skip


def test_distances_of_inception_s_features_have_their_names():
    found = compare({"a": changed("protocol", "features", "name", to="inception")})
    wanted = ["FID ↓", "precision ↑", "recall ↑", "coverage ↑", "drift ↓"]
    assert found.main == ["model", "samples", *wanted]
    assert {"FID ↓", "KID ↓"} < found.rows[0].keys()
    assert "Fréchet distance ↓" not in found.rows[0]


def test_many_marks_differ():
    named = {"a": RESULTS} | {str(i): changed("protocol", "samples", to=i) for i in range(9)}
    marks = [note.split()[0] for note in compare(named).notes]
    assert len(set(marks)) == 9


def test_nothing_to_compare():
    with pytest.raises(ValueError, match="no results"):
        compare({})


def test_plots_show_what_is_comparable(tmp_path):
    other = changed("protocol", "samples", to=7)
    for draw in (bars, scatter):
        alone = draw(compare({"a": RESULTS}), tmp_path / "alone.png")
        with Image.open(alone) as picture:
            pixels = picture.convert("RGB").tobytes()
        with Image.open(draw(compare({"a": RESULTS, "b": other}), tmp_path / "b.png")) as picture:
            assert picture.convert("RGB").tobytes() == pixels
        with Image.open(draw(compare({"a": RESULTS, "b": RESULTS}), tmp_path / "b.png")) as picture:
            assert picture.convert("RGB").tobytes() != pixels


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        ("{", "cannot be read as JSON"),
        ("[]", "not the results of an evaluation of format 1"),
        ('{"format": 2}', "of format 1"),
        ('{"format": 1}', "no 'protocol'"),
        (json.dumps({**RESULTS, "rows": [{"applications": 1}]}), r"no 'rows\[0\].name'"),
        (json.dumps({**RESULTS, "rows": RESULTS["rows"][1:]}), "no row of samples"),
        (json.dumps({**RESULTS, "rows": 3}), "rows cannot be such a number"),
        ("[" * 10_000, "nested too deeply"),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "nested too deeply"),
        ("null", "not the results"),
        ("9" * 5000, "cannot be read as JSON"),
        ('{"format": NaN}', "NaN is not JSON"),
        (changed_row("frechet", [1]), r"rows\[0\].frechet cannot be such a list"),
        (changed_row("frechet", None), r"rows\[0\].frechet cannot be such a NoneType"),
        (changed_row("recall", "0.8"), "recall cannot be such a str"),
        (changed_row("drift", 10**400), "drift cannot be such a number"),
        (changed_row("still", True), "still cannot be such a number"),
        (changed_row("name", None), "name cannot be such"),
        (changed_row("applications", {}), "applications cannot be such a dict"),
        (json.dumps(changed("protocol", to=None)), "protocol cannot be such"),
        (json.dumps(changed("protocol", "samples", to=10**400)), "samples cannot be such"),
        (json.dumps(changed("protocol", "features", to=[])), "features cannot be such"),
        (json.dumps(changed("protocol", "kernel", to=3)), "kernel cannot be such"),
        (json.dumps({**RESULTS, "alarms": [3]}), "alarms cannot be such"),
        (b"\xff\xfe{", "cannot be read as JSON"),
    ],
)
def test_other_files_are_refused_in_one_line(content, words, tmp_path):
    path = tmp_path / "results.json"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for given in (path, tmp_path):
        if content is None and given == path:
            continue
        with pytest.raises(ValueError, match=words) as caught:
            read(given)
        assert "\n" not in str(caught.value)


def test_a_generator_without_drift_is_read(tmp_path):
    row = {k: v for k, v in RESULTS["rows"][0].items() if k not in ("drift", "still")}
    content = json.dumps({**RESULTS, "rows": [row]})
    (tmp_path / "results.json").write_text(content, encoding="utf-8-sig")
    assert read(tmp_path)["rows"] == [row]


HOSTILE = "a|b_[x]<b>$y$\x1b[31m\udcff\\"


def test_hostile_names_are_shown_as_they_are(tmp_path):
    results = changed("rows", 0, "name", to=HOSTILE)
    found = compare({HOSTILE: results, "other": changed("protocol", "samples", to=1)})
    assert found.rows[0]["model"] == "a|b_[x]<b>$y$\\x1b[31m\\xff\\"
    assert found.rows[0]["samples"] == found.rows[0]["model"]
    for draw in (bars, scatter):
        draw(found, tmp_path / "a.png")
    for line in markdown(found.rows, {}, plain=True).splitlines()[2:]:
        cells = re.split(r"(?<!\\)(?:\\\\)*\|", line)
        assert len(cells) == len(found.rows[0]) + 2
    assert r"a\|b\_\[x\]\<b\>\$y\$" in markdown(found.rows, {}, plain=True)


@pytest.mark.parametrize(
    ("key", "values", "wanted"),
    [
        ("recall", [0.834, 0.835], (0.7345, 0.9345)),
        ("precision", [0.99, 1.0], (0.82, 1.02)),
        ("precision", [0.0, 0.01], (-0.02, 0.18)),
        ("precision", [0.0, 1.0], (-0.02, 1.02)),
        ("drift", [0.0168, None], (0.0168 * 0.9, 0.0168 * 1.1)),
        ("drift", [0.0], (-0.5, 0.5)),
        ("frechet", [10.0, 30.0], (7.0, 33.0)),
    ],
)
def test_close_values_look_close(key, values, wanted):
    assert _limits(key, values, False) == pytest.approx(wanted)


def test_read_back(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(RESULTS), encoding="utf-8")
    assert read(tmp_path) == read(tmp_path / "results.json") == RESULTS
