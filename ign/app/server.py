"""Serving the page: only what it needs, nothing kept."""

__all__ = ["serve"]

import contextlib
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ign.app.intake import FILE
from ign.model import IGN

UPLOAD = 200 * 10**6
"""The most bytes of one upload, a folder's files together."""
STALE = 300.0
"""After so many seconds a file that no task has read, such as half of a refused one, is removed."""
BODY = 10 * 10**6
"""The most bytes of any other request; a drawing has some ten thousand."""
OPEN = (
    "/assets/", "/static/", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt",
    "/config", "/gradio_api/startup-events", "/gradio_api/queue/", "/gradio_api/heartbeat/",
    "/gradio_api/upload", "/gradio_api/cancel", "/gradio_api/reset",
)  # fmt: skip
"""What is answered, the page itself apart. No file of a disk is among it but gradio's own."""


class Gate:
    """Lets through what the page asks for, of a bounded size; an ASGI application.

    Args:
        app: What is behind it.
    """

    def __init__(self, app: Any):
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path != "/" and not path.startswith(OPEN):
            await _refuse(send, 404, "not found")
            return
        most = UPLOAD if path == "/gradio_api/upload" else BODY
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > most:
            await _refuse(send, 413, f"over {most // 10**6} MB")
            return
        await self.app(scope, _limited(receive, most), send)


def _limited(receive: Any, most: int) -> Callable[[], Any]:
    count = 0

    async def counted() -> Any:
        nonlocal count
        message = await receive()
        count += len(message.get("body", b""))
        return {"type": "http.disconnect"} if count > most else message

    return counted


async def _refuse(send: Any, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


def serve(
    model: IGN,
    name: str,
    host: str = "127.0.0.1",
    port: int | None = None,
    queue: int = 16,
    ready: Callable[[str], None] = print,
) -> None:
    """Serve the page of a model until the process is interrupted.

    Args:
        model: The model.
        name: What it is called.
        host: The address to listen on.
        port: The port; None for the first free one from 7860 on, 0 for any free one.
        queue: How many jobs may wait; more are refused in the page.
        ready: Is told the address when the page can be opened.

    Raises:
        ValueError: A model that the page cannot show, or a port that is taken.
    """
    with _terminable(), _own_folder() as folder, _swept(folder), _listener(host, port) as listener:
        import fastapi
        import gradio as gr
        import uvicorn

        from ign.app.page import build, look

        page = build(model, name).queue(max_size=queue, api_open=False)
        number = listener.getsockname()[1]
        app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        app = gr.mount_gradio_app(
            app, page, "/", server_name=host, server_port=number, max_file_size=FILE,
            run_history=False, show_error=False, ssr_mode=False, mcp_server=False, pwa=False,
            enable_monitoring=False, **look(),
        )  # fmt: skip
        config = uvicorn.Config(
            Gate(app), log_level="error", access_log=False, timeout_graceful_shutdown=2
        )
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host

        class Server(uvicorn.Server):
            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets)
                ready(f"http://{shown}:{number}/")

        Server(config).run(sockets=[listener])


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    """A folder for everything temporary of this process, gone at its end."""
    with tempfile.TemporaryDirectory(prefix="ign-app-", ignore_cleanup_errors=True) as folder:
        ours = {
            "GRADIO_TEMP_DIR": folder,
            "GRADIO_ANALYTICS_ENABLED": "False",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        before = tempfile.tempdir, {name: os.environ.get(name) for name in ours}
        tempfile.tempdir = folder
        os.environ.update(ours)
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = before[0]
            for name, value in before[1].items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


@contextlib.contextmanager
def _swept(folder: Path) -> Iterator[None]:
    """Remove what has lain in the folder for :data:`STALE` seconds, from a thread."""
    done = threading.Event()

    def sweep() -> None:
        while not done.wait(STALE / 4):
            for path in folder.rglob("*"):
                with contextlib.suppress(OSError):
                    if path.is_file() and time.time() - path.stat().st_mtime > STALE:
                        path.unlink()

    thread = threading.Thread(target=sweep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _listener(host: str, port: int | None) -> socket.socket:
    """A socket on that port, or on the first free one from 7860 on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    numbers = range(7860, 7960) if port is None else [port]
    for number in numbers:
        try:
            return socket.create_server((host, number), family=family)
        except OSError as error:
            if number == numbers[-1]:
                told = os.strerror(error.errno) if error.errno else str(error)
                raise ValueError(f"--host {host} --port {number}: {told}") from None
    raise AssertionError("there is always a last port")


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the process, what is open closed; also where its parent ignores them.

    The server handles both while it runs, and then hands them on to who handled them before.
    """

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
