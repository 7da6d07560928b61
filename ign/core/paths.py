"""Expand paths that users write."""

__all__ = ["expand_user"]

import os
from pathlib import Path


def expand_user(path: str | os.PathLike[str]) -> Path:
    """Replace a leading ``~`` by the home folder.

    A file or folder whose own name begins with ``~`` keeps its name, and so does ``./~name``. A
    home folder that cannot be found is not an error; the path is returned unchanged.
    """
    text = os.fspath(path)
    if text.startswith("~") and not os.path.lexists(text):
        text = os.path.expanduser(text)
    return Path(text)
