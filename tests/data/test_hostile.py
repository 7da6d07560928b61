"""Files that were made to break a reader, or that a careless program made."""

import io
import logging
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from ign import data
from ign.data import decode, formats
from ign.data.budget import Budget
from ign.data.files import list_zip

PNG = b"\x89PNG\r\n\x1a\n"


def chunk(name, content):
    check = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + check


def with_chunk(path, name, content):
    """Put a chunk behind the header of a PNG."""
    whole = path.read_bytes()
    path.write_bytes(whole[:33] + chunk(name, content) + whole[33:])


@pytest.fixture
def in_time():
    """Fail instead of hanging."""

    def late(*_):
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_a_zip_with_backslashes_has_its_folders(tmp_path, fill):
    folder = fill(tmp_path / "f", 6)
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("data\\", b"")
        for i in range(6):
            split = "test" if i < 2 else "train"
            member = zipfile.ZipInfo("x")
            member.filename = f"data\\{split}\\{i}.png"
            archive.writestr(member, (folder / f"{i:02d}.png").read_bytes())
        member = zipfile.ZipInfo("x")
        member.filename = "data\\metadata.csv"
        rows = [f"{'test' if i < 2 else 'train'}\\{i}.png,{1 if i else -1}" for i in range(6)]
        archive.writestr(member, "\n".join(["file_name,Bald", *rows]))
    train, test = (data.load(tmp_path / "z.zip", split=split) for split in ("train", "test"))
    assert train.names == [f"data/train/{i}.png" for i in range(2, 6)]
    assert test.names == ["data/test/0.png", "data/test/1.png"]
    found = data.load_attributes(test.source, test.names)
    assert found.values.flatten().tolist() == [False, True]


def test_a_name_of_many_digits_is_no_trouble(tmp_path, fill):
    names = ["9" * 5000 + ".png", "1" + "0" * 5000 + ".png", "2.png", "0" * 5000 + "1.png"]
    content = (fill(tmp_path / "f", 1) / "00.png").read_bytes()
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for name in names:
            archive.writestr(name, content)
        archive.writestr("7" * 5000 + "broken.png", b"")
    listed = [file.name for file in list_zip(tmp_path / "z.zip").files]
    assert listed[:2] == [names[3], names[2]]
    assert listed[-2:] == [names[0], names[1]]
    with pytest.raises(data.DataError, match="1 of 5") as caught:
        data.load(tmp_path / "z.zip", split="all")
    assert len(str(caught.value)) < 1000


def test_a_damaged_stream_in_a_zip_is_one_line(tmp_path, fill):
    content = (fill(tmp_path / "f", 1) / "00.png").read_bytes()
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(30):
            archive.writestr(f"{i}.png", content)
        archive.writestr("unknown", content)
        places = [archive.getinfo(n).header_offset + 30 + len(n) for n in ("4.png", "unknown")]
    whole = bytearray((tmp_path / "z.zip").read_bytes())
    for place in places:
        whole[place : place + 8] = b"\xff" * 8
    (tmp_path / "z.zip").write_bytes(whole)
    images = data.load(tmp_path / "z.zip", split="all")
    assert len(images) == 29
    assert [name for name, _ in images.skipped] == ["4.png"]


def test_names_that_a_terminal_would_obey_are_written_out(tmp_path, fill, caplog):
    folder = fill(tmp_path / "\x1b[31mred", 30)
    raw = os.fsencode(folder) + b"/caf\xe9\x1b[2J\xe2\x80\xae.png"
    with open(raw, "wb"):
        pass
    with caplog.at_level(logging.WARNING, "ign.data"):
        images = data.load(folder, split="all")
    assert len(images) == 30
    assert "caf\\xe9\\x1b[2J\\u202e.png: not an image" in caplog.text
    assert "\x1b" not in caplog.text
    caplog.text.encode()
    with pytest.raises(data.DataError, match=r"caf\\xe9\\x1b") as caught:
        data.read_image(os.fsdecode(raw))
    assert str(caught.value).isprintable()
    for wrong in (folder / "\x1bnone", folder / "00.png"):
        with pytest.raises(data.DataError) as caught:
            data.load(wrong)
        assert str(caught.value).isprintable()


def test_long_names_are_read_and_cached(tmp_path, fill):
    folder = fill(tmp_path / ("ä" * 120 + "x" * 15), 3)
    (folder / "00.png").rename(folder / ("x" * 251 + ".png"))
    first = data.load(folder, split="all", cache=tmp_path / "c")
    assert first.fingerprint() == data.load(folder, split="all").fingerprint()
    assert len(list((tmp_path / "c" / "images").iterdir())) == 1
    with pytest.raises(data.DataError, match="no such file") as caught:
        data.load(tmp_path / ("x" * 5000))
    assert len(str(caught.value)) < 500


def test_a_folder_whose_name_begins_with_a_tilde(tmp_path, fill, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "~root", 3)
    for source in ("./~root", "~root", tmp_path / "~root"):
        assert len(data.load(source, split="all")) == 3


def test_without_a_home_folder(tmp_path, fill, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("IGN_CACHE")
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}[0])
    assert len(data.load(fill(tmp_path / "f", 3), split="all")) == 3
    with pytest.raises(data.DataError, match="no home folder for the cache; set a folder with"):
        data.load(tmp_path / "f", split="all", memory_limit=10)
    with pytest.raises(data.DataError, match="no such file"):
        data.load("~/photos")
    assert not (tmp_path / "~").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_and_devices_are_refused_in_time(tmp_path, fill, in_time):
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.zip")
    for source in (tmp_path / "pipe", tmp_path / "pipe.zip", "/dev/zero", "/dev/null"):
        with pytest.raises(data.DataError, match="neither a folder nor"):
            data.load(source)
        with pytest.raises(data.DataError, match="a pipe, a socket or a device"):
            data.read_image(source)
    folder = fill(tmp_path / "f", 3)
    for name in ("a.png", "train.zip", "metadata.csv", "train-images-idx3-ubyte", "x"):
        os.mkfifo(folder / name)
    os.symlink("/dev/zero", folder / "zero.png")
    assert len(data.load(folder, split="all")) == 3
    assert data.load_attributes(folder, ["00.png"]) is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 3_000_000)),
        (b"tEXt", b"Raw profile type exif\0\nexif\n      10\nno hexadecimal text"),
        (b"eXIf", b"MM\0*\0\0\0\x08\0\x05\x01\x12\0\x03"),
        (b"eXIf", b"damaged"),
        (b"iCCP", b"profile\0\0damaged"),
        (b"iTXt", b"damaged"),
    ],
    ids=["long text", "no hexadecimal text", "short EXIF", "no EXIF", "colour profile", "iTXt"],
)
def test_sound_pixels_are_read_whatever_the_metadata(tmp_path, draw, name, content):
    draw().save(tmp_path / "x.png")
    expected = data.read_image(tmp_path / "x.png")
    with_chunk(tmp_path / "x.png", name, content)
    assert (data.read_image(tmp_path / "x.png") == expected).all()
    assert (data.read_image(io.BytesIO((tmp_path / "x.png").read_bytes())) == expected).all()
    assert decode.read_header(str(tmp_path / "x.png")).width == 16


@pytest.mark.parametrize("suffix", ["jpg", "webp", "tiff"])
def test_damaged_exif_of_other_formats(tmp_path, draw, suffix):
    how = {} if suffix == "tiff" else {"exif": b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(range(40))}
    draw().save(tmp_path / f"x.{suffix}", **how)
    assert data.read_image(tmp_path / f"x.{suffix}").shape == (3, 16, 16)


@pytest.mark.parametrize(
    ("head", "advice"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(50), "HEIC is not supported; .* pip install pillow-heif"),
        (b"\0\0\0\x18ftypmif1" + bytes(50), "HEIC is not supported"),
        (b"\xff\x0a" + bytes(50), "JPEG XL is not supported; convert it to PNG or JPEG$"),
        (b"words", "not an image of a known format"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path, head, advice):
    (tmp_path / "x.heic").write_bytes(head)
    with pytest.raises(data.DataError, match=advice):
        data.read_image(tmp_path / "x.heic")


def test_a_pillow_without_avif_reads_what_it_can(tmp_path, draw, monkeypatch):
    draw().save(tmp_path / "x.jp2")
    draw().save(tmp_path / "x.avif")
    (tmp_path / "words.png").write_bytes(b"words")
    monkeypatch.delitem(Image.OPEN, "AVIF")
    monkeypatch.setattr(formats, "available", formats.available.__wrapped__)
    monkeypatch.setattr(decode, "available", formats.available)
    assert data.read_image(tmp_path / "x.jp2").shape == (3, 16, 16)
    for name, why in (("words.png", "known format"), ("x.avif", "AVIF is not supported; convert")):
        with pytest.raises(data.DataError, match=why):
            data.read_image(tmp_path / name)


def test_one_empty_file_among_a_hundred_images(tmp_path, fill, caplog):
    fill(tmp_path, 99)
    held_out = data.load(tmp_path, split="test").names
    assert len(held_out) < 20
    (tmp_path / held_out[0]).write_bytes(b"")
    assert len(data.load(tmp_path, split="test")) == len(held_out) - 1
    for name in held_out:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(data.DataError, match="can be read"):
        data.load(tmp_path, split="test")


def test_all_broken_files_are_listed_and_can_be_skipped(tmp_path, fill, own_cache):
    fill(tmp_path / "f", 60)
    for i in range(0, 60, 2):
        (tmp_path / "f" / f"{i:02d}.png").write_bytes(b"words")
    with pytest.raises(data.DataError, match=r"30 of 60 .*more than 5%; .*skip_broken") as caught:
        data.load(tmp_path / "f", split="all")
    assert [name for name, _ in caught.value.problems] == [f"{i:02d}.png" for i in range(0, 60, 2)]
    (listed,) = (own_cache / "broken").iterdir()
    assert str(listed) in str(caught.value)
    lines = listed.read_text(encoding="utf-8").splitlines()
    assert lines == [f"{i:02d}.png: not an image of a known format" for i in range(0, 60, 2)]
    how = {"split": "all", "cache": tmp_path / "c"}
    images = data.load(tmp_path / "f", skip_broken=True, **how)
    assert images.names == [f"{i:02d}.png" for i in range(1, 60, 2)]
    assert (data.load(tmp_path / "f", skip_broken=True, **how).images == images.images).all()
    with pytest.raises(data.DataError, match="30 of 60"):
        data.load(tmp_path / "f", **how)
    for path in (tmp_path / "f").iterdir():
        path.write_bytes(b"words")
    with pytest.raises(data.DataError, match="none of its 60 images can be read"):
        data.load(tmp_path / "f", split="all", skip_broken=True)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (90, 10)])
def test_tiny_and_very_long_pictures_are_said(tmp_path, fill, size, caplog):
    fill(tmp_path, 5)
    Image.new("RGB", size).save(tmp_path / "odd.png")
    with caplog.at_level(logging.WARNING, "ign.data"):
        data.load(tmp_path, split="all")
    assert f"1 image has a side under 8 pixels, or an aspect ratio over 8, such as " \
        f"'odd.png' ({size[0]}x{size[1]})" in caplog.text  # fmt: skip


def test_colours_and_sizes_that_are_lost_are_said(tmp_path, fill, caplog):
    fill(tmp_path, 5, (64, 48))
    with caplog.at_level(logging.WARNING, "ign.data"):
        images = data.load(tmp_path, split="all", size=28, gray=True)
    expected = [
        "5 images were resized from 64x48 to 28x28 pixels",
        "5 colour images were converted to gray",
    ]
    assert images.notes == expected
    assert all(note in caplog.text for note in expected)
    caplog.clear()
    again = data.load(tmp_path, split="all", size=28, gray=True, cache=tmp_path / "c")
    cached = data.load(tmp_path, split="all", size=28, gray=True, cache=tmp_path / "c")
    assert again.notes == cached.notes == expected
    caplog.clear()
    with caplog.at_level(logging.WARNING, "ign.data"):
        assert data.load(tmp_path, split="all").shape == (3, 64, 64)
    assert not caplog.text


def test_a_flipped_bit_anywhere_in_the_cache_is_found(tmp_path, fill, caplog):
    folder, cache = fill(tmp_path / "f", 4), tmp_path / "c"
    (folder / "broken.png").write_bytes(b"")
    how = {"split": "all", "cache": cache, "skip_broken": True}
    expected = data.load(folder, **how)
    expected = expected.fingerprint(), expected.names, expected.skipped
    (path,) = (cache / "images").iterdir()
    whole = path.read_bytes()
    for place in [
        *range(0, 128, 7),
        *range(128, len(whole), 211),
        *range(len(whole) - 300, len(whole), 9),
    ]:
        spoilt = bytearray(whole)
        spoilt[place] ^= 4
        path.write_bytes(spoilt)
        images = data.load(folder, **how)
        assert (images.fingerprint(), images.names, images.skipped) == expected, place
    assert "is damaged (its checksum is wrong); the images are decoded again" in caplog.text


def test_the_cache_of_other_images_is_not_taken_for_these(tmp_path, fill):
    cache, how = tmp_path / "c", {"split": "all", "cache": tmp_path / "c"}
    one, other = fill(tmp_path / "one", 4), fill(tmp_path / "other", 4)
    for i in range(4):
        Image.new("RGB", (16, 16), "red").save(other / f"{i:02d}.png")
    for folder in (one, other):
        data.load(folder, **how)
    a, b = sorted((cache / "images").iterdir())
    a.write_bytes(b.read_bytes())
    assert data.load(one, **how).fingerprint() == data.load(one, split="all").fingerprint()
    small = fill(tmp_path / "small", 3, (8, 8))
    data.load(small, **how)
    (c,) = set((cache / "images").iterdir()) - {a, b}
    c.write_bytes(a.read_bytes())
    assert data.load(small, **how).images.shape == (3, 3, 8, 8)


@pytest.mark.parametrize(
    "record", [b"[" * 100_000, b"[1e999, 2]", b"9" * 5000, b'["{}", 3]', b"\xff", b"null"]
)
def test_a_hostile_record_in_the_cache_is_not_trusted(tmp_path, fill, record):
    folder, cache = fill(tmp_path / "f", 3), tmp_path / "c"
    first = data.load(folder, split="all", cache=cache)
    (path,) = (cache / "images").iterdir()
    path.write_bytes(path.read_bytes()[: 128 + 3 * 3 * 16 * 16] + record)
    assert data.load(folder, split="all", cache=cache).fingerprint() == first.fingerprint()


def test_a_header_of_a_huge_idx_file_takes_no_memory(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(bytes((0, 0, 8, 3)) + b"\xff" * 12)
    with pytest.raises(data.DataError, match=r"announces 4294967295 x .* bytes and 0 follow"):
        data.load(tmp_path)


@pytest.mark.parametrize(
    "text", ["9" * 400 + ",1", "[" * 10_000, "\0" * 100, "1.png," + "9" * 10_000, "\x1b[31m,1,1"]
)
@pytest.mark.parametrize("name", ["metadata.csv", "list_attr_celeba.txt"])
def test_hostile_tables_are_one_line(tmp_path, text, name):
    (tmp_path / name).write_text(f"file_name,Bald\n{text}\n", encoding="utf-8")
    with pytest.raises(data.DataError) as caught:
        data.load_attributes(tmp_path, ["1.png"])
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


def test_threads_share_the_memory_for_decoding():
    budget, now, most = Budget(100), [0], [0]
    lock = threading.Lock()

    def work(amount):
        with budget.use(amount):
            with lock:
                now[0] += min(amount, 100)
                most[0] = max(most[0], now[0])
            time.sleep(0.005)
            with lock:
                now[0] -= min(amount, 100)

    threads = [threading.Thread(target=work, args=(10 + 17 * i % 150,)) for i in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert 50 < most[0] <= 100
    with pytest.raises(KeyError), budget.use(100):
        raise KeyError
    with budget.use(100):
        pass


MEASURE = """
import resource, sys
from ign import data
from ign.data import reading
reading._threads = lambda: 16
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
images = data.load(sys.argv[1], split="all", size=64)
assert len(images) == 16, len(images)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.slow
def test_sixteen_large_pictures_take_the_memory_of_few(tmp_path):
    side = 4000
    Image.new("RGBA", (side, side), (9, 8, 7, 100)).save(tmp_path / "0.png", compress_level=1)
    for i in range(1, 16):
        os.link(tmp_path / "0.png", tmp_path / f"{i}.png")
    command = [sys.executable, "-c", MEASURE, str(tmp_path)]
    taken = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert taken < 1.5 * decode.MEMORY.total


def spoilt(rng, content):
    """The content with a few bytes changed, cut, doubled or made up."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 8)):
        place, length = rng.integers(0, len(content)), int(rng.integers(1, 9))
        kind = rng.integers(0, 4)
        if kind == 0:
            content[place] ^= 1 << rng.integers(0, 8)
        elif kind == 1:
            content[place : place + length] = rng.bytes(length)
        elif kind == 2:
            content[place:place] = content[place : place + 8 * length]
        elif len(content) > 64:
            del content[place : place + length]
    return bytes(content)


@pytest.mark.parametrize(
    "suffix", ["png", "jpg", "webp", "bmp", "gif", "tiff", "ppm", "jp2", "avif"]
)
def test_nothing_but_a_data_error_leaves_the_reader(tmp_path, draw, suffix, in_time):
    draw().save(tmp_path / f"x.{suffix}")
    content, rng = (tmp_path / f"x.{suffix}").read_bytes(), np.random.default_rng(0)
    said = []
    for i in range(60):
        damaged = spoilt(rng, content) if i % 10 else content[:16] + rng.bytes(100)
        (tmp_path / "y").write_bytes(damaged)
        for file in (tmp_path / "y", io.BytesIO(damaged)):
            try:
                assert data.read_image(file, size=8).shape[1:] == (8, 8)
            except data.DataError as error:
                said.append(str(error))
    assert len(said) > 5
    assert all(line.isprintable() for line in said)


@pytest.mark.parametrize("kind", ["zip", "idx", "csv", "partition"])
def test_nothing_but_a_data_error_leaves_the_loader(tmp_path, fill, kind, in_time):
    folder = fill(tmp_path / "f", 4)
    if kind == "zip":
        path = tmp_path / "z.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, file.name)
            archive.writestr("metadata.csv", "file_name,Bald\n00.png,1\n")
        source = path
    elif kind == "idx":
        path, source = tmp_path / "train-images-idx3-ubyte", tmp_path
        path.write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, 2, 8, 8) + bytes(128))
    elif kind == "csv":
        path, source = folder / "metadata.csv", folder
        path.write_text("file_name,Bald\n" + "".join(f"0{i}.png,1\n" for i in range(4)), "utf-8")
    else:
        folder.rename(tmp_path / "img_align_celeba")
        path, source = tmp_path / "list_eval_partition.txt", tmp_path
        path.write_text("".join(f"0{i}.png {i % 3}\n" for i in range(4)), "utf-8")
    content, rng = path.read_bytes(), np.random.default_rng(1)
    said = []
    for _ in range(60):
        path.write_bytes(spoilt(rng, content))
        try:
            images = data.load(source, split="all", size=8)
            data.load_attributes(source, images.names)
        except data.DataError as error:
            said += str(error).split("\n")
    assert len(said) > 5
    assert all(line.isprintable() for line in said)
