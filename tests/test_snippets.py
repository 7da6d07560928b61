"""What a new user types: each snippet works, or says in one line what to do."""

import copy
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

import ign
from ign import IGN, ModelError


@pytest.fixture(scope="module")
def kept():
    return IGN.from_pretrained("digits")


@pytest.fixture
def model(kept):
    return copy.deepcopy(kept)


@pytest.fixture(scope="module")
def images(kept):
    return kept.sample(3)


@pytest.fixture(scope="module")
def colour():
    torch.manual_seed(0)
    return IGN(ign.nn.DCGANAutoencoder(3, 8, 4), ign.noise.GaussianNoise((3, 8, 8)))


def fails(kind, words):
    """One line of this text."""
    return pytest.raises(kind, match=rf"\A[^\n]*{words}[^\n]*\Z")


def test_calling_the_model_is_f(model, images):
    assert torch.equal(model(images), model.network(images))
    model.train()
    x = images.clone().requires_grad_()
    model(x).mean().backward()
    assert x.grad.abs().sum() > 0
    assert model.training
    model.eval()
    with torch.no_grad():
        assert torch.allclose(model(images), model.project(images), atol=1e-6)


@pytest.mark.parametrize(
    ("cast", "dtype", "near"),
    [
        (IGN.half, torch.float16, 0.2),
        (IGN.bfloat16, torch.bfloat16, 0.7),
        (IGN.double, torch.float64, 0.01),
    ],
)
def test_other_precisions(model, images, cast, dtype, near):
    cast(model)
    found = model.sample(2)
    assert (model.dtype, found.dtype) == (dtype, dtype)
    assert (found - images[:2]).abs().mean() < near
    assert model.score(images).dtype == dtype
    assert model.score(images.double()).isfinite().all()
    mask = torch.ones(10, 10)
    assert ign.edit.inpaint(model, images, mask).dtype == dtype


def test_moving_the_model(model):
    assert model.to("cpu").sample(1).shape == (1, 1, 10, 10)
    assert model.device == torch.device("cpu")
    if not torch.cuda.is_available():
        with pytest.raises((AssertionError, RuntimeError)):
            model.to("cuda")


def test_a_numpy_batch(model, images):
    wanted = model.project(images)
    assert torch.equal(model.project(images.numpy()), wanted)
    assert torch.allclose(model.project(images.double().numpy()), wanted)
    assert torch.equal(model.score(images.numpy()), model.score(images))
    flipped = images.numpy()[:, :, :, ::-1]
    assert torch.equal(model.project(flipped), model.project(images.flip(-1)))
    assert torch.equal(model.project(images.numpy().astype(">f4")), wanted)


def test_one_image_comes_back_without_a_batch_dimension(model, images):
    one = images[0]
    assert torch.equal(model.project(one), model.project(one[None])[0])
    assert model.project(one[0]).shape == (10, 10)
    assert model.project(one[0].numpy()).shape == (10, 10)
    assert model.score(one).shape == ()
    assert model.score_map(one).shape == (10, 10)
    assert model.score_map(one[0]).shape == (10, 10)
    assert [x.shape for x in model.trajectory(one, [0, 1])] == [(1, 10, 10)] * 2
    assert model.analyze(one).projected.shape == (1, 10, 10)
    assert model.scores(one)["residual"].shape == ()


def test_pil_images(model, colour, images):
    pixels = ((images[0, 0] + 1) * 127.5).round().byte()
    picture = Image.fromarray(pixels.numpy())
    found = model.project(picture)
    assert found.shape == (1, 10, 10)
    assert torch.allclose(found, model.project(pixels.float() / 127.5 - 1)[None])
    assert torch.equal(model.project(picture.convert("RGB")), found)
    assert model.project([picture, picture]).shape == (2, 1, 10, 10)
    assert colour.project(Image.new("RGB", (8, 8), "red")).shape == (3, 8, 8)
    red = colour.check(Image.new("RGB", (8, 8), (255, 0, 0)))[0, :, 0, 0]
    assert red.tolist() == [1.0, -1.0, -1.0]
    with fails(ValueError, r"the PIL image is 9 x 8; this model takes 10 x 10: image\.resize"):
        model.project(Image.new("L", (9, 8)))
    with fails(ValueError, r"mode RGBA; convert it first: image\.convert\('RGB'\)"):
        model.project(Image.new("RGBA", (10, 10)))


def test_bytes_are_images_in_0_to_255(model, images):
    pixels = ((images + 1) * 127.5).round().byte()
    wanted = model.project(pixels.float() / 127.5 - 1)
    assert torch.equal(model.project(pixels), wanted)
    assert torch.equal(model.project(pixels.numpy()), wanted)
    assert torch.equal(model.score(pixels[0]), model.score(pixels[:1])[0])


def test_floats_in_0_to_255_are_refused(model, images):
    with fails(ValueError, r"convert images in \[0, 255\] with x / 127\.5 - 1"):
        model.project((images + 1) * 127.5)
    with fails(ValueError, r"convert images in \[0, 255\] with x / 127\.5 - 1"):
        ign.edit.inpaint(model, (images + 1) * 127.5, torch.ones(10, 10))
    assert model.project(images + 3 * torch.randn_like(images)).shape == images.shape


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.bool])
def test_other_integers_are_refused(model, dtype):
    with fails(ValueError, r"give floating point in \[-1, 1\], or uint8 in \[0, 255\]"):
        model.score(torch.zeros(2, 1, 10, 10, dtype=dtype))


def test_lists_of_images(model, images):
    wanted = model.project(images)
    assert torch.equal(model.project(list(images)), wanted)
    assert torch.equal(model.project([x.numpy() for x in images]), wanted)
    assert torch.equal(model.project([x[0] for x in images]), wanted)
    with fails(ValueError, r"a list must hold single images; join batches with torch\.cat"):
        model.project([images, images])
    with fails(ValueError, "images are of type list"):
        model.project([])


def test_shapes_that_are_nearly_right(model, colour):
    with fails(ValueError, r"add the channel, images\[:, None\]"):
        model.project(torch.zeros(5, 10, 10))
    with fails(ValueError, r"move the channels first, .*permute\(0, 3, 1, 2\)"):
        colour.project(np.zeros((2, 8, 8, 3), np.uint8))
    with fails(ValueError, r"move the channels first, .*permute\(2, 0, 1\)"):
        colour.project(np.zeros((8, 8, 3), np.uint8))
    with fails(ValueError, r"this model takes \(B, 1, 10, 10\)"):
        model.project(torch.zeros(2, 1, 28, 28))


@pytest.mark.parametrize("thing", ["photo.png", None, 3, np.array([None])])
def test_what_is_not_an_image(model, thing):
    with fails(ValueError, "give a tensor, a NumPy array or PIL images"):
        model.project(thing)


def test_images_with_nan(model, images):
    spoilt = images.clone()
    spoilt[1, 0, 0, 0] = torch.nan
    with fails(ValueError, "image number 1 holds NaN or infinity"):
        model.score(spoilt)


def test_masks(model, images):
    mask = torch.zeros(10, 10)
    mask[:, 5:] = 1
    wanted = ign.edit.inpaint(model, images, mask)
    for same in (
        mask.bool(),
        mask.numpy(),
        mask.int(),
        mask.numpy().astype(bool),
        mask.tolist(),
        mask[None],
        mask[None, None],
        mask[None, None].expand(3, 1, 10, 10),
        Image.fromarray(mask.bool().numpy()),
    ):
        assert torch.equal(ign.edit.inpaint(model, images, same), wanted)
    assert torch.equal(ign.edit.inpaint(model, images.numpy(), mask), wanted)
    one = ign.edit.inpaint(model, images[0], mask)
    assert one.shape == (1, 10, 10)
    assert torch.allclose(one, wanted[0], atol=1e-5)
    assert ign.edit.composite(model, images[0], images[1, :, :3, :3], 2, 2).shape == (1, 10, 10)
    with fails(ValueError, "compare it with a threshold: mask > 127"):
        ign.edit.inpaint(model, images, mask * 255)


def test_a_fresh_seed_is_reported(model):
    first = model.sample(2, seed=None)
    seed = model.last_seed
    second = model.sample(2, seed=None)
    assert not torch.equal(first, second)
    assert torch.equal(model.sample(2, seed=seed), first)
    assert model.last_seed == seed
    model.sample(1)
    assert model.last_seed == 0


def test_numpy_integers(model):
    wanted = model.sample(2, 2, seed=5)
    n, k, seed = np.int64(2), np.int32(2), np.uint8(5)
    assert torch.equal(model.sample(n, k, seed=seed, batch_size=n), wanted)
    assert torch.equal(model.sample(torch.tensor(2), 2, seed=5), wanted)
    assert ign.noise.GaussianNoise((np.int64(1), 4, 4)).sample(n).shape == (2, 1, 4, 4)
    ks = np.array([1, 2])
    assert torch.equal(model.sample_trajectory(2, ks, 5)[1], wanted)


@pytest.mark.parametrize("value", [2.0, "2", True, None, np.float32(2), [2]])
def test_what_is_not_an_integer(model, value):
    with fails(TypeError, "n must be an integer, not"):
        model.sample(value)
    with fails(TypeError, "n must be an integer, not"):
        ign.noise.GaussianNoise((1, 4, 4)).sample(value)
    with fails(TypeError, "applications must be an integer, not"):
        model.project(torch.zeros(1, 1, 10, 10), value)


@pytest.mark.parametrize("value", [0, -1])
def test_too_few_samples(model, value):
    with fails(ValueError, f"n {value} must be at least 1"):
        model.sample(value)
    with fails(ValueError, f"batch_size {value} must be at least 1"):
        model.sample(2, batch_size=value)
    with fails(ValueError, f"batch_size {value} must be at least 1"):
        model.score(torch.zeros(1, 1, 10, 10), batch_size=value)
    with fails(ValueError, "must be at least 0"):
        ign.noise.GaussianNoise((1, 4, 4)).sample(-1)


def test_seeds_that_are_none(model):
    with fails(TypeError, "seed must be an integer, not 1.5"):
        model.sample(1, seed=1.5)
    with fails(ValueError, r"seed must be below 2\*\*63"):
        model.sample(1, seed=2**64)
    assert model.sample(1, seed=-3).shape == (1, 1, 10, 10)


def test_one_number_of_applications_where_several_are_wanted(model, images):
    with fails(TypeError, r"applications must be a sequence such as \[1, 2\], not 2"):
        model.trajectory(images, 2)
    with fails(TypeError, r"a noise shape must be a sequence such as \[1, 2\], not 5"):
        ign.noise.GaussianNoise(5)


def test_numbers_of_a_network():
    with fails(TypeError, r"width must be an integer, not 1e\+30"):
        ign.nn.DCGANAutoencoder(1, 28, 1e30)
    with fails(TypeError, r"size must be an integer, not 28\.0"):
        ign.nn.DCGANAutoencoder(1, 28.0)


class Plain(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x):
        return self.layer(x).tanh()


def test_a_network_without_config_says_what_it_needs(tmp_path, monkeypatch):
    mine = IGN(Plain(), ign.noise.GaussianNoise((1, 10, 10)))
    with fails(ModelError, r"ign\.nn\.NETWORKS\['Plain'\] = Plain"):
        mine.save_pretrained(tmp_path / "m")
    monkeypatch.setitem(ign.nn.NETWORKS, "Plain", Plain)
    with fails(ModelError, "a Plain cannot be saved without the attribute `config`"):
        mine.save_pretrained(tmp_path / "m")
    assert not (tmp_path / "m").exists()
    assert mine.facts()["network"] == "Plain"
    mine.network.config = {}
    again = IGN.from_pretrained(mine.save_pretrained(tmp_path / "m"))
    assert torch.equal(again.sample(2), mine.sample(2))


def test_a_network_without_parameters():
    still = IGN(torch.nn.Identity(), ign.noise.GaussianNoise((1, 4, 4)))
    assert still.sample(2).shape == (2, 1, 4, 4)
    assert still.score(torch.zeros(1, 4, 4)).item() == 0


def test_a_noise_is_abstract():
    with fails(TypeError, "abstract"):
        ign.noise.Noise((1, 4, 4))


def test_packages_come_with_the_import():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert callable(ign.evaluate.evaluate)
        assert callable(ign.export.export)
        assert ign.view.__name__ == "ign.view"
        assert callable(ign.train)


def test_a_model_can_be_copied_and_its_state_loaded(model, images):
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.network.encoder[0].weight.zero_()
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.project(images), model.project(images))


def test_results_go_on_in_numpy(model, images):
    assert isinstance(model.sample(1).numpy(), np.ndarray)
    assert model.score(images).tolist() == pytest.approx(model.drift(images).tolist())
    assert isinstance(float(model.score(images[0])), float)


def test_a_calibration_by_hand(model):
    clean = model.sample(40, seed=9)
    model.calibration = ign.anomaly.Calibration.fit(model.scores(clean), rate=0.1)
    flags = model.calibration.flag(model.score(clean))
    assert flags.sum() <= 4


def test_names_that_are_not_models():
    for name in ("resnet50", "/tmp/no/such/folder", "a b"):
        with fails(ModelError, "no such path"):
            IGN.from_pretrained(name)
