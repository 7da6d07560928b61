"""Uploads: how they are read, whose they are, how much there may be, and what removes them."""

import asyncio
import os

import pytest

from ign.app import requests, uploads
from ign.app.requests import Body, read_upload
from ign.app.uploads import Refused, Reservation, Uploads

LEAST = uploads.LEAST


@pytest.fixture
def files(tmp_path) -> Uploads:
    return Uploads(tmp_path / "uploads")


def given(files: Uploads, visitor: str, name: str = "a.png", content: bytes = b"abc") -> str:
    one = Reservation(files, visitor, 10**9)
    one.begin(name)
    one.write(content)
    one.end()
    return one.identifiers[0]


def form(*named: tuple[str, bytes], end: bytes = b"--x--\r\n") -> bytes:
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\n%s\r\n'
        % (name.encode(), content)
        for name, content in named
    ]
    return b"".join(parts) + end


def sent(
    files: Uploads, pieces: list[bytes], visitor: str = "a", most: int = 1000, pause: float = 0
) -> list[str]:
    """Upload a form that comes in pieces."""
    left = list(pieces)

    async def receive():
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    body = Body(receive, "0", 10**6)
    kind = "multipart/form-data; boundary=x"
    return asyncio.run(read_upload(body, kind, files, visitor, most))


def left(files: Uploads) -> list[str]:
    return [p.name for p in files._folder.rglob("*") if p.is_file()]


def test_a_form_in_any_pieces_gives_its_files(files):
    content = form(("one.png", b"1" * 500), ("two words.png", b"\r\n--x-no\r\n"))
    for step in (1, 7, len(content)):
        pieces = [content[i : i + step] for i in range(0, len(content), step)]
        found = [files.find(key, "a").path for key in sent(files, pieces)]
        assert [path.name for path in found] == ["one.png", "two words.png"]
        assert [path.read_bytes() for path in found] == [b"1" * 500, b"\r\n--x-no\r\n"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"), ("/etc/passwd", "passwd"), ("a\\b.png", "b.png"),
        ("..", "file"), (".hidden", "hidden"), ("a\x00\x1b[2Jb.png", "a[2Jb.png"),
        ("ä" * 300 + ".png", "ä" * 98 + ".png"), ("x/", "file"), ("\u202egnp.a", "gnp.a"),
    ],
)  # fmt: skip
def test_a_name_is_the_last_part_and_printable(files, name, kept):
    path = files.find(given(files, "a", name), "a").path
    assert path.name == kept
    assert path.parent.parent == files._folder


def test_only_its_visitor_finds_a_file(files):
    key = given(files, "a")
    path = str(files.find(key, "a").path)
    for wrong in ((key, "b"), (path, "a"), (key + "x", "a"), (None, "a"), ([key], "a")):
        with pytest.raises(KeyError):
            files.find(*wrong)
    assert files.paths({"path": path}) == [path]
    assert files.paths(None) == []


def test_only_its_own_regular_files_are_read_and_removed(files, tmp_path):
    key = given(files, "a")
    path, beside = files.find(key, "a").path, tmp_path / "beside.png"
    beside.write_bytes(b"x")
    for wrong in (str(beside), str(path.parent), f"{path.parent}/../{path.parent.name}/a.png", 5):
        with pytest.raises(ValueError, match="upload it again"):
            files.paths([{"path": wrong}])
    files.discard([str(beside), str(tmp_path)])
    assert beside.exists()
    path.unlink()
    path.symlink_to(beside)
    with pytest.raises(ValueError, match="regular"):
        files.paths({"path": str(path)})
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ValueError, match="regular"):
        files.paths({"path": str(path)})
    files.discard([str(path)])
    assert beside.read_bytes() == b"x"
    assert left(files) == []


def test_a_visitor_and_all_together_have_a_bound(files, monkeypatch):
    monkeypatch.setattr(uploads, "VISITOR", 3 * LEAST)
    monkeypatch.setattr(uploads, "TOTAL", 5 * LEAST)
    first = given(files, "a", content=b"x" * LEAST * 2)
    given(files, "a")
    with pytest.raises(Refused, match="together"):
        given(files, "a")
    given(files, "b", content=b"x" * 2 * LEAST)
    with pytest.raises(Refused, match="too many uploads") as caught:
        given(files, "c")
    assert caught.value.status == 503
    files.discard([str(files.find(first, "a").path)])
    given(files, "c", content=b"x" * 2 * LEAST)
    assert files._bytes == {"a": LEAST, "b": 2 * LEAST, "c": 2 * LEAST}


def test_what_arrives_is_counted_before_it_is_whole(files, monkeypatch):
    monkeypatch.setattr(uploads, "VISITOR", 2 * LEAST)
    half = Reservation(files, "a", 10**9)
    half.begin("a.png")
    half.write(b"x" * 2 * LEAST)
    with pytest.raises(Refused):
        given(files, "a")
    half.cancel()
    given(files, "a")


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([form(("a.png", b"x" * 1001))], "a.png: over"),
        ([form(("a.png", b"x"), ("b.png", b"x" * 1001))], "b.png: over"),
        ([form(("a.png", b"x"), end=b"no end")], "form"),
        ([b"no form"], "form"),
        ([form(("", b"x"))], "files only"),
    ],
)
def test_nothing_is_kept_of_what_is_refused(files, pieces, words):
    with pytest.raises(Refused, match=words):
        sent(files, pieces)
    assert left(files) == []
    assert not files._bytes


def test_a_slow_upload_is_cut(files, monkeypatch):
    monkeypatch.setattr(requests, "IDLE", 0.1)
    with pytest.raises(Refused, match="too slowly"):
        sent(files, [form(("a.png", b"x"))], pause=0.5)
    monkeypatch.setattr(requests, "IDLE", 10)
    monkeypatch.setattr(requests, "PATIENCE", 0.3)
    content = form(("a.png", b"x" * 100))
    with pytest.raises(Refused, match="too slowly"):
        sent(files, [content[i : i + 1] for i in range(len(content))], pause=0.05)
    assert left(files) == []
    assert not files._bytes


@pytest.mark.parametrize("length", ["1000001", "-1", "many", "", "9" * 5000, "²"])
def test_a_large_request_is_refused_before_it_is_read(length):
    with pytest.raises(Refused, match="over 1 MB"):
        Body(None, length, 10**6)


def test_a_request_that_hides_its_length_is_cut():
    pieces = [b"123456"] * 5

    async def receive():
        return {"type": "http.request", "body": pieces.pop(), "more_body": True}

    with pytest.raises(Refused, match="over"):
        asyncio.run(Body(receive, "0", 10).read())
    assert len(pieces) == 3
