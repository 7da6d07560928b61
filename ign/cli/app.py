"""ign app: use a model in the browser."""

__all__ = ["run"]

import argparse
from collections.abc import Sequence
from pathlib import Path

from ign.cli.common import load_model, natural, parse, verb
from ign.core.text import printable


def run(words: Sequence[str]) -> None:
    """Serve the page of a model until Ctrl-C."""
    parser = verb(
        "app",
        "Open a page to generate, project drawings, edit, explore and score with a model. It can"
        " be reached only from this machine, with the printed address, which contains a"
        " token. Uploads are deleted as soon as they are read.",
        "examples:\n  ign app\n  ign app runs/celeba --port 8000",
        model="mnist",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS",
        help="the address to listen on; 0.0.0.0 or :: give access to everybody who can reach this"
        " machine and has the token",
    )  # fmt: skip
    parser.add_argument(
        "--port", type=_port, metavar="N",
        help="the port; 0 for any free port (default: the first free one from 7860 on)",
    )  # fmt: skip
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME",
        help="another host name to accept, such as the name of a proxy; can be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--queue", type=natural, default=16, metavar="N",
        help="maximum number of waiting jobs of all visitors together",
    )  # fmt: skip
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    options = parse(parser, words, "device")
    path = Path(options.model)
    name = path.resolve().name if path.exists() else options.model

    from ign.app.server import serve

    def ready(address: str) -> None:
        print(f"{printable(name)} at {address}  (Ctrl-C ends it)", flush=True)
        if not options.no_browser:
            import webbrowser

            webbrowser.open(address)

    serve(
        load_model(options), name, options.host, options.port, options.queue, ready,
        options.allow_host,
    )  # fmt: skip


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} must be a port from 0 to 65535")
    return int(text)
