"""ign demo: train on small digits, and show the results on a page."""

__all__ = ["run"]

from collections.abc import Sequence
from pathlib import Path

from ign.cli.parser import Parser, natural
from ign.core.terminal import echo


def run(words: Sequence[str]) -> int:
    """Train the preset ``digits``, then write the pictures and the page."""
    parser = Parser(
        prog="ign demo",
        description="Train on the small digits inside scikit-learn. Takes minutes, needs no"
        " download, and writes samples, projections of noisy digits, training curves and"
        " OUT/index.html, a page that shows them.",
        epilog="example:\n  ign demo --out runs/demo",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/demo"), metavar="RUN", help="where to write"
    )
    parser.add_argument(
        "--steps", type=natural, metavar="N", help="training steps (default: the preset's)"
    )
    parser.add_argument("--force", action="store_true", help="replace the run at --out")
    options = parser.parse_args(words)

    from ign import data
    from ign.figures.demo import page
    from ign.training import Failure, Interrupted, arguments, choose_folder
    from ign.training import run as start

    chosen = {} if options.steps is None else {"steps": options.steps}
    config = arguments(chosen, "digits")
    out = choose_folder(options.out, "demo", options.force, config)
    try:
        model = start(config, out, replace=options.force)
    except Failure as failure:
        echo(f"ign demo: {failure}", error=True)
        return 128 + failure.signal if isinstance(failure, Interrupted) else 1
    shown = page(model, data.load("digits", split="test", size=config.size), out)
    echo(f"look at {shown}\nmodel in {out}/model")
    echo(f"next: ign sample {out} --out samples      ign train --data path/to/your/images")
    return 0
