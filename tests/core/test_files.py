"""Files that are complete or absent."""

import errno
import os
from pathlib import Path

import pytest

from ign.core.files import atomic, check_writable


def test_a_name_as_long_as_the_disk_allows(tmp_path):
    path = tmp_path / ("x" * 251 + ".png")
    with atomic(path) as file:
        assert file.suffix == ".png"
        file.write_bytes(b"1")
    assert path.read_bytes() == b"1"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_full_disk_names_the_file_and_keeps_the_former_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before", encoding="utf-8")

    def fill():
        with atomic(path) as file:
            file.write_text("half", encoding="utf-8")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left") as error:
        fill()
    assert error.value.filename == str(path)
    assert path.read_text(encoding="utf-8") == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_another_error_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as error, atomic(tmp_path / "a"):
        (tmp_path / "other").read_bytes()
    assert error.value.filename == str(tmp_path / "other")


def test_writable_or_not(tmp_path):
    check_writable(tmp_path / "new" / "deep" / "a.png")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "a.png", tmp_path / ("x" * 300), "/proc/new/a.png"):
        with pytest.raises(OSError, match=r"\[Errno") as error:
            check_writable(path)
        assert error.value.filename == str(path)


def test_a_file_reaches_the_disk_before_its_name(tmp_path, monkeypatch):
    """Without the flush, a power failure could leave an empty file under the final name."""
    done: list[str] = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda number: done.append("sync") or sync(number))
    monkeypatch.setattr(Path, "replace", lambda a, b: done.append("rename") or replace(a, b))
    path = tmp_path / "file.txt"
    path.write_text("before", encoding="utf-8")
    before = path.stat().st_ino
    with atomic(path) as part:
        part.write_text("after", encoding="utf-8")
    assert done == ["sync", "rename"]
    assert path.read_text(encoding="utf-8") == "after"
    assert path.stat().st_ino != before, "the new file itself has the name, and not a copy"
    with atomic(path, durable=False) as part:
        part.write_text("", encoding="utf-8")
    assert done == ["sync", "rename", "rename"]
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]
