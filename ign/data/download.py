"""Download published files, such as MNIST and Fashion-MNIST, into the cache folder."""

__all__ = ["MIRRORS", "SHA256", "Unavailable", "fetch", "fetch_idx"]

import hashlib
import urllib.request
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError

from ign.core import terminal
from ign.core.text import printable
from ign.data.errors import DataError, Problem
from ign.data.idx import STEMS, find_idx
from ign.data.storage import replacing

MIRRORS = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    "fashion-mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
}
"""The servers that provide the files, in the order in which they are tried."""

SHA256 = {
    "mnist": {
        "train-images": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    "fashion-mnist": {
        "train-images": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
}
"""The SHA-256 checksums of the published files."""

TIMEOUT = 30.0
"""The number of seconds to wait for a response from a server."""

_CHUNK = 2**18


def fetch_idx(name: str, split: str, folder: Path, progress: bool = False) -> None:
    """Download the images and labels of a split that are missing from a folder.

    Existing files are not changed.

    Raises:
        DataError: No mirror provides a file with the expected checksum.
    """
    wanted = list(STEMS) if split == "all" else ["train" if split == "train" else "test"]
    for part in wanted:
        for kind, digits in (("images", 3), ("labels", 1)):
            if find_idx(folder, part, kind) is None:
                stem = f"{STEMS[part]}-{kind}"
                _fetch(name, f"{stem}-idx{digits}-ubyte.gz", SHA256[name][stem], folder, progress)


def _fetch(name: str, file: str, checksum: str, folder: Path, progress: bool) -> None:
    """Download a file from the first mirror that provides it."""
    problems: list[Problem] = []
    for mirror in MIRRORS[name]:
        try:
            return fetch(mirror + file, checksum, folder / file, progress)
        except Unavailable as error:
            problems += error.problems
    raise DataError(
        f"data {name!r}: {file} cannot be downloaded; put it and the other three .gz files of "
        f"{name} into '{printable(folder)}', or give a folder that holds them",
        problems,
    )


def fetch(url: str, checksum: str, path: Path, progress: bool = False) -> None:
    """Download one file, and write it only if it is complete and its SHA-256 matches.

    Raises:
        Unavailable: The server does not provide a file with the expected checksum.
        DataError: The file cannot be written.
    """
    try:
        content = _get(url, checksum, progress)
    except (OSError, HTTPException, _Mismatch) as error:
        why = error.reason if type(error) is URLError else error
        problem = (url, printable(" ".join(str(why).split())))
        raise Unavailable("cannot be downloaded", [problem]) from None
    with replacing(path) as temporary:
        temporary.write_bytes(content)


class Unavailable(DataError):
    """A file that a server does not provide."""


class _Mismatch(Exception):
    """The downloaded bytes differ from the published file."""


def _get(url: str, checksum: str, progress: bool) -> bytes:
    content = bytearray()
    request = urllib.request.Request(url, headers={"User-Agent": "ign"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        length = response.headers.get("Content-Length")
        total = int(length) if length is not None else None
        with terminal.progress(shown=progress, unit="bytes") as bar:
            task = bar.add_task(url.rsplit("/", 1)[1], total=total)
            while chunk := response.read(_CHUNK):
                content += chunk
                bar.advance(task, len(chunk))
    if total is not None and len(content) < total:
        raise _Mismatch(f"truncated after {len(content):,} of {total:,} bytes")
    if hashlib.sha256(content).hexdigest() != checksum:
        raise _Mismatch("the checksum is wrong")
    return bytes(content)
