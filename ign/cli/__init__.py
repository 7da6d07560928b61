"""The command line: one small file for each verb."""

__all__ = ["VERBS", "main"]

import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

VERBS = {
    "train": "train a model on a named data set or any folder or zip of images",
    "sample": "generate images from noise",
    "project": "map images onto the data: restore noisy or damaged images",
    "edit": "inpaint, composite, interpolate, add attributes",
    "score": "measure how far images are from the data",
    "calibrate": "learn from clean images which scores to flag",
    "figures": "draw every figure of the paper from a model",
    "evaluate": "measure samples against held-out images, and idempotence",
    "compare": "compare evaluations in a table and plots",
    "export": "write one file for ONNX Runtime, browsers or torch.export",
    "info": "show what a model is",
    "push": "upload a model to the Hugging Face Hub, with a model card",
    "app": "open a page in the browser: draw, generate, edit, explore, score",
    "demo": "train on small digits in minutes and make a page of pictures",
    "completion": "print a script for Tab completion in bash, zsh or fish",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``ign VERB ...``.

    Args:
        arguments: The command-line arguments; None for ``sys.argv``.

    Returns:
        0 for success; 1 for a failed run or an unexpected error, whose report is in a file; 2 for
        bad input, which is explained in one line; 128 + n for signal n.
    """
    from ign.cli import faults
    from ign.core.terminal import plain_streams

    words = list(sys.argv[1:] if arguments is None else arguments)
    verb = words[0] if words and words[0] in VERBS else ""
    if not (sys.stderr and sys.stderr.isatty()):  # nobody looks at the bars of the Hub's client
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # a cache on a full disk
    with plain_streams():
        try:
            status = _run(words)
            if sys.stdout is not None:
                sys.stdout.flush()
            return status
        except KeyboardInterrupt:
            return faults.interrupted(verb)
        except BrokenPipeError:
            _discard_output()
            return 141
        except (ValueError, OSError, ModuleNotFoundError) as error:
            _flush_or_discard()
            return faults.mistake(verb, error)
        except Exception as error:
            _flush_or_discard()
            return faults.unexpected(verb, error, words)


def _run(words: list[str]) -> int:
    from ign.cli import overview

    words = overview.plain_words(words)
    if not words or words[0] not in VERBS:
        return overview.show(words)
    status: int | None = import_module(f"ign.cli.{words[0]}").run(words[1:])
    return status or 0


def _flush_or_discard() -> None:
    """Flush standard output, and discard what cannot be written."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        _discard_output()


def _discard_output() -> None:
    """Discard the buffered standard output, so that the exit prints no error."""
    with suppress(OSError, ValueError, AttributeError):  # standard output may not be a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
