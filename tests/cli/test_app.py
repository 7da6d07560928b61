"""ign app."""

import re
import signal
import urllib.request

import pytest
from forked import Forked

pytest.importorskip("gradio", reason="gradio is not installed")


def test_it_serves_on_this_machine_until_it_is_interrupted(model, tmp_path):
    words = ["app", str(model), "--port", "0", "--no-browser", "--device", "cpu"]
    process = Forked(*words)
    try:
        line = process.line()
        found = re.search(
            r"^model at (http://127.0.0.1:\d+/\?token=[\w-]+)  \(Ctrl-C ends it\)$", line
        )
        assert found, line
        visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        visitor.open(found.group(1)).close()
        with visitor.open(found.group(1).partition("?")[0]) as page:
            text = page.read().decode()
        assert "Make it real: model" in text
        assert not re.findall(r'(?:src|href)="(https?://[^"]*)"', text), "nothing from elsewhere"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.out == f"{line}\n"
    finally:
        process.kill()


def test_the_browser_is_opened_on_the_address(ign, model, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(
        "ign.app.server.serve",
        lambda model, name, host, port, queue, ready, hosts: ready(
            " ".join(map(str, (name, host, port, queue, *hosts)))
        ),
    )
    assert (
        ign(
            "app",
            model,
            "--queue",
            3,
            "--host",
            "0.0.0.0",
            "--port",
            8000,
            "--allow-host",
            "x.example",
        ).status
        == 0
    )
    assert ign("app").status == 0
    assert opened == ["model 0.0.0.0 8000 3 x.example", "mnist 127.0.0.1 None 16"]
    assert ign("app", model, "--no-browser").status == 0
    assert len(opened) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("nosuch", "'nosuch': no such path"),
        ("mnist --port 70000", "'70000' must be a port"),
        ("mnist --queue 0", "at least 1"),
        ("mnist --host 203.0.113.1", "--host 203.0.113.1"),
        ("mnist --host 256.1.1.1", "--host '256.1.1.1' is not an address"),
        ("mnist --port 0 --allow-host http://x", "--allow-host 'http://x': give a host name"),
    ],
)
def test_mistakes_are_one_line(words, told, ign):
    status, out, err = ign("app", *words.split())
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert told in err
