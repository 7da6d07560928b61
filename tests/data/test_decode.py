import io

import numpy as np
import pytest
from PIL import Image

from ign.data import DataError, read_image
from ign.data.decode import decode, fit, read_header
from ign.data.formats import FORMATS

LOSSLESS = [
    ("RGB", "png", {}),
    ("RGB", "bmp", {}),
    ("RGB", "tiff", {}),
    ("RGB", "ppm", {}),
    ("RGB", "webp", {"lossless": True}),
    ("L", "png", {}),
    ("L", "bmp", {}),
    ("L", "pgm", {}),
    ("L", "gif", {}),
    ("1", "png", {}),
    ("P", "png", {}),
    ("P", "gif", {}),
    ("CMYK", "tiff", {}),
]


def colours(mode: str = "RGB", size: tuple[int, int] = (12, 10)) -> Image.Image:
    x, y = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    values = np.stack([x, y, 1 - x * y], axis=-1)
    return Image.fromarray((values * 255).astype(np.uint8)).convert(mode)


def expected(image: Image.Image) -> np.ndarray:
    values = np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))
    return values[None] if values.ndim == 2 else values.transpose(2, 0, 1)


@pytest.mark.parametrize(("mode", "suffix", "how"), LOSSLESS)
def test_lossless_formats_give_their_pixels(tmp_path, mode, suffix, how):
    image = colours(mode)
    image.save(path := tmp_path / f"x.{suffix}", **how)
    values = read_image(path)
    assert values.dtype == np.uint8
    assert values.flags.c_contiguous
    np.testing.assert_array_equal(values, expected(image))


@pytest.mark.parametrize(
    ("mode", "suffix"), [("RGB", "jpg"), ("L", "jpg"), ("CMYK", "jpg"), ("RGB", "webp")]
)
def test_lossy_formats_give_nearly_their_pixels(tmp_path, mode, suffix):
    image = colours(mode)
    image.save(path := tmp_path / f"x.{suffix}", quality=95)
    assert np.abs(read_image(path).astype(int) - expected(image)).mean() < 4


def test_all_formats_are_known_to_pillow():
    Image.init()
    assert set(FORMATS) <= set(Image.OPEN)


def test_content_counts_and_not_the_suffix(tmp_path):
    image = colours()
    image.save(tmp_path / "x.jpg", format="png")
    np.testing.assert_array_equal(read_image(tmp_path / "x.jpg"), expected(image))


def test_open_files_are_read_as_paths_are():
    colours().save(file := io.BytesIO(), "png")
    np.testing.assert_array_equal(read_image(file), expected(colours()))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_transparent_pixels_are_white(tmp_path, mode):
    image = colours("RGB")
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 6, 10))
    image.putalpha(alpha)
    if mode == "P":
        image.quantize().save(tmp_path / "x.png")
    else:
        image.convert(mode).save(tmp_path / "x.png")
    values = read_image(tmp_path / "x.png")
    assert len(values) == (1 if mode == "LA" else 3)
    assert (values[:, :, :6] == 255).all()
    assert values[:, :, 6:].std() > 20


def test_half_transparent_pixels_are_mixed_with_white(tmp_path):
    Image.new("RGBA", (4, 4), (0, 100, 200, 128)).save(tmp_path / "x.png")
    assert np.abs(read_image(tmp_path / "x.png")[:, 0, 0].astype(int) - [127, 177, 227]).max() <= 1


@pytest.mark.parametrize("how", [{"transparency": 0}, {"transparency": bytes([0, 255])}])
def test_transparent_palette_entries_are_white(tmp_path, how):
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.save(tmp_path / "x.png", **how)
    assert read_image(tmp_path / "x.png").transpose(1, 2, 0).reshape(4, 3).tolist() == [
        [255] * 3, [40, 50, 60], [40, 50, 60], [255] * 3,
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", ["png", "tiff", "pgm"])
def test_16_bit_values_are_scaled_and_not_clipped(tmp_path, suffix):
    values = np.array([[0, 128, 129, 257], [32768, 65406, 65407, 65535]], np.uint16)
    Image.fromarray(values).save(path := tmp_path / f"x.{suffix}")
    assert read_image(path).tolist() == [[[0, 0, 1, 1], [128, 254, 255, 255]]]
    assert read_image(path, gray=False).shape == (3, 2, 4)


@pytest.mark.parametrize("values", [np.float32([[1.5]]), np.int32([[70000]]), np.int32([[-1]])])
def test_one_value_of_no_known_range_is_refused(tmp_path, values):
    Image.fromarray(values).save(tmp_path / "x.tiff")
    with pytest.raises(DataError, match="range is unknown"):
        read_image(tmp_path / "x.tiff")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_the_camera_is_applied(tmp_path, orientation):
    upright = colours(size=(40, 24))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "x.jpg", quality=95, exif=exif)
    values = read_image(tmp_path / "x.jpg")
    assert values.shape == (3, 24, 40)
    assert np.abs(values.astype(int) - expected(upright)).mean() < 4


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_an_animation_is_its_first_frame(tmp_path, suffix):
    frames = [Image.new("RGB", (8, 8), c) for c in ((200, 0, 0), (0, 200, 0), (0, 0, 200))]
    how = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(path := tmp_path / f"x.{suffix}", save_all=True, append_images=frames[1:], **how)
    with Image.open(path) as image:
        assert image.n_frames == 3
    assert read_image(path)[:, 4, 4].tolist() == [200, 0, 0]


def test_gray_and_colour_as_wished(tmp_path):
    colours().save(tmp_path / "c.png")
    colours("L").save(tmp_path / "g.png")
    assert read_image(tmp_path / "c.png", gray=True).shape == (1, 10, 12)
    values = read_image(tmp_path / "g.png", gray=False)
    assert values.shape == (3, 10, 12)
    assert (values == read_image(tmp_path / "g.png")).all()


@pytest.mark.parametrize("size", [(40, 20), (20, 40), (20, 20), (33, 21)])
def test_the_short_side_is_resized_and_the_centre_kept(tmp_path, size):
    image = colours(size=size)
    image.save(tmp_path / "x.png")
    scale = 10 / min(size)
    long = image.resize((round(size[0] * scale), round(size[1] * scale)), Image.Resampling.LANCZOS)
    left, top = (long.width - 10) // 2, (long.height - 10) // 2
    values = read_image(tmp_path / "x.png", size=10)
    assert values.shape == (3, 10, 10)
    off = np.abs(values.astype(int) - expected(long.crop((left, top, left + 10, top + 10))))
    assert off.max() <= (1 if 2 * min(size) == size[0] else 13)


def test_the_right_size_is_not_resampled(tmp_path):
    image = colours(size=(12, 12))
    image.save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_image(tmp_path / "x.png", size=12), expected(image))


def test_small_pictures_are_enlarged(tmp_path):
    Image.new("RGB", (1, 300), (9, 8, 7)).save(tmp_path / "x.png")
    assert read_image(tmp_path / "x.png", size=5)[:, 2, 2].tolist() == [9, 8, 7]


def test_large_jpegs_are_reduced_on_the_way_without_a_visible_change(tmp_path, draw):
    image = draw(0, (80, 100)).resize((800, 1000), Image.Resampling.BICUBIC)
    image.save(tmp_path / "x.jpg", quality=90)
    with Image.open(tmp_path / "x.jpg") as whole:
        plain = whole.resize((100, 100), Image.Resampling.LANCZOS, box=(0, 100, 800, 900))
    values, (*sides, _, _, _), _, _ = decode(tmp_path / "x.jpg", size=100)
    assert sides == [800, 1000]
    assert np.abs(values.astype(int) - expected(plain)).mean() < 2


def test_the_crop_comes_before_the_resize(tmp_path):
    image = Image.new("RGB", (178, 218), "red")
    image.paste(Image.new("RGB", (148, 148), "blue"), (15, 35))
    image.save(tmp_path / "x.png")
    values, *_ = decode(tmp_path / "x.png", size=64, crop=148)
    assert (values == np.array([0, 0, 255])[:, None, None]).all()


def test_headers_tell_size_and_kind(tmp_path):
    for mode, gray in (("L", True), ("1", True), ("LA", True), ("RGB", False), ("RGBA", False)):
        colours(mode).save(tmp_path / "x.png")
        assert read_header(tmp_path / "x.png") == (12, 10, gray, False, False)
    colours("L").convert("P").save(tmp_path / "x.png")
    assert read_header(tmp_path / "x.png").gray
    colours("P").save(tmp_path / "x.png")
    assert not read_header(tmp_path / "x.png").gray


def test_broken_files_are_named_with_a_reason(tmp_path):
    colours(size=(200, 200)).save(tmp_path / "cut.jpg")
    content = (tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    (tmp_path / "words.png").write_bytes(b"no picture")
    (tmp_path / "empty.png").touch()
    for name, why in (
        ("cut.jpg", "truncated"),
        ("words.png", "not an image of a known format"),
        ("empty.png", "not an image of a known format"),
        ("nowhere.png", "No such file"),
        ("", "directory"),
    ):
        with pytest.raises(DataError, match=why) as caught:
            read_image(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    colours(size=(100, 100)).save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)
    with pytest.raises(DataError, match="more than 8,000 pixels"):
        read_image(tmp_path / "x.png")


def test_what_is_cut_and_resized_keeps_its_channels():
    for mode in ("L", "LA", "RGB", "RGBA"):
        assert fit(colours(size=(40, 30)).convert(mode), 10).mode == mode
        assert fit(colours(size=(40, 30)).convert(mode), 10, crop=20).size == (10, 10)
