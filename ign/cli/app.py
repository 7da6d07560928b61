"""ign app: the page in a browser."""

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
        "Open a page that generates, makes drawings real, edits, explores and scores with a model."
        " It is seen on this machine only; nothing that is uploaded is kept.",
        "examples:\n  ign app\n  ign app runs/celeba --port 8000",
        model="mnist",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS",
        help="the address to listen on; 0.0.0.0 lets in everybody who reaches this machine",
    )  # fmt: skip
    parser.add_argument(
        "--port", type=_port, metavar="N",
        help="the port; 0 for any (default: the first free one from 7860 on)",
    )  # fmt: skip
    parser.add_argument(
        "--queue", type=natural, default=16, metavar="N",
        help="how many jobs may wait, of all visitors together",
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

    serve(load_model(options), name, options.host, options.port, options.queue, ready)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} must be a port, 0 to 65535")
    return int(text)
