"""The output of ``ign`` without a valid verb: help, version and suggestions."""

__all__ = ["plain_words", "show"]

import argparse
import sys

from ign.cli import VERBS
from ign.cli.suggest import did_you_mean
from ign.core.terminal import echo


def plain_words(words: list[str]) -> list[str]:
    """Convert ``ign help VERB`` to ``ign VERB --help``; other words are unchanged."""
    if words[:1] != ["help"]:
        return words
    return [*words[1:], "--help"]


def show(words: list[str]) -> int:
    """Print the overview, or an error for an unknown verb."""
    from ign import __version__

    text = "\n".join(f"  {name:12}{what}" for name, what in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="ign",
        usage="ign VERB [options]        ign VERB --help",
        description="Idempotent Generative Networks: generate, restore and score images.",
        epilog=f"verbs:\n{text}\n\nexamples:\n  ign sample mnist\n  ign train --data photos/",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ign {__version__}")
    if words and words[0] not in ("-h", "--help", "--version"):
        kind = "option" if words[0].startswith("-") else "verb"
        meant = did_you_mean(words[0], [*VERBS, "--help", "--version"])
        known = meant or f"; verbs: {', '.join(VERBS)}"
        echo(f"ign: no {kind} {words[0]!r}{known}", error=True)
        return 2
    if words:
        parser.parse_args(words[:1])
    parser.print_help(sys.stderr)
    return 2
