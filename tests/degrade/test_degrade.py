"""One law for the whole family, and each formula against its definition."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor

from ign import degrade
from ign.core import random
from ign.degrade import DEGRADATIONS, Compose, gaussian_blur, parse

FAMILY = [
    "noise", "noise:0.5", "noise:variance=0.15", "gray", "sketch", "sketch:5:clamp=true", "blur",
    "blur:3", "downsample", "downsample:5", "jpeg", "jpeg:90", "saltpepper", "saltpepper:0.5",
    "half", "half:top:fill=0", "rectangle", "rectangle:0.5", "brush", "brush:3:0.3",
    "noise:0.3,blur", "half,half:left", "gray,jpeg:50,saltpepper",
]  # fmt: skip
SHAPES = [(4, 1, 28, 28), (3, 3, 16, 16), (2, 3, 9, 13), (2, 1, 8, 8), (1, 3, 1, 5)]


def images(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_the_family_names_every_degradation():
    assert {word.split(":")[0] for text in FAMILY for word in text.split(",")} == set(DEGRADATIONS)


@pytest.mark.parametrize("text", FAMILY)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_law_of_the_family(text, shape):
    """Shape and type stay, the input is not touched, values keep the bounds that are declared."""
    spoil, x = parse(text), images(*shape)
    before = x.clone()
    y = spoil(x, seed=3)
    assert torch.equal(x, before)
    assert y.shape == x.shape
    assert y.dtype == x.dtype
    assert y.isfinite().all()
    low, high = spoil.bounds
    assert low - 1e-6 <= y.min()
    assert y.max() <= high + 1e-6
    assert spoil(x.double()).dtype == torch.float64


@pytest.mark.parametrize("text", FAMILY)
def test_an_image_is_spoilt_alike_in_any_batch(text):
    spoil, x = parse(text), images(6, 3, 12, 12)
    whole = spoil(x, seed=5)
    assert torch.equal(whole, parse(text)(x, seed=5))
    parts = [spoil(x[:1], 5), spoil(x[1:4], 5, start=1), spoil(x[4:], 5, start=4)]
    assert torch.allclose(whole, torch.cat(parts), atol=1e-6)


@pytest.mark.parametrize("text", ["noise", "saltpepper", "half", "rectangle", "brush"])
def test_seeds_and_images_differ(text):
    x = torch.zeros(2, 1, 16, 16)
    first, other = parse(text)(x, seed=0), parse(text)(x, seed=1)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize(
    "text", ["gray", "saltpepper:0.3", "half", "half:left", "half:bottom:fill=-1", "rectangle",
             "rectangle:0.7", "brush", "downsample:4", "gray,half"]
)  # fmt: skip
def test_what_happens_once_does_not_happen_again(text):
    spoil, x = parse(text), images(3, 3, 16, 16)
    y = spoil(x)
    assert torch.allclose(spoil(y), y, atol=1e-6)
    assert not torch.allclose(y, x)


def test_noise_by_deviation_and_by_variance():
    x = torch.zeros(500, 1, 20, 20)
    for text, std in (("noise", 0.15), ("noise:0.6", 0.6), ("noise:variance=0.15", 0.15**0.5)):
        n = parse(text)(x)
        assert n.std().item() == pytest.approx(std, rel=0.01)
        assert n.mean().item() == pytest.approx(0, abs=0.01 * std + 0.002)
    key = random.keys(7, "degrade", 0, torch.arange(2, 4))
    assert torch.equal(parse("noise:1")(x[:2], 7, start=2), random.normal(key, (1, 20, 20)))


def test_steps_of_a_row_draw_their_own_numbers():
    x = torch.zeros(4, 1, 16, 16)
    twice = parse("noise:1,noise:1")(x)
    assert twice.var().item() == pytest.approx(2, rel=0.1)
    assert torch.equal(Compose([parse("noise:1")])(x), parse("noise:1")(x))


def test_gray_is_the_mean_of_the_channels():
    x = images(2, 3, 5, 4)
    y = parse("gray")(x)
    assert torch.allclose(y, torch.stack([(x[:, 0] + x[:, 1] + x[:, 2]) / 3] * 3, 1))
    assert torch.equal(parse("gray")(x[:, :1]), x[:, :1])


def sketch_by_hand(x: np.ndarray, k: int) -> np.ndarray:
    """The formula for one image (C, H, W), loop by loop, the border by scipy."""
    sigma, reach = 0.3 * ((k - 1) * 0.5 - 1) + 0.8, k // 2
    g = (x + 1).mean(0)
    w = np.array([math.exp(-(i**2) / (2 * sigma**2)) for i in range(-reach, reach + 1)])
    weights = np.outer(w, w) / w.sum() ** 2
    blurred = ndimage.convolve(g, weights, mode="mirror")
    return g / (blurred + 1e-10) - 1


@pytest.mark.parametrize("side", [64, 28, 21, 20, 11, 10, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_sketch_is_the_papers_formula_down_to_images_under_its_kernel(side, channels):
    x = images(2, channels, side, side + 1).double()
    found = degrade.Sketch()(x)
    for image, sketch in zip(x.numpy(), found.numpy(), strict=True):
        by_hand = sketch_by_hand(image, 21)
        for channel in sketch:
            assert np.allclose(channel, by_hand, atol=1e-9)


def test_a_sketch_leaves_the_range_by_the_height_of_its_kernel_of_sigma_3_5():
    dot = torch.full((1, 1, 41, 41), -1.0)
    dot[..., 20, 20] = 1
    sketch = parse("sketch")(dot)
    i = torch.arange(-10, 11)
    peak = 1 / ((-(i**2) / (2 * 3.5**2)).exp().sum().item() ** -2)  # one pixel over its blur
    assert sketch.max().item() == pytest.approx(peak - 1, rel=1e-4) == pytest.approx(75, abs=1)
    assert sketch.min() == -1, "black on black stays black"
    assert parse("sketch:clamp=true")(dot).max() == 1


def test_blur_keeps_means_and_constants_and_reflects():
    x = images(1, 1, 9, 9)
    assert torch.allclose(gaussian_blur(torch.full_like(x, 0.3), 2.0, 13), torch.full_like(x, 0.3))
    step = torch.tensor([[[[1.0, 0, 0, 0]]]])
    w = torch.tensor([math.exp(-0.5), 1, math.exp(-0.5)])
    wanted = torch.tensor([w[1], w[0], 0, 0]) / w.sum()
    assert torch.allclose(gaussian_blur(step, 1.0, 3)[0, 0, 0], wanted)
    by_scipy = ndimage.gaussian_filter(x[0, 0].double().numpy(), 1.5, mode="mirror", radius=5)
    assert np.allclose(degrade.Blur(1.5)(x.double())[0, 0].numpy(), by_scipy, atol=1e-9)


def test_downsampling_takes_means_of_squares():
    x = images(1, 1, 5, 5)
    y = degrade.Downsample(2)(x)[0, 0]
    assert torch.allclose(y[:2, :2], x[0, 0, :2, :2].mean().expand(2, 2))
    assert torch.allclose(y[4, 4], x[0, 0, 4, 4])
    assert torch.allclose(y[2:4, 4], x[0, 0, 2:4, 4].mean().expand(2))


def test_jpeg_is_what_pillow_writes():
    x = images(2, 3, 16, 24)
    y = degrade.JPEG(30)(x)
    pixels = ((x[1] + 1) * 127.5).round().byte().movedim(0, -1).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=30)
    wanted = torch.tensor(np.asarray(Image.open(file))).movedim(-1, 0).float() / 127.5 - 1
    assert torch.allclose(y[1], wanted, atol=1e-5)
    worse, better = (degrade.JPEG(q)(x).sub(x).abs().mean() for q in (5, 95))
    assert worse > better
    with pytest.raises(ValueError, match="2 channels"):
        degrade.JPEG()(images(1, 2, 8, 8))


def test_salt_and_pepper_in_equal_shares_on_all_channels():
    x = torch.full((50, 3, 32, 32), 0.25)
    y = parse("saltpepper:0.2")(x)
    for level in (-1.0, 1.0):
        assert (y == level).double().mean().item() == pytest.approx(0.1, abs=0.01)
    assert (y == y[:, :1]).all()
    assert torch.equal(parse("saltpepper:0")(x), x)


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_halves(side):
    x = torch.zeros(1, 1, 5, 7)
    hole = parse(f"half:{side}:fill=1")(x)[0, 0]
    dim = 1 if side in ("left", "right") else 0
    lines = hole.flip(dim) if side in ("right", "bottom") else hole
    gone = lines.any(1 - dim)
    half = (x.shape[2 + dim] + 1) // 2
    assert gone.tolist() == [True] * half + [False] * (len(gone) - half)
    assert hole.sum() == half * x.shape[3 - dim]


def test_rectangles_have_their_area_and_are_anywhere():
    x = torch.zeros(400, 1, 20, 40)
    holes = parse("rectangle:0.25:fill=1")(x)[:, 0]
    assert (holes.flatten(1).sum(1) == 10 * 20).all()
    firsts = {tuple(hole.nonzero()[0].tolist()) for hole in holes}
    assert {r for r, _ in firsts} == set(range(11))
    assert {c for _, c in firsts} == set(range(21))
    assert (parse("rectangle:1:fill=1")(x) == 1).all()


def test_brush_strokes_are_connected_and_as_wide_as_the_brush():
    holes = parse("brush:1:0.2:fill=1")(torch.zeros(20, 1, 50, 50))[:, 0]
    for hole in holes.numpy():
        assert ndimage.label(hole, np.ones((3, 3)))[1] == 1
        widest = ndimage.distance_transform_edt(np.pad(hole, 30, mode="edge")).max()
        assert widest >= 4
        assert 0.02 < hole.mean() < 0.7


def test_a_mask_leaves_what_it_does_not_cover():
    x = images(3, 3, 16, 16)
    for text in ("half", "rectangle", "brush"):
        spoil = parse(text)
        holes = spoil.holes((16, 16), random.keys(0, "degrade", 0, torch.arange(3)))
        y = spoil(x)
        assert holes.any(dim=(1, 2, 3)).all()
        assert torch.equal(torch.where(holes, 0, y), torch.where(holes, 0, x))
        assert (y != x).any(1, keepdim=True).eq(holes).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is unknown; choose noise, gray, sketch"),
        ("nose:0.1", "'nose' is unknown"),
        ("noise,,gray", "'' is unknown"),
        ("noise:a", "'noise:a': 'a' must be a number"),
        ("noise:-1", "noise: std -1.0 must be at least 0"),
        ("noise:nan", "std nan must be"),
        ("noise:variance=-1", "variance -1.0 must be"),
        ("noise:1:2:3", "noise takes std, variance"),
        ("noise:0.1:std=2", "noise takes std, variance"),
        ("gray:1", "gray takes nothing"),
        ("sketch:4", "kernel_size 4 must be odd"),
        ("sketch:0", "kernel_size 0 must be at least 1"),
        ("sketch:2.5", "'2.5' must be a whole number"),
        ("sketch:clamp=yes", "'yes' must be true or false"),
        ("blur:0", "sigma 0.0 must be at least"),
        ("downsample:0", "factor 0 must be"),
        ("jpeg:96", "quality 96 must be at most 95"),
        ("saltpepper:2", "share 2.0 must be at most 1"),
        ("half:middle", "side 'middle' is unknown; choose left, right, top, bottom"),
        ("rectangle:0", "share 0.0 must be"),
        ("brush:0", "strokes 0 must be"),
    ],
)
def test_text_that_makes_no_sense_is_told_in_one_line(text, words):
    with pytest.raises(ValueError, match=words) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_parsing_gives_what_the_text_says():
    assert parse("noise:0.3") == degrade.AdditiveNoise(0.3)
    assert parse("sketch:9:clamp=true") == degrade.Sketch(9, True)
    assert parse("half:left:fill=-1") == degrade.HalfMask("left", fill=-1.0)
    row = parse("noise:variance=0.15, gray")
    assert row.steps == (degrade.AdditiveNoise(variance=0.15), degrade.Grayscale())


@pytest.mark.parametrize("x", [torch.zeros(3, 8, 8), torch.zeros(1, 1, 8, 8, dtype=torch.uint8)])
def test_other_inputs_are_refused(x):
    for spoil in (parse("gray"), parse("gray,noise")):
        with pytest.raises(ValueError, match="give floating point"):
            spoil(x)


@pytest.mark.parametrize("text", ["noise", "gray", "jpeg", "half", "noise,sketch"])
def test_images_of_another_scale_are_refused(text):
    x = images(2, 3, 8, 8)
    for wrong, why in (
        ((x + 1) * 127.5, r"images have values from .* scale them to \[-1, 1\]"),
        (x / 0 * 0, "NaN or infinity"),
        (x.clamp(min=0) * math.inf, "NaN or infinity"),
        (x.byte(), "floating point"),
    ):
        with pytest.raises(ValueError, match=why):
            parse(text)(wrong)
    assert parse(text)(parse("noise:0.5,sketch")(x)).isfinite().all()
    assert parse(text)(torch.ones(1, 1, 8, 8)).isfinite().all()


def test_the_base_classes_are_abstract():
    for kind in (degrade.Degradation, degrade.Mask):
        with pytest.raises(TypeError, match="abstract"):
            kind()


def test_a_composition_may_hold_another():
    a, b, c = (parse(text) for text in ("noise", "saltpepper", "half"))
    x = images(3, 1, 8, 8)
    nested, flat = Compose([Compose([a, b]), c]), Compose([a, b, c])
    assert nested == flat
    assert torch.equal(nested(x, seed=2), flat(x, seed=2))
    key = random.keys(0, "test", 0, torch.arange(3))
    assert not torch.equal(flat.degrade(x, key), flat.degrade(x, key + 1))


@pytest.mark.parametrize(
    "text", ["half:fill=nan", "half:fill=1e400", "noise:nan", "blur:" + "9" * 400,
             "jpeg:" + "9" * 400, "jpeg:" + "9" * 5000, "\x1b[31m" * 1000, "noise:" * 3000]
)  # fmt: skip
def test_hostile_text_is_one_short_line(text):
    with pytest.raises(ValueError, match=r"degradation|must be") as caught:
        parse(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
