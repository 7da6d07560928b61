"""The server's addresses, its folder, and what it leaves behind."""

import ipaddress
import os
import socket
import tempfile
import threading
import time

import pytest

from ign.app import server, uploads
from ign.app.uploads import Uploads


def test_its_folder_goes_and_the_usual_one_comes_back():
    before = tempfile.gettempdir()
    with server._own_folder() as folder:
        assert tempfile.gettempdir() == str(folder)
        (folder / "left.png").write_bytes(b"x")
    assert not folder.exists()
    assert tempfile.gettempdir() == before
    assert "GRADIO_TEMP_DIR" not in os.environ


def test_uploads_that_nobody_reads_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "STALE", 0.2)
    files = Uploads(tmp_path)
    one = uploads.Reservation(files, "a", 100)
    one.begin("old.png")
    one.write(b"x")
    one.end()
    with server._swept(files):
        for _ in range(100):
            time.sleep(0.05)
            if not list(tmp_path.iterdir()):
                break
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_named():
    with server._listener("127.0.0.1", 0) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(ValueError, match=rf"--port {number}: .*in use"):
            server._listener("127.0.0.1", number)
    with server._listener("127.0.0.1", None) as first, server._listener("127.0.0.1", None) as next_:
        assert 7860 <= first.getsockname()[1] < next_.getsockname()[1] < 7960


@pytest.mark.parametrize("host", ["256.1.1.1", "1.2.3", "", "::g", "no such host", "a" * 300])
def test_an_address_that_is_not_valid_is_one_line(host):
    with pytest.raises(ValueError, match="is not an address of this machine") as caught:
        server._listener(host, 0)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
@pytest.mark.parametrize(
    ("host", "shown"),
    [("::1", "[::1]"), ("::", "[::1]"), ("0.0.0.0", "127.0.0.1"), ("localhost", "localhost")],
)
def test_the_address_is_one_that_a_browser_opens(host, shown):
    assert server._shown(host) == shown
    try:
        listener = server._listener(host, 0)
    except ValueError as error:
        pytest.skip(f"no {host} here: {error}")
    with listener:
        assert ipaddress.ip_address(listener.getsockname()[0])
        port = listener.getsockname()[1]
        with socket.create_connection((shown.strip("[]"), port), timeout=5):
            pass


def test_the_process_is_ended_by_force(monkeypatch, tmp_path):
    monkeypatch.setattr(server, "GRACE", 0.05)
    ended = threading.Event()
    codes = []
    monkeypatch.setattr(server.os, "_exit", lambda code: (codes.append(code), ended.set()))
    (tmp_path / "folder").mkdir()
    server._end_by_force(15, tmp_path / "folder")
    assert ended.wait(5)
    assert codes == [143]
    assert not (tmp_path / "folder").exists()
