"""Bodies of requests, which are read within limits of size and time and treated as untrusted."""

__all__ = ["Body", "parse_job", "read_upload"]

import asyncio
import json
import math
import time
from collections.abc import Callable
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ign.app.uploads import Refused, Reservation, Uploads

IDLE = 15.0
"""The maximum number of seconds without data."""
PATIENCE = 30.0
"""The number of seconds that a body may take at any rate."""
SPEED = 100_000
"""The minimum number of bytes per second after this time."""
FILES = 1000
"""The maximum number of files in one upload."""
REFERENCE = {"path", "url", "meta", "is_stream", "orig_name", "mime_type", "is_file"}
"""The keys of an object that gradio treats as a file."""


class Body:
    """The body of a request, in pieces.

    Args:
        receive: The ASGI function that returns the next message.
        length: The header ``Content-Length``.
        most: The maximum number of bytes.

    Raises:
        Refused: The length is over ``most`` or is not a number.
    """

    def __init__(self, receive: Any, length: str, most: int) -> None:
        self._receive, self._most = receive, most
        if not (length.isascii() and length.isdigit()) or int(length[:20]) > most:
            raise self._too_large()

    def _too_large(self) -> Refused:
        return Refused(f"the request is over {self._most // 10**6} MB")

    async def pieces(self) -> Any:
        """Yield the pieces.

        Raises:
            Refused: The body is too large or arrives too slowly, or the client has disconnected.
        """
        start, count, more = time.monotonic(), 0, True
        while more:
            left = start + PATIENCE + count / SPEED - time.monotonic()
            try:
                message = await asyncio.wait_for(self._receive(), max(0.001, min(IDLE, left)))
            except TimeoutError:
                raise Refused("the request came too slowly; try again", 408) from None
            if message["type"] == "http.disconnect":
                raise Refused("the client has disconnected", 400)
            piece, more = message.get("body", b""), message.get("more_body", False)
            count += len(piece)
            if count > self._most:
                raise self._too_large()
            yield piece

    async def read(self) -> bytes:
        """Read the whole body."""
        return b"".join([piece async for piece in self.pieces()])


async def read_upload(
    body: Body, content_type: str, uploads: Uploads, visitor: str, most: int
) -> list[str]:
    """Write the files of a form to disk.

    Args:
        body: The form.
        content_type: The header ``Content-Type``, which contains the boundary.
        uploads: The registry of uploaded files.
        visitor: The visitor who uploads them.
        most: The maximum number of bytes of each file.

    Returns:
        The identifiers of the files.

    Raises:
        Refused: The body is not a form with files, or is too large. No file of it is kept.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise Refused("an upload is a form with files", 400)
    files, ended = Reservation(uploads, visitor, most), asyncio.Event()
    try:
        callbacks = _callbacks(files) | {"on_end": ended.set}
        parser = MultipartParser(options[b"boundary"], callbacks)  # type: ignore[arg-type]
        async for piece in body.pieces():
            parser.write(piece)
        if not ended.is_set():
            raise FormParserError
    except FormParserError:
        files.cancel()
        raise Refused("the upload is not a complete form", 400) from None
    except BaseException:
        files.cancel()
        raise
    return files.identifiers


def _callbacks(files: Reservation) -> dict[str, Callable[..., None]]:
    """The callbacks of the form parser, which write each part that has a file name to disk."""
    key, value, name = bytearray(), bytearray(), [""]

    def begin() -> None:
        name[0] = ""

    def header() -> None:
        if key.lower() == b"content-disposition":
            found = parse_options_header(bytes(value))[1].get(b"filename", b"")
            name[0] = found.decode(errors="replace")
        key.clear()
        value.clear()

    def headers() -> None:
        if not name[0]:
            raise Refused("an upload holds files only", 400)
        if len(files.identifiers) == FILES:
            raise Refused(f"over {FILES} files at once")
        files.begin(name[0])

    return {
        "on_part_begin": begin,
        "on_header_field": lambda data, start, end: key.extend(data[start:end]),
        "on_header_value": lambda data, start, end: value.extend(data[start:end]),
        "on_header_end": header,
        "on_headers_finished": headers,
        "on_part_data": lambda data, start, end: files.write(data[start:end]),
        "on_part_end": files.end,
    }


def parse_job(content: bytes, visitor: str, uploads: Uploads, functions: dict[int, int]) -> Any:
    """Parse a job, and accept only what the page itself can post.

    An object that gradio would treat as a file is replaced by a record of a file that this visitor
    uploaded. A job can therefore not name a path, a URL or a stream.

    Args:
        content: The job as JSON.
        visitor: The visitor who posted it.
        uploads: The registry of uploaded files.
        functions: The number of inputs of each function of the page.

    Raises:
        Refused: The job has any other form.
    """
    try:
        job = json.loads(content, parse_constant=_not_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        raise Refused("the job is not JSON with finite numbers", 400) from None
    if not isinstance(job, dict) or not isinstance(job.get("session_hash"), str):
        raise Refused("the job is not an object with a session_hash", 400)
    number, data = job.get("fn_index"), job.get("data")
    if isinstance(number, bool) or not isinstance(number, int) or number not in functions:
        raise Refused("the page has no such function", 400)
    if not isinstance(data, list) or len(data) != functions[number]:
        raise Refused(f"the function takes {functions[number]} values", 400)
    trigger = job.get("trigger_id")
    return {
        "data": [_own_files(one, visitor, uploads) for one in data],
        "fn_index": number,
        "session_hash": job["session_hash"],
        "trigger_id": trigger if type(trigger) is int and abs(trigger) < 2**31 else None,
        "event_data": None,
    }


def _own_files(value: Any, visitor: str, uploads: Uploads) -> Any:
    if isinstance(value, list):
        return [_own_files(one, visitor, uploads) for one in value]
    if not isinstance(value, dict):
        return value
    if not REFERENCE & value.keys():
        return {key: _own_files(one, visitor, uploads) for key, one in value.items()}
    try:
        found = uploads.find(value.get("path"), visitor)
    except KeyError:
        raise Refused(
            "a file of the job was not uploaded in this browser, or no longer exists;"
            " upload it again", 403,
        ) from None  # fmt: skip
    return {
        "path": str(found.path),
        "orig_name": found.path.name,
        "meta": {"_type": "gradio.FileData"},
    }


def _not_finite(text: str) -> float:
    raise ValueError(f"{text} is not a finite number")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _not_finite(text)
