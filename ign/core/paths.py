"""Paths that users write, and names that are not UTF-8."""

__all__ = ["expand_user", "in_utf8"]

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


def expand_user(path: str | os.PathLike[str]) -> Path:
    """Replace a leading ``~`` by the home folder.

    A file or folder whose own name begins with ``~`` keeps its name, and so does ``./~name``. A
    home folder that cannot be found is not an error; the path is returned unchanged.
    """
    text = os.fspath(path)
    if text.startswith("~") and not os.path.lexists(text):
        text = os.path.expanduser(text)
    return Path(text)


@contextmanager
def in_utf8(path: Path) -> Iterator[Path]:
    """A path in UTF-8 to the same file, for libraries that refuse other names.

    If a folder has another name, the path leads through a link in the folder of temporary files.
    """
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        with TemporaryDirectory(prefix="ign-") as folder:
            link = Path(folder) / "link"
            link.symlink_to(path.absolute().parent, target_is_directory=True)
            yield link / path.name
    else:
        yield path
