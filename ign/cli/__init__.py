"""The command line: one small file a verb."""

__all__ = ["main"]

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from ign.core.streams import replace_unencodable

VERBS = {
    "train": "train a model on a named data set or any folder or zip of images",
    "sample": "generate images from noise",
    "project": "map images onto the data: restore what is noisy or spoilt",
    "edit": "inpaint, composite, interpolate, add attributes",
    "score": "measure how far images are from the data",
    "calibrate": "learn from clean images which scores to flag",
    "figures": "make every figure of the paper from a model",
    "evaluate": "measure samples against held-out images, and idempotence",
    "compare": "put evaluations beside each other",
    "export": "write one file for ONNX Runtime, browsers or torch.export",
    "info": "show what a model is",
    "push": "put a model on the Hugging Face Hub, with a card",
    "app": "open a page in the browser: draw, generate, edit, explore, score",
    "demo": "train on small digits in minutes and make a page of pictures",
    "completion": "make the Tab key complete all this in bash, zsh or fish",
}

OPTIONAL = (
    "lightning", "jsonargparse", "yaml", "sklearn", "tensorboard", "matplotlib", "imageio_ffmpeg",
    "onnx", "onnxscript", "onnxruntime", "shtab", "gradio",
)  # fmt: skip
"""Packages that may be missing."""
EXTRAS = {
    "edit": "figures", "figures": "figures", "evaluate": "eval", "compare": "eval",
    "export": "export", "app": "app", "completion": "completion",
}  # fmt: skip
"""Which extra brings what a verb needs, where it is not ``train``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``ign VERB ...``.

    Args:
        arguments: What follows the program's name; None for the process's own.

    Returns:
        0; 1 where a run failed; 2 for a user's mistake, told in one line; 128 + n after signal n.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    replace_unencodable()
    if not sys.stderr.isatty():  # nobody looks at the bars of the Hub's client
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if not words or words[0] not in VERBS:
        return _help(words)
    verb = import_module(f"ign.cli.{words[0]}")
    try:
        status: int | None = verb.run(words[1:])
        sys.stdout.flush()
        return status or 0
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # nobody reads: whatever Python still holds goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ValueError, OSError, ModuleNotFoundError) as error:
        return complain(words[0], error)


def complain(verb: str, error: Exception) -> int:
    """Tell a mistake in one line on standard error: exit status 2."""
    text = str(error)
    if isinstance(error, ModuleNotFoundError):
        extra = EXTRAS.get(verb, "train")
        text += f"; pip install 'ign[{extra}]'" if error.name in OPTIONAL else ""
    elif isinstance(error, OSError) and error.strerror:
        text = f"{error.filename or ''}: {error.strerror}".lstrip(": ")
    print(f"ign {verb}: {text}", file=sys.stderr)
    return 2


def _help(words: list[str]) -> int:
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
        what = "option" if words[0].startswith("-") else "verb"
        print(f"ign: no {what} {words[0]!r}; verbs: {', '.join(VERBS)}", file=sys.stderr)
        return 2
    if words:
        parser.parse_args(words[:1])
    parser.print_help(sys.stderr)
    return 2
