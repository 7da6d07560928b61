"""A folder of results: all or nothing, and only its own files are replaced."""

import json

import pytest

from ign.core.folder import MANIFEST, output_folder


def put(folder, *names, force=True, text="new"):
    with output_folder(folder, force) as out:
        for name in names:
            (out.work / name).parent.mkdir(parents=True, exist_ok=True)
            (out.work / name).write_text(text, encoding="utf-8")


def fail(folder, error):
    with output_folder(folder, True) as out:
        (out.work / "a").write_text("half", encoding="utf-8")
        raise error


def there(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_results_of_an_earlier_call_go_and_the_users_own_files_stay(tmp_path):
    out = tmp_path / "deep" / "out"
    put(out, "grid.png", "f1/0.png", "f1/1.png", "f2/0.png", force=False)
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    (out / "f2" / "notes.txt").write_text("mine", encoding="utf-8")
    put(out, "grid.png", "f1/0.png", text="second")
    assert there(out) == [MANIFEST, "f1/0.png", "f2/notes.txt", "grid.png", "mine.txt"]
    assert (out / "grid.png").read_text(encoding="utf-8") == "second"
    put(out, "f3/0.png")
    assert there(out) == [MANIFEST, "f2/notes.txt", "f3/0.png", "mine.txt"]
    assert not (out / "f1").exists()


def test_a_file_that_is_not_a_result_is_never_replaced(tmp_path):
    (tmp_path / "grid.png").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match=r"grid\.png is there and was not written by ign"):
        put(tmp_path, "a.png", "grid.png")
    assert there(tmp_path) == ["grid.png"]
    assert (tmp_path / "grid.png").read_text(encoding="utf-8") == "mine"


def test_without_force_the_folder_must_be_empty(tmp_path):
    put(tmp_path / "out", "a", force=False)
    with pytest.raises(ValueError, match="is not empty"):
        put(tmp_path / "out", "b", force=False)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="is a file"):
        put(tmp_path / "file", "b")


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_everything_as_it_was(tmp_path, error):
    put(tmp_path / "out", "a", text="old")
    before = there(tmp_path)
    for folder in (tmp_path / "out", tmp_path / "new" / "deep"):
        with pytest.raises(error):
            fail(folder, error)
    assert there(tmp_path) == before
    assert (tmp_path / "out" / "a").read_text(encoding="utf-8") == "old"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["../precious", "/precious", "link/precious"])
def test_a_manifest_cannot_lead_out_of_the_folder(tmp_path, name):
    precious = tmp_path / "precious"
    precious.write_text("mine", encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    (out / "link").symlink_to(tmp_path)
    listed = str(precious) if name.startswith("/") else name
    (out / MANIFEST).write_text(json.dumps({"files": [listed]}), encoding="utf-8")
    put(out, "a")
    assert precious.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("listed", [[], ["f1/0.png"]])
def test_nothing_is_written_through_a_link_that_leads_out_of_the_folder(tmp_path, listed):
    others, out = tmp_path / "others", tmp_path / "out"
    others.mkdir()
    out.mkdir()
    if listed:
        (others / "0.png").write_text("mine", encoding="utf-8")
    (out / "f1").symlink_to(others)
    (out / MANIFEST).write_text(json.dumps({"files": listed}), encoding="utf-8")
    before = {p.name: p.read_text(encoding="utf-8") for p in others.iterdir()}
    with pytest.raises(ValueError, match=r"f1/0\.png would be written through a link"):
        put(out, "f1/0.png")
    assert {p.name: p.read_text(encoding="utf-8") for p in others.iterdir()} == before
    assert there(out) == [MANIFEST]


@pytest.mark.parametrize("text", ["", "[1", "[]", '{"files": 3}', '{"files": [1]}', "[" * 10**5])
def test_a_damaged_manifest_removes_nothing(tmp_path, text):
    (tmp_path / MANIFEST).write_text(text, encoding="utf-8")
    (tmp_path / "b").touch()
    put(tmp_path, "a")
    assert there(tmp_path) == [MANIFEST, "a", "b"]
