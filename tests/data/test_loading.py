import logging
import zipfile

import pytest
import torch
from PIL import Image

from ign import data
from ign.data.reading import _in_order


def test_images_come_in_natural_order_whatever_the_threads(tmp_path, draw):
    for i in range(100):
        Image.new("L", (4, 4), 2 * i).save(tmp_path / f"{i}.png")
    images = data.load(tmp_path, split="all")
    assert images.names == [f"{i}.png" for i in range(100)]
    assert images.images[:, 0, 0, 0].tolist() == [2 * i for i in range(100)]
    assert images.images.is_contiguous()
    assert (images.images.dtype, images.labels) == (torch.uint8, None)


@pytest.mark.parametrize(
    ("sizes", "side"),
    [
        ([(28, 28)] * 3, 28), ([(64, 64)] * 2, 64), ([(128, 128)] * 2, 64),
        ([(28, 28), (30, 30)], 64), ([(28, 30)] * 2, 64), ([(20, 300)], 64),
    ],
)  # fmt: skip
def test_the_default_size(tmp_path, draw, sizes, side):
    for i, size in enumerate(sizes):
        draw(i, size).save(tmp_path / f"{i}.png")
    assert data.load(tmp_path, split="all").shape == (3, side, side)
    assert data.load(tmp_path, split="all", size=12).shape == (3, 12, 12)


def test_gray_is_the_default_where_all_are_gray(tmp_path, draw):
    for i, mode in enumerate(("L", "1", "LA")):
        draw(i).convert(mode).save(tmp_path / f"{i}.png")
    assert data.load(tmp_path, split="all").shape == (1, 16, 16)
    assert data.load(tmp_path, split="all", gray=False).shape == (3, 16, 16)
    draw(5).save(tmp_path / "colour.png")
    assert data.load(tmp_path, split="all").shape == (3, 16, 16)
    assert data.load(tmp_path, split="all", gray=True).shape == (1, 16, 16)


def test_the_splits_agree_on_size_and_kind(tmp_path, fill):
    fill(tmp_path / "train", 3, mode="L")
    fill(tmp_path / "test", 3, size=(24, 24))
    assert data.load(tmp_path).shape == data.load(tmp_path, split="test").shape == (3, 64, 64)


def test_all_formats_together(tmp_path, draw):
    kinds = "RGB.png RGB.jpg RGB.webp RGB.bmp L.gif 1.png P.png RGBA.webp LA.png CMYK.jpg I;16.png"
    for kind in kinds.split():
        mode, _ = kind.split(".")
        image = draw(0, (30, 20)).convert("L" if mode == "I;16" else "RGB").convert(mode)
        image.save(tmp_path / kind)
    images = data.load(tmp_path, split="all", size=10)
    assert (images.images.shape, images.skipped) == ((11, 3, 10, 10), [])


def test_limit_takes_the_first(tmp_path, fill):
    fill(tmp_path, 20)
    whole = data.load(tmp_path)
    assert data.load(tmp_path, limit=4).names == whole.names[:4]
    assert len(data.load(tmp_path, limit=100)) == len(whole)


def test_few_broken_images_are_skipped_and_counted(tmp_path, fill, caplog):
    fill(tmp_path, 40)
    content = (tmp_path / "07.png").read_bytes()
    (tmp_path / "07.png").write_bytes(content[: len(content) // 2])
    (tmp_path / "19.png").write_bytes(b"words")
    with caplog.at_level(logging.WARNING, "ign.data"):
        images = data.load(tmp_path, split="all")
    assert len(images) == len(images.names) == 38
    assert [name for name, _ in images.skipped] == ["07.png", "19.png"]
    assert "truncated" in images.skipped[0][1]
    assert len(caplog.records) == 1
    assert "skipped 2 of 40 images" in caplog.text
    one = data.load(tmp_path, split="all", size=16, gray=False).images[7]
    with Image.open(tmp_path / "08.png") as image:
        assert one[0, 0, 0] == image.getpixel((0, 0))[0]


@pytest.mark.parametrize("broken", [2, 3, 40])
def test_more_than_five_percent_broken_is_an_error(tmp_path, fill, broken):
    fill(tmp_path, 40)
    for i in range(broken):
        (tmp_path / f"{i:02d}.png").write_bytes(b"words")
    if broken == 2:
        assert len(data.load(tmp_path, split="all")) == 38
        return
    with pytest.raises(data.DataError, match=r"(cannot|can) be read") as caught:
        data.load(tmp_path, split="all")
    lines = str(caught.value).split("\n")
    assert lines[1] == "  00.png: not an image of a known format"
    assert len(lines) <= 12
    assert len(caught.value.problems) == broken


def test_a_zip_with_a_damaged_member_names_it(tmp_path, fill):
    folder = fill(tmp_path / "f", 30)
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
        at = archive.getinfo("04.png").header_offset + 100
    content = bytearray((tmp_path / "z.zip").read_bytes())
    content[at] ^= 255
    (tmp_path / "z.zip").write_bytes(content)
    images = data.load(tmp_path / "z.zip", split="all")
    assert len(images) == 29
    assert images.skipped == [("04.png", "Bad CRC-32 for file '04.png'")]


def test_large_pictures_cause_one_message(tmp_path, caplog):
    for i in range(3):
        Image.new("L", (4001, 1000), i).save(tmp_path / f"{i}.png")
    with caplog.at_level(logging.INFO, "ign.data"):
        assert data.load(tmp_path, split="all").shape == (1, 64, 64)
    assert [r.getMessage() for r in caplog.records if r.levelno > logging.INFO] == [
        f"data {str(tmp_path)!r}: 3 images have a side over 4000 pixels; they were resized to 64 "
        "while they were read"
    ]


def test_a_decompression_bomb_is_skipped_and_a_large_picture_is_not_warned_of(
    tmp_path, fill, monkeypatch, recwarn
):
    fill(tmp_path, 20)
    Image.new("L", (90, 100)).save(tmp_path / "bomb.png")
    Image.new("L", (60, 100)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)
    images = data.load(tmp_path, split="all", size=16, gray=False)
    assert [name for name, _ in images.skipped] == ["bomb.png"]
    assert "large.png" in images.names
    assert not recwarn.list


def test_odd_metadata_is_nothing_to_warn_of(tmp_path, draw, recwarn):
    odd = b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x12\0\x03"
    draw().save(tmp_path / "x.jpg", exif=odd)
    assert data.load(tmp_path, split="all").shape == (3, 16, 16)
    assert data.read_image(tmp_path / "x.jpg").shape == (3, 16, 16)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("how", "why"),
    [({"split": "dev"}, "choose train"), ({"size": 0}, "size 0"), ({"limit": 0}, "limit 0")],
)
def test_impossible_wishes_are_refused(how, why):
    with pytest.raises(data.DataError, match=why):
        data.load("digits", **how)


def test_progress_shows_a_bar_on_a_terminal(tmp_path, fill, capsys, monkeypatch):
    data.load(fill(tmp_path, 20), split="all", progress=True)
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    data.load(tmp_path, split="all", progress=True)
    shown = capsys.readouterr()
    assert "20/20" in shown.err
    assert shown.out == ""
    data.load(tmp_path, split="all")
    assert capsys.readouterr().err == ""


def test_results_are_never_far_ahead_and_keep_their_order():
    asked = []

    def items():
        for i in range(1000):
            asked.append(i)
            yield i

    results = _in_order(lambda i: i * i, items())
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    assert len(asked) < 100
    assert list(results) == [i * i for i in range(3, 1000)]


def test_real_zip(real):
    images = data.load(real / "celeba" / "celeba64-train.zip", split="all", limit=300)
    assert (images.images.shape, images.skipped) == ((300, 3, 64, 64), [])


def test_a_split_of_broken_images_alone_is_not_called_a_wrong_folder(tmp_path, fill):
    fill(tmp_path / "f" / "train", 24)
    (tmp_path / "f" / "test").mkdir()
    (tmp_path / "f" / "test" / "broken.png").write_bytes(b"")
    words = r"none of the 1 images of the split test .*25 in all splits"
    with pytest.raises(data.DataError, match=words) as caught:
        data.load(tmp_path / "f", split="test", cache=tmp_path / "cache")
    assert "right folder" not in str(caught.value)


def test_broken_images_are_counted_over_the_splits_that_are_loaded_together(tmp_path, fill):
    """2 % and 4 % of all images are broken in the splits: each is accepted, both are not."""
    fill(tmp_path / "train", 50)
    fill(tmp_path / "test", 50)
    for i in range(2):
        (tmp_path / "train" / f"{i:02d}.png").write_bytes(b"words")
    for i in range(4):
        (tmp_path / "test" / f"{i:02d}.png").write_bytes(b"words")
    assert len(data.load(tmp_path)) == 48
    assert len(data.load(tmp_path, split="test")) == 46
    both = {"train": None, "test": None}
    with pytest.raises(data.DataError, match="6 of 100 images cannot be read, more than 5%") as e:
        data.load_splits(tmp_path, both)
    names = [f"train/{i:02d}.png" for i in range(2)] + [f"test/{i:02d}.png" for i in range(4)]
    assert [name for name, _ in e.value.problems] == names
    found = data.load_splits(tmp_path, both, skip_broken=True)
    assert [len(part) for part in found.values()] == [48, 46]


def test_each_remark_is_made_once_for_all_splits(tmp_path, fill, caplog):
    fill(tmp_path / "train", 30, (20, 20))
    fill(tmp_path / "test", 10, (40, 30))
    for name in ("train/03.png", "test/04.png"):
        (tmp_path / name).write_bytes(b"words")
    with caplog.at_level(logging.WARNING, "ign.data"):
        how = {"size": 16, "gray": True, "cache": tmp_path / "cache"}
        found = data.load_splits(tmp_path, {"train": None, "test": None}, **how)
        again = data.load_splits(tmp_path, {"train": None, "test": None}, **how)
    said = [record.getMessage().partition(": ")[2] for record in caplog.records]
    assert said[:3] == said[3:] == found["train"].notes == found["test"].notes
    assert said[:3] == again["test"].notes
    assert said[:2] == [
        "38 images were resized from 20x20 to 40x30 to 16x16 pixels",
        "38 colour images were converted to gray",
    ]
    assert said[2].startswith("skipped 2 of 40 images, which cannot be read: train/03.png: ")


@pytest.mark.parametrize("limit", [None, 1])
def test_training_images_are_held_out_where_no_held_out_image_can_be_read(
    tmp_path, fill, limit, caplog
):
    fill(tmp_path, 60)
    held_out = data.load(tmp_path, split="test").names
    for name in held_out:
        (tmp_path / name).write_bytes(b"")
    found = data.load_splits(tmp_path, {"train": None, "test": limit}, skip_broken=True)
    train, test = found["train"], found["test"]
    sound = data.load(tmp_path, split="train")
    count = int(0.05 * len(sound))
    assert count > 1
    assert train.names == sound.names[:-count]
    assert test.names == sound.names[-count:][:limit]
    assert (train.images == sound.images[:-count]).all()
    assert (test.images == sound.images[-count:][:limit]).all()
    assert f"the last {count} training images are held out instead" in caplog.text


def test_nothing_is_held_out_of_one_image(tmp_path, fill):
    fill(tmp_path / "train", 1)
    fill(tmp_path / "test", 1)
    (tmp_path / "test" / "00.png").write_bytes(b"")
    both = {"train": None, "test": None}
    with pytest.raises(data.DataError, match="only 1 image can be read, and at least 2"):
        data.load_splits(tmp_path, both, skip_broken=True)
    (tmp_path / "train" / "00.png").write_bytes(b"")
    (tmp_path / "test" / "00.png").write_bytes((tmp_path / "train" / "00.png").read_bytes())
    with pytest.raises(data.DataError, match="none of its 2 images can be read"):
        data.load_splits(tmp_path, both, skip_broken=True)
