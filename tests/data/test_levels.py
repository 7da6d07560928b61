import io
import logging
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ign import data
from ign.data.levels import Percentiles, find_range, parse_range, to_levels


def chunk(name, content):
    check = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + check


def png(kind, depth, rows, extra=b""):
    """A PNG of a colour type and depth from rows of 16-bit values."""
    rows = np.asarray(rows)
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[kind]
    head = struct.pack(">IIBBBBB", rows.shape[1] // channels, len(rows), depth, kind, 0, 0, 0)
    lines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    written = [chunk(*part) for part in parts]
    return b"\x89PNG\r\n\x1a\n" + written[0] + extra + b"".join(written[1:])


def deep(folder, n=40, low=500, high=3500, suffix="png", kind=np.uint16):
    """Images that all span a range, with one hot pixel."""
    folder.mkdir(exist_ok=True)
    for i in range(n):
        ramp = np.linspace(low, high, 32 * 32).reshape(32, 32)
        ramp = np.roll(ramp, i, 0)
        if i == 0:
            ramp[0, 0] = 65535
        Image.fromarray(ramp.astype(kind)).save(folder / f"{i}.{suffix}")
    return folder


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_12_bits_in_16_are_seen_and_the_range_is_said(tmp_path, caplog, suffix):
    with caplog.at_level(logging.WARNING, "ign.data"):
        images = data.load(deep(tmp_path / "f", suffix=suffix))
    low, high = images.value_range
    assert (low, high) == (pytest.approx(500, abs=10), pytest.approx(3500, abs=10))
    assert images.images.min() == 0
    assert images.images.max() == 255
    assert abs(images.images.float().mean() - 127.5) < 2
    assert f"black is the value {low:g}, white {high:g}" in caplog.text
    assert data.load(tmp_path / "f", split="test").value_range == images.value_range


def test_the_range_can_be_given(tmp_path):
    folder = deep(tmp_path / "f")
    images = data.load(folder, split="all", value_range="0:4095", size=32)
    assert images.value_range == (0, 4095)
    assert images.images[1].min() == round(500 / 4095 * 255)
    assert images.images[1].max() == round(3500 / 4095 * 255)
    again = data.load(folder, split="all", value_range=(0, 4095), size=32)
    assert again.fingerprint() == images.fingerprint()
    low, high = data.load(folder, value_range="25%:75%").value_range
    assert (low, high) == (pytest.approx(1250, abs=15), pytest.approx(2750, abs=15))


def test_floating_point_has_a_range_too(tmp_path):
    assert data.load(deep(tmp_path / "a", high=2.0, low=-1, suffix="tiff", kind=np.float32),
                     split="all").value_range == (pytest.approx(-1, abs=0.1),
                                                  pytest.approx(2, abs=0.1))  # fmt: skip
    (tmp_path / "b").mkdir()
    Image.fromarray(np.float32([[0, 1], [0.5, 0.25]])).save(tmp_path / "b" / "x.tiff")
    images = data.load(tmp_path / "b", split="all")
    assert images.value_range == (0, 1)
    assert images.images.flatten().tolist() == [0, 255, 128, 64]
    assert images.notes == []


def test_all_16_bits_are_scaled_as_a_whole(tmp_path):
    images = data.load(deep(tmp_path / "f", low=2000, high=60000), split="all")
    assert images.value_range == (0, 65535)


def test_the_cache_knows_the_range(tmp_path):
    folder = deep(tmp_path / "f", 4)
    found = [
        data.load(folder, split="all", cache=tmp_path / "c", value_range=text).fingerprint()
        for text in (None, "0:4095", "0:9000", "0:4095")
    ]
    assert len(set(found)) == 3
    assert found[1] == found[3]


def test_a_range_that_nothing_uses_is_said(tmp_path, fill):
    notes = data.load(fill(tmp_path, 3), value_range="0:4095").notes
    assert notes == ["the value range 0:4095 is not used: no image has more than 8 bits"]


@pytest.mark.parametrize(
    "text", ["", "1", "5:5", "9:1", "a:b", "1:2:3", "nan:1", "0:inf", "0%:5", "-1%:5%", "0%:101%",
             "0:" + "9" * 400, "0:" + "9" * 5000, "\x1b[31m:1", "-1e308:1e308"],
)  # fmt: skip
def test_a_malformed_range_is_one_line(text):
    with pytest.raises(data.DataError, match="value range") as caught:
        data.load("digits", value_range=text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


def test_ranges_are_parsed():
    assert parse_range("-5:2.5") == (-5, 2.5)
    assert parse_range("1%:99.5 %") == Percentiles(1, 99.5)
    assert parse_range((0, 9)) == (0, 9)
    assert parse_range(None) is None


def test_few_bright_pixels_are_the_range_where_all_others_are_equal():
    values = np.zeros(100_000, np.uint16)
    assert find_range(values) == (0, 65535)
    values[:50] = 3500
    assert find_range(values) == (0, 3500)


def test_levels_are_the_nearest():
    values = np.array([[-9, 0, 8, 9, 255 * 17, 10**6]])
    assert to_levels(values, (0, 255 * 17)).tolist() == [[0, 0, 0, 1, 255, 255]]


def test_a_single_image_uses_its_own_range_and_says_so(tmp_path, caplog):
    path = deep(tmp_path / "f", 2) / "1.png"
    with caplog.at_level(logging.WARNING, "ign.data"):
        found = data.read_image(path)
    assert "black is the value 50" in caplog.text
    assert (found.min(), found.max()) == (0, 255)
    caplog.clear()
    found = data.read_image(path, value_range="0:4095")
    assert (found.min(), found.max()) == (31, 218)
    assert not caplog.text


def test_white_is_zero_is_turned_round(tmp_path):
    for values in (np.uint16([[0, 65535], [1000, 60000]]), np.float32([[0, -1], [-0.5, -0.25]])):
        image = Image.fromarray(values)
        image.save(tmp_path / "0.tiff", tiffinfo={262: 0})
        image.save(tmp_path / "1.tiff", tiffinfo={262: 1})
        inverted, plain = (data.read_image(tmp_path / f"{i}.tiff").astype(int) for i in (0, 1))
        assert np.abs(inverted - (255 - plain)).max() <= 1
        assert np.ptp(plain) == 255


def test_the_transparent_value_of_16_bit_gray_is_background(tmp_path):
    content = png(0, 16, [[0, 500, 65535]], chunk(b"tRNS", struct.pack(">H", 500)))
    assert data.read_image(io.BytesIO(content)).tolist() == [[[0, 255, 255]]]
    assert data.read_image(io.BytesIO(content), background=7).tolist() == [[[0, 7, 255]]]


def test_dark_colours_of_16_bits_are_said(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(png(2, 16, np.full((4, 12), 3500 + i)))
    notes = data.load(tmp_path, split="all").notes
    assert any("3 images have 16 bits per channel but only dark values" in n for n in notes)
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(png(2, 16, np.full((4, 12), 35000 + i)))
    assert not any("dark" in n for n in data.load(tmp_path, split="all").notes)


def deep_colours(kind, tmp_path):
    """Three colour images of over 8 bits per channel, and what is said about them."""
    folder = tmp_path / kind
    folder.mkdir()
    samples = np.random.default_rng(0).integers(0, 65536, (4, 12))
    for i in range(3):
        if kind == "png":
            content = png(2, 16, samples)
        elif kind == "ppm":
            content = b"P6\n4 4\n1023\n" + (samples >> 6).astype(">u2").tobytes()
        else:
            content = png(6, 16, np.tile(samples, 4)[:, :16])
        (folder / f"{i}.{'ppm' if kind == 'ppm' else 'png'}").write_bytes(content)
    return data.load(folder, split="all").notes


@pytest.mark.parametrize("kind", ["png", "ppm", "with transparency"])
def test_colours_that_are_cut_to_8_bits_are_said_once(kind, tmp_path):
    assert deep_colours(kind, tmp_path) == [
        "3 images have more than 8 bits per colour channel; only the upper 8 bits are used"
    ]


def test_colours_of_8_bits_are_not_called_cut(tmp_path):
    """Sixteen is in a JPEG 2000 file's length and in the suffix, and not in its depth."""
    for name in ("16.jp2", "16.png", "16.jpg", "16.ppm", "16.tiff"):
        Image.new("RGB", (16, 16), (16, 16, 16)).save(tmp_path / name)
    assert data.load(tmp_path, split="all").notes == []


def test_16_bit_gray_with_transparency_is_gray(tmp_path):
    (tmp_path / "x.png").write_bytes(png(4, 16, [[60000, 65535, 3000, 0]]))
    assert data.read_image(tmp_path / "x.png").tolist() == [[[234, 255]]]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pixels_that_are_no_numbers_are_refused(tmp_path, value):
    Image.fromarray(np.float32([[0, value]])).save(tmp_path / "x.tiff")
    with pytest.raises(data.DataError, match="NaN or infinite"):
        data.read_image(tmp_path / "x.tiff")
