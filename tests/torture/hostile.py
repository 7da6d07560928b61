"""Files that are damaged or made to do harm."""

import io
import random
import stat
import struct
import zipfile
from collections.abc import Iterator

import numpy as np
from PIL import Image

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "AVIF")


def image(seed: int = 0, kind: str = "PNG", side: int = 10) -> bytes:
    """A gray image of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def huge(side: int = 30_000) -> bytes:
    """A PNG of few bytes and of so many black pixels on a side."""
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    return file.getvalue()


def damaged(content: bytes, count: int, seed: int = 0, head: int | None = None) -> Iterator[bytes]:
    """A file that is empty, random, cut, and with one bit changed, so many in all.

    Args:
        content: The whole file.
        count: How many.
        seed: Where to cut and to change.
        head: Change bits of the first bytes only, so many.
    """
    chance = random.Random(seed)
    yield from (b"", chance.randbytes(300), content[:-1])[:count]
    for i in range(count - 3):
        if i % 3 == 0:
            yield content[: chance.randrange(len(content))]
        else:
            changed = bytearray(content)
            place = chance.randrange(min(len(content), head or len(content)))
            changed[place] ^= 1 << chance.randrange(8)
            yield bytes(changed)


def zipped(members: list[tuple[str | zipfile.ZipInfo, bytes]]) -> bytes:
    """A zip of these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def hostile_zips() -> Iterator[tuple[str, bytes]]:
    """A name for each hostile zip, and the zip; 25 good images are in each."""
    good: list[tuple[str | zipfile.ZipInfo, bytes]] = [(f"{i}.png", image(i)) for i in range(25)]
    whole = zipped(good)
    for name in (
        "../../precious.png", "../work/precious.txt", "/etc/hosts.png", "..\\..\\up.png",
        "C:\\up.png", "nul\0.png", "9" * 5000 + ".png", "²" * 30 + ".png", "a/" * 2000 + "x.png",
        "\x1b[31m.png", "a\nb.png", "a\rb.png", "-x.png", "~x.png", "/", "folder.png/",
    ):  # fmt: skip
        yield f"name {name[:20]!r}", zipped([*good, (name, image())])
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    yield "link", zipped([*good, (link, b"/etc/hosts")])
    yield "bomb", zipped([*good, ("bomb.png", bytes(200 * 2**20))])
    yield "bomb without suffix", zipped([*good, ("bomb", bytes(200 * 2**20))])
    yield "pixels", zipped([*good, ("pixels.png", huge())])
    yield "nested", zipped([("a.zip", whole)])
    yield "many", zipped([*((f"{i}.txt", b"") for i in range(20_000)), *good])
    entry = whole.rfind(b"PK\x01\x02")
    wrong = whole[: entry + 24] + struct.pack("<I", 2**32 - 16) + whole[entry + 28 :]
    yield "wrong size", wrong
    for method in (1, 6, 9, 12, 14, 93, 97, 99):
        changed = whole.replace(b"\x14\0\0\0\x08\0", b"\x14\0\0\0" + bytes([method]) + b"\0")
        yield f"compression {method}", changed
    yield "encrypted", whole.replace(b"\x14\x03\x14\0\0\0", b"\x14\x03\x14\0\1\0")
