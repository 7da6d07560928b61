"""Models from the Hub, by a server of the same form on this machine."""

import hashlib
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import torch

from ign import IGN, nn, noise

LOAD = """
import sys
from ign import IGN, ModelError
try:
    print(IGN.from_pretrained(sys.argv[1]).sample(1, seed=1).sum().item())
except ModelError as error:
    print(error)
"""


@pytest.fixture
def hub(tmp_path):
    """The address of a server that has the model ``someone/digits``, and that model."""
    torch.manual_seed(0)
    model = IGN(nn.DCGANAutoencoder(1, 8, 4, "group"), noise.GaussianNoise((1, 8, 8)))
    folder = model.save_pretrained(tmp_path / "files")

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def answer(self, body):
            parts = self.path.split("?")[0].strip("/").split("/")
            known = parts[:3] == ["someone", "digits", "resolve"]
            file = folder / parts[-1]
            if not known or not file.is_file():
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.end_headers()
                return
            content = file.read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", "a" * 40)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", model
    server.shutdown()


def load(name: str, address: str, tmp_path) -> str:
    environment = {
        "HF_ENDPOINT": address,
        "HF_HOME": str(tmp_path / "home"),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [sys.executable, "-c", LOAD, name], env=environment, capture_output=True, text=True,
        cwd=tmp_path, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_model_from_the_hub_and_one_that_is_not_there(hub, tmp_path):
    address, model = hub
    wanted = model.sample(1, seed=1).sum().item()
    assert float(load("someone/digits", address, tmp_path)) == pytest.approx(wanted, abs=1e-4)
    missing = load("someone/nothing", address, tmp_path)
    assert missing.startswith("model 'someone/nothing': no such path, and the Hub did not give it")
    assert "\n" not in missing
