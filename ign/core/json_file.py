"""Parse untrusted JSON."""

__all__ = ["parse_json", "read_json"]

import json
from pathlib import Path
from typing import Any


def read_json(path: Path) -> Any:
    """Read a JSON file, UTF-8 with or without a byte order mark.

    Args:
        path: The file.

    Returns:
        The content. NaN and infinity, which are not JSON, are refused.

    Raises:
        ValueError: The file cannot be read, or is not JSON. The message is one line that names
            the file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None
    try:
        return parse_json(content)
    except ValueError as error:
        raise ValueError(f"{path}: cannot be read as JSON ({error})") from None


def parse_json(content: str | bytes) -> Any:
    """Parse untrusted JSON.

    Raises:
        ValueError: It is not JSON, is not UTF-8, is nested too deeply, or holds NaN, infinity or
            a number with too many digits.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
