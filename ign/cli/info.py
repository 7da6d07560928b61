"""ign info: describe a model."""

__all__ = ["run"]

import json
from collections.abc import Sequence

from ign.cli.common import is_inspector_name, load_model, verb
from ign.core.terminal import echo
from ign.core.text import printable


def run(words: Sequence[str]) -> None:
    """Print the model's format, network, noise, size and training."""
    parser = verb(
        "info",
        "Show a model's image format, network, noise, size and training.",
        "example:\n  ign info mnist",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    options = parser.parse_args(words)
    from ign.io.packaged import locate

    facts = {"path": str(locate(options.model))}
    if is_inspector_name(options.model):
        from ign.inspection import load_inspector

        facts |= load_inspector(options.model).facts()
    else:
        model = load_model(options)
        channels, height, width = model.shape
        facts["images"] = f"{channels} x {height} x {width}, values in [-1, 1]"
        facts |= model.facts()
    if options.json:
        echo(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        shown = f"{value:,}" if isinstance(value, int) else printable(str(value), 10_000)
        echo(f"{printable(name.replace('_', ' ')):18}{shown}")
