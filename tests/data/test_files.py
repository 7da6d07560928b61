import os
import zipfile

import pytest

from ign.data import DataError
from ign.data.files import Reader, list_folder, list_zip, natural_key


def names(listing):
    return [file.name for file in listing.files]


def test_numbers_in_names_sort_as_numbers():
    wrong = ["b1.png", "a10.png", "A2.png", "a1/x.png", "a2.png", "10.png", "9.png"]
    right = ["9.png", "10.png", "a1/x.png", "A2.png", "a2.png", "a10.png", "b1.png"]
    assert sorted(wrong, key=natural_key) == right


def test_side_files_and_hidden_files_do_not_count(tmp_path, draw):
    for name in ("a.png", "sub/deep/b.JPG", ".hidden.png", ".thumbs/c.png", "__MACOSX/d.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        draw().save(tmp_path / name)
    for name in ("notes.txt", "t.csv", "m.json", "README.md", ".DS_Store", "Makefile", "x.unknown"):
        (tmp_path / name).write_text("words", encoding="utf-8")
    listing = list_folder(tmp_path)
    assert names(listing) == ["a.png", "sub/deep/b.JPG"]
    assert listing.others == 6
    assert names(list_folder(tmp_path, nested=False)) == ["a.png"]


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "bmp", "gif", "tiff"])
def test_where_the_suffix_says_nothing_the_first_bytes_decide(tmp_path, draw, format):
    draw().save(tmp_path / "picture", format=format)
    draw().save(tmp_path / "picture.dat", format=format)
    assert names(list_folder(tmp_path)) == ["picture", "picture.dat"]
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.write(tmp_path / "picture", "folder/picture")
        archive.writestr("folder/words", "words")
    listing = list_zip(tmp_path / "z.zip")
    assert (names(listing), listing.others) == (["folder/picture"], 1)


def test_links_are_followed_once_and_loops_end(tmp_path, fill):
    fill(tmp_path / "root" / "a", 2)
    fill(tmp_path / "elsewhere", 3)
    (tmp_path / "root" / "b").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root" / "a" / "up").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "self").symlink_to(tmp_path / "root" / "self")
    (tmp_path / "root" / "lost.png").symlink_to(tmp_path / "nowhere.png")
    assert names(list_folder(tmp_path / "root")) == [
        "a/00.png", "a/01.png", "b/00.png", "b/01.png", "b/02.png", "lost.png",
    ]  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    assert list_folder(tmp_path).files == []


def test_members_of_a_zip_are_read(tmp_path, fill):
    folder = fill(tmp_path / "f", 3)
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in (2, 0, 1):
            archive.write(folder / f"{i:02d}.png", f"../x/{i}.png")
        archive.writestr("__MACOSX/x/._0.png", "x")
        archive.writestr("x/readme.txt", "x")
    listing = list_zip(tmp_path / "z.zip")
    assert names(listing) == ["../x/0.png", "../x/1.png", "../x/2.png"]
    with Reader() as reader:
        assert reader.open(listing.files[1]).read() == (folder / "01.png").read_bytes()


def test_a_member_that_unpacks_to_too_much_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("ign.data.files.LARGEST", 1000)
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(5000))
    with Reader() as reader, pytest.raises(ValueError, match="unpacks to"):
        reader.open(list_zip(tmp_path / "z.zip").files[0])


def test_unusable_zips_are_refused(tmp_path, fill):
    folder = fill(tmp_path / "f", 3)
    with zipfile.ZipFile(whole := tmp_path / "whole.zip", "w") as archive:
        archive.write(folder / "00.png", "0.png")
    content = whole.read_bytes()
    (cut := tmp_path / "cut.zip").write_bytes(content[:-30])
    locked = bytearray(content)
    at = locked.index(b"PK\x01\x02")
    locked[at + 8] |= 1
    (secret := tmp_path / "secret.zip").write_bytes(locked)
    with pytest.raises(DataError, match="not a complete zip"):
        list_zip(cut)
    with pytest.raises(DataError, match="encrypted"):
        list_zip(secret)
