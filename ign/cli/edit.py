"""ign edit: inpainting, compositing, interpolation and arithmetic."""

__all__ = ["FUNCTIONS", "VERBS", "run"]

import argparse
from collections.abc import Sequence

from ign.cli.edit_images import run_composite, run_inpaint
from ign.cli.edit_samples import run_arithmetic, run_interpolate
from ign.cli.parser import Parser

VERBS = {
    "inpaint": "let the network paint the hole that a mask marks",
    "composite": "paste noise on a region of images, and project them",
    "interpolate": "write images, or a video, between samples",
    "arithmetic": "give samples an attribute: f(z + s (z+ - z-))",
}
LINES = "\n".join(f"  {name:12}{what}" for name, what in VERBS.items())


def run(words: Sequence[str]) -> None:
    """Run ``ign edit VERB MODEL ...``."""
    if not words or words[0] not in VERBS:
        parser = Parser(
            prog="ign edit",
            usage="ign edit VERB MODEL [options]        ign edit VERB --help",
            description="Edit images or samples.",
            epilog=f"verbs:\n{LINES}\n\n"
            "example:\n"
            "  ign edit inpaint mnist digits/ --hole half:right --keep -k 10",
        )
        parser.add_argument("verb", choices=tuple(VERBS), metavar="VERB", help=argparse.SUPPRESS)
        parser.parse_args(list(words[:1]))
    FUNCTIONS[words[0]](words[1:])


FUNCTIONS = {
    "inpaint": run_inpaint,
    "composite": run_composite,
    "interpolate": run_interpolate,
    "arithmetic": run_arithmetic,
}
