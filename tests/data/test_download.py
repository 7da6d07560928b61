import functools
import gzip
import hashlib
import http.server
import threading

import numpy as np
import pytest

from ign import data
from ign.data import download

FILES = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"]


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; of a file ``cut`` it announces more than it sends."""

    def send_header(self, keyword, value):
        cut = keyword == "Content-Length" and "/cut/" in self.path
        super().send_header(keyword, str(int(value) + 1000) if cut else value)

    def log_message(self, *_):
        self.server.asked.append(self.path)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Four small files at /good/, altered ones at /bad/ and truncated ones at /cut/."""
    for folder in ("good", "bad", "cut"):
        (tmp_path / "www" / folder).mkdir(parents=True)
    sums = {}
    for i, name in enumerate(FILES):
        shape = (7, 5, 5) if "images" in name else (7,)
        values = np.full(shape, i, np.uint8)
        header = bytes((0, 0, 8, values.ndim)) + np.array(shape, ">u4").tobytes()
        content = gzip.compress(header + values.tobytes())
        sums[name[:-5]] = hashlib.sha256(content).hexdigest()
        for folder, sent in (("good", content), ("bad", content + b"!"), ("cut", content)):
            (tmp_path / "www" / folder / f"{name}-ubyte.gz").write_bytes(sent)
    handler = functools.partial(Handler, directory=str(tmp_path / "www"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.asked = []
        thread = threading.Thread(target=functools.partial(server.serve_forever, 0.01))
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}"

        def mirrors(*folders):
            monkeypatch.setitem(download.MIRRORS, "mnist", [f"{address}/{f}/" for f in folders])

        monkeypatch.setitem(download.SHA256, "mnist", sums)
        server.mirrors = mirrors
        yield server
        server.shutdown()
        thread.join()


def test_files_are_fetched_once_and_only_those_of_the_split(server, own_cache):
    server.mirrors("good")
    images = data.load("mnist", progress=True)
    assert images.images.shape == (7, 1, 5, 5)
    assert images.labels.tolist() == [1] * 7
    assert sorted(p.name for p in (own_cache / "mnist").iterdir()) == [
        "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
    ]  # fmt: skip
    asked = len(server.asked)
    data.load("mnist")
    assert len(server.asked) == asked
    assert len(data.load("mnist", split="all")) == 14
    assert len(server.asked) == asked + 2


def test_the_next_mirror_is_tried(server, tmp_path):
    server.mirrors("missing", "bad", "cut", "good")
    assert data.load("mnist", cache=tmp_path / "c").images.max() == 0
    assert len(list((tmp_path / "c" / "mnist").iterdir())) == 2


@pytest.mark.parametrize(
    ("mirror", "why"), [("bad", "checksum"), ("cut", "truncated"), ("missing", "404")]
)
def test_what_fails_leaves_nothing_behind_and_says_what_to_do(server, own_cache, mirror, why):
    server.mirrors(mirror)
    with pytest.raises(data.DataError, match=why) as caught:
        data.load("mnist")
    message = str(caught.value)
    assert message.count("\n") == 1
    for part in ("train-images-idx3-ubyte.gz", str(own_cache / "mnist"), "give a folder", mirror):
        assert part in message
    assert not list(own_cache.rglob("*.*"))


def test_offline_is_one_clear_error(server, monkeypatch):
    monkeypatch.setitem(download.MIRRORS, "mnist", ["http://127.0.0.1:9/"])
    with pytest.raises(data.DataError, match="cannot be downloaded; put it and the other three"):
        data.load("mnist")


def test_files_put_there_by_hand_are_used(server, own_cache, tmp_path):
    (own_cache / "mnist").mkdir(parents=True)
    for name in FILES:
        packed = (tmp_path / "www/good" / f"{name}-ubyte.gz").read_bytes()
        (own_cache / "mnist" / f"{name}-ubyte").write_bytes(gzip.decompress(packed))
    server.mirrors()
    assert len(data.load("mnist", split="all")) == 14


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_every_file_has_a_checksum_and_every_mirror_ends_in_a_slash(name):
    assert sorted(download.SHA256[name]) == sorted(file[:-5] for file in FILES)
    assert all(len(s) == 64 for s in download.SHA256[name].values())
    assert all(mirror.endswith("/") for mirror in download.MIRRORS[name])
