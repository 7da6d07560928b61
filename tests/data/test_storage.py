import errno
import os
import time

import numpy as np
import pytest
import torch

from ign import data
from ign.data import reading, sources, storage


@pytest.fixture
def decoded(monkeypatch):
    """How many images were decoded, as the length of a list."""
    seen, decode = [], sources.decode
    monkeypatch.setattr(sources, "decode", lambda *a, **k: (seen.append(a), decode(*a, **k))[1])
    return seen


def kept(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_second_load_does_not_decode(tmp_path, fill, decoded):
    folder, cache = fill(tmp_path / "f", 10), tmp_path / "c"
    (folder / "broken.png").write_bytes(b"")
    for i in range(10, 30):
        (folder / f"{i}.png").write_bytes((folder / "00.png").read_bytes())
    first = data.load(folder, split="all", cache=cache)
    count = len(decoded)
    again = data.load(folder, split="all", cache=cache)
    plain = data.load(folder, split="all")
    assert (count, len(decoded)) == (31, 62)
    for other in (again, plain):
        assert torch.equal(first.images, other.images)
        assert first.names == other.names
        assert first.skipped == other.skipped == [("broken.png", "not an image of a known format")]
    assert len(kept(cache)) == 1
    assert np.array_equal(np.load(kept(cache)[0]), first.images.numpy())


def test_nothing_is_kept_unless_asked_for(tmp_path, fill, own_cache):
    data.load(fill(tmp_path / "f", 3))
    data.load("digits", cache=tmp_path / "c")
    assert not own_cache.exists()
    assert not (tmp_path / "c").exists()


def test_too_many_bytes_for_memory_are_mapped(tmp_path, fill, own_cache, monkeypatch):
    folder = fill(tmp_path / "f", 40)
    plain = data.load(folder)
    monkeypatch.setattr(reading, "Memory", None)
    mapped = data.load(folder, memory_limit=len(plain) * 3 * 16 * 16 - 1)
    assert torch.equal(plain.images, mapped.images)
    assert torch.equal(plain.batch(torch.tensor([3, 1])), mapped.batch(torch.tensor([3, 1])))
    assert [path.parent for path in kept(own_cache)] == [own_cache / "images"]
    digits = data.load("digits", memory_limit=100)
    assert torch.equal(digits.images, data.load("digits").images)
    assert torch.equal(digits.labels, data.load("digits").labels)
    assert len(kept(own_cache)) == 2


@pytest.mark.parametrize("change", ["content", "time", "added", "renamed", "moved"])
def test_a_changed_source_is_not_mistaken(tmp_path, fill, draw, decoded, change):
    folder, cache = fill(tmp_path / "f", 6), tmp_path / "c"
    data.load(folder, split="all", cache=cache)
    decoded.clear()
    if change == "content":
        draw(99, (16, 16)).resize((12, 12)).resize((16, 16)).save(folder / "03.png")
    elif change == "time":
        os.utime(folder / "03.png", (1, 1))
    elif change == "added":
        draw(99).save(folder / "06.png")
    elif change == "renamed":
        (folder / "03.png").rename(folder / "10.png")
    else:
        (tmp_path / "g").mkdir()
        folder = folder.rename(tmp_path / "g" / "f")
    images = data.load(folder, split="all", cache=cache)
    assert len(decoded) == len(images) == 6 + (change == "added")
    assert torch.equal(images.images, data.load(folder, split="all").images)


def test_every_choice_has_its_own_file(tmp_path, fill):
    folder, cache = fill(tmp_path / "f", 8), tmp_path / "c"
    choices = [
        {}, {"size": 8}, {"gray": True}, {"limit": 3}, {"split": "all"}, {"split": "test"},
    ]  # fmt: skip
    for choice in choices * 2:
        images = data.load(folder, cache=cache, **choice)
        assert torch.equal(images.images, data.load(folder, **choice).images)
    assert len(kept(cache)) == len(choices)


def test_an_interrupted_write_leaves_nothing(tmp_path, fill, monkeypatch):
    folder, cache = fill(tmp_path / "f", 40), tmp_path / "c"
    append, calls = storage.CacheFile.append, []

    def interrupted(self, block):
        calls.append(block)
        if len(calls) == 2:
            raise KeyboardInterrupt
        append(self, block)

    monkeypatch.setattr(storage.CacheFile, "append", interrupted)
    with pytest.raises(KeyboardInterrupt):
        data.load(folder, cache=cache)
    assert kept(cache) == []
    assert len(data.load(folder, cache=cache)) > 30


def test_a_temporary_file_of_a_killed_process_is_ignored_and_later_removed(tmp_path, fill):
    folder, cache = fill(tmp_path / "f", 6), tmp_path / "c"
    data.load(folder, cache=cache)
    (whole,) = kept(cache)
    fresh, old = (whole.with_name(f".{whole.stem}-{i}{whole.suffix}") for i in range(2))
    for path in (fresh, old):
        path.write_bytes(whole.read_bytes()[:-50])
    os.utime(old, (time.time() - 2 * storage.STALE,) * 2)
    whole.unlink()
    assert len(data.load(folder, cache=cache)) == 5
    assert sorted(kept(cache)) == sorted([whole, fresh])


@pytest.mark.parametrize(
    "spoil", [lambda b: b[:-1], lambda b: b[:300], lambda b: b"", lambda b: b"x" * 99]
)
def test_a_file_that_was_cut_short_is_written_anew(tmp_path, fill, decoded, spoil):
    folder, cache = fill(tmp_path / "f", 6), tmp_path / "c"
    first = data.load(folder, cache=cache).images.clone()
    (path,) = kept(cache)
    path.write_bytes(spoil(path.read_bytes()))
    decoded.clear()
    assert torch.equal(data.load(folder, cache=cache).images, first)
    assert len(decoded) == 5


@pytest.mark.parametrize("method", ["append", "finish"])
def test_a_full_disk_is_a_clear_error(tmp_path, fill, monkeypatch, method):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(storage.CacheFile, method, full)
    with pytest.raises(
        data.DataError, match="cannot be written: No space left on device; free space"
    ):
        data.load(fill(tmp_path / "f", 6), cache=tmp_path / "c")
    assert kept(tmp_path / "c") == []


def test_too_little_space_is_told_before_anything_is_decoded(tmp_path, fill, decoded, monkeypatch):
    usage = type("Usage", (), {"free": 100})
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(data.DataError, match="No space left"):
        data.load(fill(tmp_path / "f", 6), cache=tmp_path / "c")
    assert not decoded
    assert kept(tmp_path / "c") == []


def test_a_limit_on_file_size_is_a_clear_error(tmp_path, fill):
    resource = pytest.importorskip("resource")
    folder = fill(tmp_path / "f", 30, size=(64, 64))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(data.DataError, match="File too large"):
            data.load(folder, cache=tmp_path / "c")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert kept(tmp_path / "c") == []


def test_a_cache_folder_that_cannot_be_made_is_a_clear_error(tmp_path, fill):
    (tmp_path / "c").write_text("a file", encoding="utf-8")
    with pytest.raises(data.DataError, match=r"cannot be written: .*cache= or .* IGN_CACHE"):
        data.load(fill(tmp_path / "f", 3), cache=tmp_path / "c")


def test_the_cache_folder_is_the_argument_or_the_environment_or_in_the_home(tmp_path, monkeypatch):
    assert storage.cache_folder(tmp_path / "x") == tmp_path / "x"
    assert storage.cache_folder() == tmp_path / "own-cache"
    monkeypatch.delenv("IGN_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert storage.cache_folder() == tmp_path / ".cache" / "ign"
