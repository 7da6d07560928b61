"""Attacks on a running server by a client that posts what it wants."""

import http.client
import http.server
import io
import json
import math
import os
import signal
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from attacker import Client
from drawings import seven
from PIL import Image

from ign.app import connections, gate, limit, reading, requests, server, sessions, uploads
from ign.app.markup import data_url

pytest.importorskip("gradio", reason="gradio is not installed")

PLACES = {
    "real": ("real-upload", "upload"),
    "edit": ("edit-upload", "upload"),
    "score": ("score-files", "upload"),
}


class Target:
    """A server, files beside it that it must not touch, and an address that it must not call."""

    def __init__(self, address: str, temporary: Path, folder: Path, asked: list[str], port: int):
        self.address, self.temporary, self.folder = address, temporary, folder
        self.asked, self.port = asked, port
        self.png, self.zip, self.link = (folder / n for n in ("a.png", "a.zip", "link.png"))
        self.fifo = folder / "fifo.png"
        seven(True).save(self.png)
        with zipfile.ZipFile(self.zip, "w") as archive:
            archive.write(self.png, "a.png")
        self.link.symlink_to(self.png)
        os.mkfifo(self.fifo)
        self.before = self.state()
        self.mine, self.other = Client(address), Client(address)
        self.functions = self.mine.functions()

    def state(self) -> dict[str, bytes | None]:
        regular = {self.png, self.zip}
        return {
            path.name: path.read_bytes() if path in regular else None
            for path in sorted(self.folder.iterdir())
        }

    def run(self, place: tuple[str, str], changes: dict[int, Any], first: Any = None) -> str:
        """The answer to a job with a few values changed."""
        function = self.functions[place]
        data = [first if i == 0 and first is not None else DEFAULTS[place][i]
                for i in range(len(function["inputs"]))]  # fmt: skip
        for i, value in changes.items():
            data[i] = value
        return self.mine.run(function["id"], data)


SPOIL = [False, False, 0, 1, 0, 0]
DRAWING: dict[str, Any] = {}
DEFAULTS: dict[tuple[str, str], list[Any]] = {
    PLACES["real"]: [None, "automatic", True, 0, *SPOIL],
    PLACES["edit"]: [None],
    PLACES["score"]: [None, "displacement"],
    ("real-go", "click"): [DRAWING, 0.8, "automatic", True, 0, *SPOIL],
    ("generate-go", "click"): [0, 4, 1],
    ("edit-go", "click"): [DRAWING, 0, 2, 2, True],
    ("explore-t", "change"): [0, 0, 1, 0.5, 1, "linear"],
    ("explore-strength", "change"): [0, 0, 1, 2, 1, 1],
}


@pytest.fixture(scope="module")
def target(start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _, address, temporary = start()
    folder = tmp_path_factory.mktemp("beside")
    yield Target(address, temporary, folder, asked, server.server_port)
    server.shutdown()


def stored(target: Target) -> str:
    """The path on the server of a file that another visitor has just uploaded."""
    target.other.upload(("b.png", target.png.read_bytes()))
    return str(max(target.temporary.rglob("b.png"), key=os.path.getmtime))


FORGED: dict[str, Callable[[Target], Any]] = {
    "picture": lambda t: str(t.png),
    "zip": lambda t: str(t.zip),
    "missing": lambda t: str(t.folder / "no.png"),
    "fifo": lambda t: str(t.fifo),
    "device": lambda t: "/dev/zero",
    "link": lambda t: str(t.link),
    "folder": lambda t: str(t.folder),
    "relative": lambda t: os.path.relpath(t.png),
    "file address": lambda t: f"file://{t.png}",
    "web address": lambda t: f"http://127.0.0.1:{t.port}/x.png",
    "of another visitor": lambda t: t.other.upload(("b.png", t.png.read_bytes()))[1][0],
    "path of another visitor": stored,
    "own and further": lambda t: (
        f"{t.mine.upload(('b.png', t.png.read_bytes()))[1][0]}/../../../{t.png}"
    ),
    "number": lambda t: 5,
    "nothing": lambda t: None,
    "list": lambda t: [str(t.png)],
}
KEYS: dict[str, dict[str, Any]] = {
    "plain": {"meta": {"_type": "gradio.FileData"}},
    "stream": {"meta": {"_type": "gradio.FileData"}, "is_stream": True},
    "url": {"meta": {"_type": "gradio.FileData"}, "url": "http://127.0.0.1:PORT/x.png"},
    "no meta": {},
}


@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("forged", FORGED)
def test_a_job_cannot_name_a_file(target, forged, keys):
    path = FORGED[forged](target)
    more = json.loads(json.dumps(KEYS[keys]).replace("PORT", str(target.port)))
    file = {"path": path, "orig_name": "a.png", **more}
    for name, place in PLACES.items():
        told = target.run(place, {}, [file] if name == "score" else file)
        assert told.startswith("a file of the job was not uploaded in this browser"), (name, told)
    assert target.state() == target.before
    assert target.asked == []
    if keys != "no meta":
        told = target.run(("generate-go", "click"), {}, file)  # where a number belongs
        assert "was not uploaded" in told
    if forged == "path of another visitor":
        assert Path(path).exists()


def test_the_files_of_one_visitor_are_read_once_and_gone(target):
    client, content = target.mine, target.png.read_bytes()
    for name, place in PLACES.items():
        identifier = client.upload(("a.png", content))[1][0]
        file = {"path": identifier, "meta": {"_type": "gradio.FileData"}, "is_stream": True}
        given = [file] if name == "score" else file
        told = target.run(place, {}, given)
        assert "uploaded" not in told, told
        assert "<" in told or "png;base64" in told, told
        assert "not uploaded in this browser" in target.run(place, {}, given), "a second time"
    assert list(target.temporary.rglob("a.png")) == []
    assert target.state() == target.before


WRONG = [math.nan, math.inf, -math.inf, None, "", "1", "x" * 10**5, [], {}, True, -1, 10**6, 1e30]
NUMBERS = {
    "real-go": (1, 4, 7, 8, 9, 10), "generate-go": (0, 1, 2), "edit-go": (1, 2, 3),
    "explore-t": (0, 1, 2, 3, 4), "explore-strength": (0, 1, 2, 3, 4, 5),
}  # fmt: skip


def _seed(part: str, place: int) -> bool:
    """Whether a number may be as large as a seed."""
    return (part, place) in {
        ("real-go", 4), ("generate-go", 0), ("edit-go", 1),
        *(("explore-t", i) for i in range(3)), *(("explore-strength", i) for i in range(4)),
    }  # fmt: skip


@pytest.mark.parametrize("value", WRONG, ids=lambda v: repr(v)[:12])
@pytest.mark.parametrize("part", NUMBERS)
def test_a_job_cannot_hold_a_wrong_number(target, part, value):
    place = (part, "change" if part.startswith("explore") else "click")
    for i in NUMBERS[part]:
        if value == 10**6 and not isinstance(value, bool) and _seed(part, i):
            continue
        if value == -1 and part == "explore-strength" and i == 4:
            continue
        changes = {i: value}
        if DEFAULTS[place][0] is DRAWING:
            changes[0] = {"picture": PNG, "mask": PNG}
        told = target.run(place, changes)
        words = ("finite numbers",) if _infinite(value) else ("is empty; give", "; give a ")
        assert any(word in told for word in words), (i, told)
        assert len(told) < 300


def _infinite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


PNG = data_url(seven(True))
OTHER = [
    (("real-go", "click"), 2, "sometimes", "choose automatic"),
    (("real-go", "click"), 2, ["never"], "choose automatic"),
    (("real-go", "click"), 3, "yes", "give true or false"),
    (("real-go", "click"), 5, 1, "give true or false"),
    (("real-go", "click"), 0, "/etc/passwd", "nothing is drawn"),
    (("real-go", "click"), 0, [1], "nothing is drawn"),
    (("real-go", "click"), 0, {"picture": "file:///etc/passwd"}, "not a PNG"),
    (("real-go", "click"), 0, {"picture": 5}, "not a PNG"),
    (("edit-go", "click"), 0, {"picture": PNG, "mask": ["x"]}, "not a PNG"),
    (("edit-go", "click"), 0, {"picture": PNG}, "nothing is masked"),
    (("edit-go", "click"), 4, None, "give true or false"),
    (("explore-t", "change"), 5, "straight", "choose "),
    (PLACES["score"], 0, "x", "upload it again"),
    (PLACES["score"], 0, [5], "upload it again"),
    (PLACES["score"], 0, [], "no pictures"),
    (PLACES["edit"], 0, "x", "upload it again"),
]


@pytest.mark.parametrize(("place", "i", "value", "words"), OTHER)
def test_a_job_cannot_hold_another_kind(target, place, i, value, words):
    changes: dict[int, Any] = {0: {"picture": PNG, "mask": PNG}}
    if DEFAULTS[place][0] is not DRAWING:
        changes = {}
    told = target.run(place, {**changes, i: value})
    assert words in told or (place in PLACES.values() and told.startswith("failed")), told


JOBS = [
    "", "[]", "5", "{", '{"data": []}', '{"session_hash": 5, "data": [], "fn_index": 0}',
    '{"session_hash": "s", "data": {}, "fn_index": 0}',
    '{"session_hash": "s", "data": [], "fn_index": 0}',
    '{"session_hash": "s", "data": [1], "fn_index": 12345}',
    '{"session_hash": "s", "data": [1], "fn_index": true}',
    '{"session_hash": "s", "data": [1e999], "fn_index": 0}',
    '{"session_hash": "s", "data": [' + "9" * 5000 + '], "fn_index": 0}',
    "[" * 10**5,
    '{"session_hash": "s", "data": ' + '{"a":' * 10**4 + "1" + "}" * 10**4 + ', "fn_index": 0}',
    b"\xff\xfe\x00",
]  # fmt: skip


@pytest.mark.parametrize("body", JOBS, ids=range(len(JOBS)))
def test_a_body_that_is_not_a_job_is_refused(target, body):
    status, text = target.mine.post(body, raw=True)
    assert status == 400
    assert json.loads(text)["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd", "/gradio_api/file/etc/passwd", "/file=/etc/passwd",
        "/gradio_api/proxy=http://127.0.0.1/", "/gradio_api/info", "/gradio_api/runs", "/docs",
        "/openapi.json", "/gradio_api/openapi.json", "/monitoring", "/gradio_api/queue/status",
        "/gradio_api/deep_link", "/assets/../../../../etc/passwd", "/static/%2e%2e/routes.py",
        "/gradio_api/vibe-code", "/gradio_api/app_id", "/gradio_api/token", "/login_check", "//",
    ],
)  # fmt: skip
def test_the_page_needs_no_other_path(target, path):
    assert target.mine.ask("GET", path)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/run/predict", "/gradio_api/api/predict", "/gradio_api/call/x", "/",
        "/gradio_api/cancel", "/gradio_api/reset", "/gradio_api/component_server",
        "/gradio_api/process_recording", "/gradio_api/stream/x", "/config", "/login",
    ],
)  # fmt: skip
def test_nothing_else_can_be_posted(target, path):
    assert target.mine.ask("POST", path, "{}")[0] == 404


def test_without_the_token_there_is_nothing(target):
    stranger, parts = Client(target.address, enter=False), urlsplit(target.address)
    for path in ("/", "/config", "/theme.css", "/gradio_api/upload", "/?token=", "/?token=x"):
        status, headers, text = stranger.ask("GET", path)
        assert status == 403
        assert "the address that `ign app` printed" in text
        assert "set-cookie" not in headers
    assert stranger.ask("GET", f"/?{parts.query}&token=x")[0] == 403
    name, _, value = target.mine.cookie.partition("=")
    stranger.cookie = f"{name}=a{value}"
    assert stranger.ask("GET", "/")[0] == 403, "a cookie that was changed"
    assert target.mine.ask("GET", "/")[0] == 200


def test_the_cookie_is_strict_and_the_page_cannot_be_framed(target):
    query = urlsplit(target.address).query
    _, headers, _ = Client(target.address, enter=False).ask("GET", f"/?{query}")
    assert "; HttpOnly; SameSite=Strict" in headers["set-cookie"]
    _, headers, _ = target.mine.ask("GET", "/")
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'self'" in headers["content-security-policy"]


HOSTS = ["evil.example", "evil.example:PORT", "127.0.0.1.evil.example", "10.0.0.1:PORT",
         "localhost.evil.example", "", "[::2]:PORT", "127.0.0.1:PORT@evil.example"]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_a_foreign_host_is_refused(target, host):
    client = target.mine
    status, _, text = client.ask("GET", "/", Host=host.replace("PORT", str(client.port)))
    assert (status, "--allow-host" in text) == (421, True)


@pytest.mark.parametrize("host", ["127.0.0.1:PORT", "localhost:PORT", "LOCALHOST", "127.0.0.1"])
def test_its_own_hosts_are_answered(target, host):
    client = target.mine
    assert client.ask("GET", "/", Host=host.replace("PORT", str(client.port)))[0] == 200


ORIGINS = ["null", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:1",
           "https://localhost:PORT", "http://127.0.0.1:PORT.evil.example", ""]  # fmt: skip


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_foreign_origin_is_refused(target, origin):
    client = target.mine
    foreign = origin.replace("PORT", str(client.port))
    job = json.dumps({"data": [0, 1, 1], "fn_index": 0, "session_hash": "s"})
    assert client.ask("POST", "/gradio_api/queue/join", job, Origin=foreign)[0] == 403
    assert client.ask("GET", "/config", Sec_Fetch_Site="cross-site")[0] == 403
    assert client.ask("GET", "/config", Sec_Fetch_Site="same-site")[0] == 403


def test_two_visitors_cannot_read_each_others_results(target):
    one, other = target.mine, target.other
    number = target.functions["generate-go", "click"]["id"]
    job = {"data": [7, 2, 1], "fn_index": number, "session_hash": "same"}
    assert one.post(job)[0] == 200
    assert "png;base64" not in other.results("same")
    assert "samples of seed 7" in one.results("same")


def test_results_that_nobody_fetches_are_bounded(target):
    greedy, number = Client(target.address), target.functions["generate-go", "click"]["id"]
    job = {"data": [7, 1, 1], "fn_index": number, "session_hash": "greedy"}
    answers = []
    for _ in range(40):
        answers.append(greedy.post(job))
        time.sleep(0.05)
    assert [status for status, _ in answers].count(200) == 16
    assert "of this page wait" in answers[-1][1]
    for n in range(40):  # other pages still have their turn
        assert greedy.post({**job, "session_hash": f"page {n}"})[0] == 200
        time.sleep(0.05)
    assert "samples of seed 7" in target.mine.run(number, [7, 1, 1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_while_a_job_runs_and_connections_are_open(start, number):
    process, address, folder = start()
    client = Client(address)
    job = client.functions()["generate-go", "click"]["id"]
    client.post({"data": [99, 1, 1], "fn_index": job, "session_hash": "s"})
    sockets = []
    head = f"Host: 127.0.0.1:{client.port}\r\nCookie: {client.cookie}\r\n"
    for request in (
        "",
        "GET / HT",
        f"GET /gradio_api/queue/data?session_hash=s HTTP/1.1\r\n{head}\r\n",
        f"GET /gradio_api/heartbeat/s HTTP/1.1\r\n{head}\r\n",
        f"POST /gradio_api/upload HTTP/1.1\r\n{head}Content-Length: 1000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n",
    ):
        sockets.append(socket.create_connection((client.host, client.port)))
        sockets[-1].sendall(request.encode())
    time.sleep(0.5)
    start_time = time.monotonic()
    process.send_signal(number)
    assert process.wait(20) == 128 + number
    assert process.err == ""
    assert time.monotonic() - start_time < 12
    assert list(folder.glob("ign-app-*")) == []
    for one in sockets:
        one.close()


IDLE = {
    "nothing": "",
    "half a head": "GET / HTTP/1.1\r\nHost: x",
    "the body of a refused request": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\nx",
}


@pytest.mark.parametrize("text", IDLE.values(), ids=IDLE)
def test_a_connection_without_a_request_is_closed(hasty, text):
    client = Client(hasty)
    with socket.create_connection((client.host, client.port), timeout=8) as one:
        one.sendall(text.encode())
        beginning = time.monotonic()
        try:
            while time.monotonic() < beginning + 4:
                one.sendall(b"a")  # a byte now and then does not keep it open
                time.sleep(0.1)
        except OSError:
            pass
        assert time.monotonic() < beginning + 3


def test_a_stream_and_a_connection_in_use_stay_open(hasty):
    client = Client(hasty)
    used = http.client.HTTPConnection(client.host, client.port, timeout=8)
    used.auto_open = False  # a connection that was closed is not opened again
    used.connect()
    with socket.create_connection((client.host, client.port), timeout=8) as stream:
        head = f"Host: 127.0.0.1:{client.port}\r\nCookie: {client.cookie}\r\n\r\n"
        stream.sendall(f"GET /gradio_api/heartbeat/s HTTP/1.1\r\n{head}".encode())
        for _ in range(15):
            used.request("GET", "/nothing", headers={"Cookie": client.cookie})
            answer = used.getresponse()
            assert (answer.status, answer.read()) == (404, b"not found")
            time.sleep(0.1)
        used.close()
        stream.setblocking(False)
        content = stream.recv(10**6)
        assert content.startswith(b"HTTP/1.1 200")
        with pytest.raises(BlockingIOError):  # it would be empty at the end
            stream.recv(10**6)


def test_a_picture_that_was_uploaded_is_what_is_shown(target):
    """The attacks fail for what they forge: the same job with an own file succeeds."""
    file = io.BytesIO()
    Image.new("L", (30, 30), 200).save(file, "PNG")
    identifier = target.mine.upload(("x.png", file.getvalue()))[1][0]
    told = target.run(PLACES["score"], {}, [{"path": identifier, "orig_name": "<b>.png"}])
    assert "1 scored" in told
    assert "x.png" in told


DOCS = Path(__file__).resolve().parents[2] / "docs" / "app.md"


def cases(test) -> int:
    """How many cases a test has."""
    count = 1
    for mark in test.pytestmark:
        count *= len(mark.args[1]) if mark.name == "parametrize" else 1
    return count


def test_the_attacks_are_as_many_as_the_docs_say():
    text = " ".join(DOCS.read_text().split())
    kinds, ways, places = len(FORGED), len(KEYS), len(PLACES)
    for sentence in (
        f"{kinds} kinds of forged paths, {ways} ways each, in {places} jobs:"
        f" {kinds * ways * places} jobs",
        f"{len(HOSTS)} host names, {len(ORIGINS)} origins;",
        f"{len(WRONG)} wrong values in each number of {len(NUMBERS)} jobs,"
        f" {len(OTHER)} others, {len(JOBS)} bodies that are not jobs",
        f"{cases(test_the_page_needs_no_other_path)} paths to get,"
        f" {cases(test_nothing_else_can_be_posted)} to post to",
    ):
        assert sentence in text, sentence


def test_the_limits_are_those_of_the_code():
    text = " ".join(DOCS.read_text().split())
    for sentence in (
        f"at most {reading.FILE // 2**20} MB and a picture at most {reading.PIXELS // 10**6} mega",
        f"At most {reading.IMAGES} pictures are scored at once, of at most"
        f" {reading.BYTES_TOTAL // 10**6} MB and {reading.PIXELS_TOTAL // 10**6} megapixels",
        f"after {reading.SECONDS:.0f} seconds no further picture",
        f"A job stops after {limit.SECONDS:.0f} seconds",
        f"at most {uploads.VISITOR // 10**6} MB at a time, and all uploads together at most"
        f" {uploads.TOTAL // 10**9} GB",
        f"At most {gate.UPLOADS} uploads of a visitor",
        f"{requests.IDLE:.0f} seconds without a byte, or if it is slower than"
        f" {requests.SPEED // 1000} kB/s after its first {requests.PATIENCE:.0f} seconds",
        f"At most {sessions.UNREAD} results of a page and {sessions.UNREAD_TOTAL} of all pages",
        f"of at most {sessions.SESSIONS} pages",
        f"At most {server.CONNECTIONS} connections are open",
        f"within {connections.HEAD:.0f} seconds, or within {2 * connections.HEAD:.0f} seconds",
    ):
        assert sentence in text, sentence
    assert uploads.STALE * 5 / 4 < 7 * 60
