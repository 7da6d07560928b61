"""The declaration, validation and help of the arguments of the verbs."""

__all__ = [
    "Help",
    "Parser",
    "fraction",
    "index",
    "natural",
    "number",
    "parse",
    "parser_of",
    "positive",
    "seed",
    "verb",
]

import argparse
import math
import re
import textwrap
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Literal, NoReturn

from ign.cli.suggest import improve

ASKED = ["the parser, please"]
"""The argument that :func:`parser_of` passes to a verb instead of words."""
LARGEST = 2**31 - 1
"""The largest value of an integer option."""
NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$|-(inf|nan)", re.IGNORECASE)
"""Words that begin with a hyphen and are numbers, not options."""


class Help(argparse.HelpFormatter):
    """Fills paragraphs, keeps indented lines, and shows default values."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        filled = [x if x.startswith(" ") else textwrap.fill(x, width) for x in text.split("\n")]
        return "\n".join(filled)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """``-k, --applications K``, not the value after each."""
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        value = self._format_args(action, action.dest.upper())
        return f"{', '.join(sorted(action.option_strings, key=len))} {value}"

    def _get_help_string(self, action: argparse.Action) -> str:
        text, value = action.help or "", action.default
        if value is argparse.SUPPRESS or value is None or value is False or "default" in text:
            return text
        if not action.option_strings or value in ([], ""):
            return text
        shown = " ".join(map(str, value)) if isinstance(value, list | tuple) else value
        return f"{text} (default: {shown})".replace("%", "%%")


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and that takes ``--batch_size`` for ``--batch-size``."""

    def __init__(self, *args: Any, **options: Any):
        options.setdefault("formatter_class", Help)
        super().__init__(*args, **options)
        self._negative_number_matcher = NEGATIVE

    def error(self, message: str) -> NoReturn:
        known = [name for action in self._actions for name in action.option_strings]
        raise ValueError(f"{improve(message, known)} (see {self.prog} --help)")

    def parse_args(self, words: Sequence[str] | None = None, *rest: Any) -> Any:  # type: ignore[override]
        if words is ASKED:
            raise _Made(self)
        try:
            return super().parse_args([hyphens(word) for word in words or []], *rest)
        except TypeError:  # argparse passes an empty list for the value of --option=--
            self.error("an option has no value; give it one")

    def format_help(self) -> str:
        self.usage = self.usage or _usage(self)
        return super().format_help()


class _Made(Exception):
    """Holds the parser of a verb that was about to parse."""

    def __init__(self, parser: Parser):
        super().__init__()
        self.parser = parser


def parser_of(run: Callable[[Sequence[str]], object]) -> Parser:
    """The parser that a verb's function makes."""
    try:
        run(ASKED)
    except _Made as made:
        return made.parser
    raise TypeError(f"{run.__module__} does not parse arguments")


def hyphens(word: str, to: str = "-") -> str:
    """Replace hyphens in an option by underscores, or the reverse; other words are unchanged."""
    name, sign, value = word.partition("=")
    if not name.startswith("--") or " " in name:
        return word
    return f"--{name[2:].replace('_' if to == '-' else '-', to)}{sign}{value}"


def _usage(parser: argparse.ArgumentParser) -> str:
    """Format the usage: the required arguments, and a note that there are options."""
    words = [parser.prog]
    chosen: set[int] = set()
    for group in parser._mutually_exclusive_groups:
        if group.required:
            each = [f"{a.option_strings[0]} {a.metavar}" for a in group._group_actions]
            words.append(f"({' | '.join(each)})")
            chosen |= {id(a) for a in group._group_actions}
    for action in parser._actions:
        names = action.metavar if isinstance(action.metavar, tuple) else (action.metavar,)
        value = " ".join(str(name or action.dest.upper()) for name in names)
        if not action.option_strings:
            value += " ..." if action.nargs == "+" else ""
            value = f"[{value}]" if action.nargs == "?" else value
            words.insert(len([w for w in words if not w.startswith(("-", "("))]), value)
        elif action.required and id(action) not in chosen:
            words.append(f"{action.option_strings[0]} {value}")
    return " ".join([*words, "[options]"])


def verb(name: str, description: str, epilog: str = "", model: str | None = None) -> Parser:
    """The parser of a verb with a model argument, which is optional if ``model`` is a default."""
    parser = Parser(prog=f"ign {name}", description=description, epilog=epilog)
    parser.add_argument(
        "model", metavar="MODEL", nargs="?" if model else None, default=model,
        help="a run, a saved model, a packaged name, or owner/name on the Hub"
        + f" (default: {model})" * bool(model),
    )  # fmt: skip
    return parser


def parse(
    parser: Parser, words: Sequence[str], *shared: Literal["batches", "device", "force"]
) -> argparse.Namespace:
    """Add the options that verbs share, and parse.

    Args:
        parser: The parser.
        words: The words of the command line.
        shared: The shared options to add: ``batches`` for verbs that pass images through the
            network, ``device`` for verbs that run a model, ``force`` for verbs that write files.
            All of them if none is given.
    """
    if not shared or "batches" in shared:
        parser.add_argument(
            "--batch-size",
            type=natural,
            default=64,
            metavar="N",
            help="number of images to process at a time",
        )
    if not shared or "device" in shared:
        parser.add_argument(
            "--device",
            default="auto",
            choices=("auto", "cpu", "cuda", "mps"),
            help="device to compute on; auto uses a GPU if there is one",
        )
    if not shared or "force" in shared:
        parser.add_argument("--force", action="store_true", help="replace existing results")
    return parser.parse_args(words)


def natural(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or len(text) > 20 or not 1 <= int(text) <= LARGEST:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} must be a whole number of at least 1 and at most {LARGEST:,}"
        )
    return int(text)


def index(text: str) -> int:
    """The number of a sample or a pixel, from 0."""
    if not text.isdecimal() or len(text) > 20 or int(text) > LARGEST:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} must be a whole number of at least 0 and at most {LARGEST:,}"
        )
    return int(text)


def number(text: str) -> float:
    """A finite number."""
    with suppress(ValueError):
        if math.isfinite(float(text)):
            return float(text)
    raise argparse.ArgumentTypeError(f"{text[:40]!r} must be a finite number")


def positive(text: str) -> float:
    """A finite number above 0."""
    if not number(text) > 0:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} must be above 0")
    return float(text)


def fraction(text: str) -> float:
    """A number above 0 and below 1."""
    with suppress(ValueError):
        if 0 < float(text) < 1:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text[:40]!r} must be a number above 0 and below 1")


def seed(text: str) -> int:
    """A whole number that fits in 64 bits."""
    with suppress(ValueError):
        if -(2**63) <= int(text) < 2**63:
            return int(text)
    raise argparse.ArgumentTypeError(f"{text[:40]!r} must be a whole number of 64 bits")
