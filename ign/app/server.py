"""Serve the page to its visitors until a signal ends the process, without storing any data."""

__all__ = ["serve"]

import contextlib
import errno
import ipaddress
import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ign.app import uploads as files
from ign.app.uploads import Uploads
from ign.model import IGN

GRACE = 5.0
"""The number of seconds that the server has to end by itself after a signal. Then the process is
ended."""
CONNECTIONS = 512
"""The maximum number of concurrent connections."""


def serve(
    model: IGN,
    name: str,
    host: str = "127.0.0.1",
    port: int | None = None,
    queue: int = 16,
    ready: Callable[[str], None] = print,
    hosts: Sequence[str] = (),
) -> None:
    """Serve the page of a model until the process gets SIGINT or SIGTERM.

    Args:
        model: The model.
        name: The name of the model in the page.
        host: The address to listen on.
        port: The port; None for the first free one from 7860 on, 0 for any free one.
        queue: The number of jobs that may wait; the page refuses further jobs.
        ready: A function that is called with the address, which contains the token, when the page
            can be opened.
        hosts: Additional host names to answer to, such as the name of a proxy.

    Raises:
        ValueError: The page cannot show the model, an address or a host name is not valid, or the
            port is in use.
    """
    from ign.app.access import Access

    with _terminable(), _own_folder() as folder, _listener(host, port) as listener:
        import uvicorn

        from ign.app.connections import Patient

        number = listener.getsockname()[1]
        address = listener.getsockname()[0]
        access = Access(address, number, [*hosts, *[host] * (not _is_literal(host))])
        uploads = Uploads(folder / "uploads")
        config = uvicorn.Config(
            application(model, name, access, uploads, queue),
            log_level="error",
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS,
            http=Patient,
            ws="none",
            timeout_graceful_shutdown=2,
        )

        class Server(uvicorn.Server):
            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets)
                ready(f"http://{_shown(host)}:{number}/?token={access.token}")

            def handle_exit(self, sig: int, frame: Any) -> None:
                ends.append(_end_by_force(sig, folder))
                logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
                super().handle_exit(sig, frame)

        ends: list[threading.Timer] = []
        with _swept(uploads):
            Server(config).run(sockets=[listener])
        for timer in [] if _jobs_run() else ends:
            timer.cancel()


def application(model: IGN, name: str, access: Any, uploads: Uploads, queue: int) -> Any:
    """The page of a model behind its gate, as an ASGI application."""
    import fastapi
    import gradio as gr

    from ign.app.blocks import build, theme
    from ign.app.gate import Gate
    from ign.app.reading import FILE
    from ign.app.sessions import SESSIONS, Sessions

    page = build(model, name, uploads).queue(max_size=queue, api_open=False)
    page.state_session_capacity = SESSIONS
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app = gr.mount_gradio_app(
        app, page, "/", max_file_size=FILE, run_history=False, show_error=False, ssr_mode=False,
        mcp_server=False, pwa=False, enable_monitoring=False, **theme(),
    )  # fmt: skip
    page.has_launched = True  # without it, gradio checks no path that a job names
    functions = {number: len(fn.inputs) for number, fn in page.fns.items()}
    return Gate(app, access, uploads, Sessions(page), functions)


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    """Create a folder for the temporary files of this process, which is removed at its end."""
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
def _swept(uploads: Uploads) -> Iterator[None]:
    """Remove uploads that no job reads; this runs in a thread."""
    done = threading.Event()

    def sweep() -> None:
        while not done.wait(files.STALE / 4):
            uploads.expire()

    thread = threading.Thread(target=sweep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _listener(host: str, port: int | None) -> socket.socket:
    """Open a socket on the given port, or on the first free port from 7860."""
    family, address = _resolved(host)
    numbers = range(7860, 7960) if port is None else [port]
    for number in numbers:
        try:
            return socket.create_server((address, number), family=family)
        except OSError as error:
            if number == numbers[-1] or error.errno != errno.EADDRINUSE:
                reason = os.strerror(error.errno) if error.errno else str(error)
                raise ValueError(f"--host {host} --port {number}: {reason}") from None
    raise AssertionError("there is always a last port")


def _resolved(host: str) -> tuple[socket.AddressFamily, str]:
    """Resolve an address or a host name to an address family and a numeric address.

    Raises:
        ValueError: The text is neither an address nor a known host name.
    """
    try:
        if not host or host.replace(".", "").isdigit():
            host = str(ipaddress.ip_address(host))
        family, _, _, _, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    except (OSError, ValueError):
        raise ValueError(
            f"--host {host!r} is not an address of this machine; give one, such as 127.0.0.1 or ::1"
        ) from None
    return family, str(address[0])


def _shown(host: str) -> str:
    """The host to put in the address for a browser on this machine."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{local}]" if ":" in local else local


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _jobs_run() -> bool:
    """Whether a thread is running that would delay the end of the process."""
    every = threading.enumerate()
    return any(not one.daemon and one is not threading.main_thread() for one in every)


def _end_by_force(number: int, folder: Path) -> threading.Timer:
    """End the process after :data:`GRACE` seconds, even if threads are still running."""

    def end() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(128 + number)

    timer = threading.Timer(GRACE, end)
    timer.daemon = True
    timer.start()
    return timer


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the process in order, even if the parent process ignores them.

    The server handles both signals while it runs, and passes them to the previous handlers then.
    """

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
