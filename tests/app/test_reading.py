"""What a visitor may send, and what is refused in words for them."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from ign.app import reading
from ign.app.markup import data_url
from ign.app.reading import decode_canvas, read_each, read_square, to_tensor
from ign.data import read_image, to_float


def png(width: int, height: int) -> bytes:
    """A PNG whose header promises so many pixels, and holds none."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    data = zlib.compress(b"\0" * 10)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


BAD = {
    "not an image of a known format": b"GIF? no",
    "over 50 megapixels": png(10_000, 5_001),
    "decompression bomb": png(60_000, 60_000),
    "over 20 MB": b"\xff\xd8\xff" + b"\0" * (20 * 2**20),
}


@pytest.mark.parametrize("words", BAD)
def test_what_is_refused(words, tmp_path):
    file = tmp_path / "bad.png"
    file.write_bytes(BAD[words])
    with pytest.raises(ValueError, match=f"bad.png: .*{words}") as caught:
        read_square(file, 280, True)
    assert str(tmp_path) not in str(caught.value)
    assert "\n" not in str(caught.value)
    found = list(read_each([str(file)], 8, True))
    assert [(one.name, one.image) for one in found] == [("bad.png", None)]
    assert words in found[0].reason


def test_a_picture_of_exactly_the_limit_is_let_through(tmp_path, monkeypatch):
    Image.new("L", (30, 20)).save(tmp_path / "a.png")
    monkeypatch.setattr(reading, "PIXELS", 600)
    assert read_square(tmp_path / "a.png", 8, True).size == (8, 8)
    monkeypatch.setattr(reading, "PIXELS", 599)
    with pytest.raises(ValueError, match="megapixels"):
        read_square(tmp_path / "a.png", 8, True)


def test_a_truncated_picture_is_refused(photo):
    with open(photo, "rb") as file:
        content = file.read()
    with pytest.raises(ValueError, match=r"it: .*trunc"):
        read_square(io.BytesIO(content[:300]), 280, False, "it")


def test_a_picture_of_the_models_size_keeps_its_pixels(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    big = read_square(tmp_path / "a.png", 280, True)
    assert (np.asarray(big.resize((28, 28), Image.Resampling.BOX)) == pixels).all()


def test_a_large_picture_is_cropped_to_its_centre(photo):
    found = to_tensor(read_square(photo, 16, False))
    assert torch.equal(found, to_float(torch.tensor(read_image(photo, 16, False))))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "nothing is drawn"),
        ("", "nothing is drawn"),
        ("/etc/passwd", "not a PNG"),
        ("data:text/html;base64,AAAA", "not a PNG"),
        ("data:image/png;base64,!!!", "not a PNG"),
        ("data:image/png;base64,AAAA", "not an image"),
        ({"path": "x"}, "not a PNG"),
        (data_url(png(9_000, 9_000)), "megapixels"),
    ],
)
def test_a_canvas_that_holds_no_drawing(given, words):
    with pytest.raises(ValueError, match=words):
        decode_canvas(given, 280, True)


def test_a_zip_is_read_and_its_broken_members_are_named(tmp_path, photo):
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        archive.write(photo, "deep/one.png")
        archive.writestr("two.png", b"nothing")
        archive.writestr("notes.txt", b"none")
        archive.writestr("bomb.png", png(60_000, 60_000))
    found = {one.name: one for one in read_each([str(tmp_path / "some.zip"), photo], 8, True)}
    assert set(found) == {"deep/one.png", "two.png", "bomb.png", "photo.png"}
    assert torch.equal(found["deep/one.png"].image, found["photo.png"].image)
    assert found["photo.png"].image.shape == (1, 8, 8)
    assert "not an image" in found["two.png"].reason
    assert "bomb" in found["bomb.png"].reason


def test_zips_that_cannot_be_read(tmp_path, photo):
    (tmp_path / "cut.zip").write_bytes(b"PK\3\4 and no more")
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("a.txt", b"x")
    with zipfile.ZipFile(tmp_path / "blown.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", b"\0" * (reading.FILE + 1))
    names = ("cut.zip", "none.zip", "blown.zip")
    found = list(read_each([str(tmp_path / name) for name in names], 8, True))
    assert "not a complete zip" in found[0].reason
    assert str(tmp_path) not in found[0].reason
    assert "no pictures in this zip" in found[1].reason
    assert found[2].name == "a.png"
    assert "unpacks to over 20 MB" in found[2].reason


def test_no_more_than_a_set_number_is_scored(photo, monkeypatch):
    monkeypatch.setattr(reading, "IMAGES", 3)
    found = list(read_each([photo] * 5, 8, True))
    assert [one.image is not None for one in found] == [True, True, True, False]
    assert "over 3 pictures" in found[-1].reason


def many(tmp_path, count: int, side: int, method: int = zipfile.ZIP_DEFLATED) -> str:
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    with zipfile.ZipFile(tmp_path / "many.zip", "w", method) as archive:
        for i in range(count):
            archive.writestr(f"{i}.png", file.getvalue())
    return str(tmp_path / "many.zip")


def test_pixels_are_counted_over_all_pictures_before_one_is_decoded(tmp_path, monkeypatch):
    decoded = []
    monkeypatch.setattr(reading, "PIXELS_TOTAL", 2500)
    monkeypatch.setattr(
        reading, "read_image", lambda *given: decoded.append(1) or read_image(*given)
    )
    found = list(read_each([many(tmp_path, 6, 30)], 8, True))
    assert [one.image is not None for one in found] == [True, True, False, False, False, False]
    assert "megapixels together" in found[2].reason
    assert len(decoded) == 2


def test_bytes_are_counted_over_all_members_before_one_is_unpacked(tmp_path, monkeypatch):
    path = many(tmp_path, 6, 30)
    with zipfile.ZipFile(path) as archive:
        size = archive.infolist()[0].file_size
    monkeypatch.setattr(reading, "BYTES_TOTAL", 3 * size)
    found = list(read_each([path], 8, True))
    assert [one.image is not None for one in found] == [True] * 3 + [False] * 3
    assert "MB together" in found[3].reason


def test_after_a_minute_no_further_picture_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "SECONDS", -1.0)
    found = list(read_each([many(tmp_path, 2, 30)], 8, True))
    assert all("seconds" in one.reason for one in found)


def test_zips_that_cost_too_much_to_list_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "ENTRIES", 5)
    assert "over 5 entries" in next(read_each([many(tmp_path, 6, 3)], 8, True)).reason
    assert next(read_each([many(tmp_path, 5, 3)], 8, True)).image is not None
    found = next(read_each([many(tmp_path, 1, 3, zipfile.ZIP_LZMA)], 8, True))
    assert "another method than deflate" in found.reason
