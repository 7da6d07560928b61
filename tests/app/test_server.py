"""The server: what it answers, what it refuses, what it leaves behind."""

import asyncio
import os
import tempfile
import time

import pytest

from ign.app import server
from ign.app.server import Gate


def answer(path: str, body: list[bytes] = (), headers: dict[str, str] | None = None):
    """The status for a request, and how many bytes came through."""
    sent, got, parts = [], [], list(body) or [b""]

    async def inside(scope, receive, send):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            got.append(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive():
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message):
        sent.append(message)

    named = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
    scope = {"type": "http", "path": path, "headers": named, "method": "POST"}
    asyncio.run(Gate(inside)(scope, receive, send))
    return (sent[0]["status"] if sent else None), sum(map(len, got))


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd", "/file=/etc/passwd", "/gradio_api/file=x",
        "/gradio_api/proxy=http://x/", "/gradio_api/info", "/gradio_api/api/predict", "/docs",
        "/openapi.json", "/gradio_api/stream/x", "/monitoring", "/gradio_api/run/predict",
        "/gradio_api/call/x", "/x", "//", "/gradio_api/component_server",
    ],
)  # fmt: skip
def test_what_the_page_does_not_need_is_not_there(path):
    assert answer(path) == (404, 0)


@pytest.mark.parametrize("path", ["/", "/theme.css", "/gradio_api/queue/join"])
def test_what_the_page_needs_is_there(path):
    assert answer(path, [b"abc", b"de"]) == (200, 5)


@pytest.mark.parametrize("length", ["10000001", "-1", "many"])
def test_a_large_request_is_refused_before_it_is_read(length):
    status, count = answer("/gradio_api/queue/join", [b"x"], {"Content-Length": length})
    assert (status, count) == (413, 0)


def test_a_request_that_hides_its_length_is_cut(monkeypatch):
    monkeypatch.setattr(server, "BODY", 10)
    monkeypatch.setattr(server, "UPLOAD", 100)
    status, count = answer("/gradio_api/queue/join", [b"123456"] * 5)
    assert status is None
    assert count <= 10
    assert answer("/gradio_api/upload", [b"123456"] * 5) == (200, 30)


def test_its_folder_goes_and_the_usual_one_comes_back():
    before = tempfile.gettempdir()
    with server._own_folder() as folder:
        assert tempfile.gettempdir() == str(folder)
        (folder / "left.png").write_bytes(b"x")
    assert not folder.exists()
    assert tempfile.gettempdir() == before
    assert "GRADIO_TEMP_DIR" not in os.environ


def test_what_nobody_reads_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(server, "STALE", 0.2)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "old.png").write_bytes(b"x")
    with server._swept(tmp_path):
        for _ in range(100):
            time.sleep(0.05)
            if not (tmp_path / "deep" / "old.png").exists():
                break
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_port_that_is_taken_is_told():
    with server._listener("127.0.0.1", 0) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(ValueError, match=rf"--port {number}: .*in use"):
            server._listener("127.0.0.1", number)
    with server._listener("127.0.0.1", None) as first, server._listener("127.0.0.1", None) as next_:
        assert 7860 <= first.getsockname()[1] < next_.getsockname()[1] < 7960
