"""A folder for the temporary files of an export."""

__all__ = ["scratch"]

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Make a temporary folder, to which libraries write their temporary files too.

    onnxruntime leaves a file in the folder that the variable ``TMPDIR`` names when it is imported.

    Args:
        path: The file that is exported.

    Raises:
        OSError: A temporary file cannot be written; the error names ``path``.
    """
    before = os.environ.get("TMPDIR")
    try:
        with tempfile.TemporaryDirectory(prefix="ign-export-") as folder:
            os.environ["TMPDIR"] = folder
            yield Path(folder)
    except OSError as error:
        if str(error.filename) == str(path):
            raise
        why = f"a temporary file cannot be written: {error.strerror or error}"
        raise OSError(error.errno, why, str(path)) from None
    finally:
        if before is not None:
            os.environ["TMPDIR"] = before
        else:
            os.environ.pop("TMPDIR", None)
