"""What a step sees."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from training.runs import SHARED, begin

from ign import IGN, data
from ign.nn import DCGANAutoencoder
from ign.noise import GaussianNoise
from ign.training.configs import IGNConfig, MatchConfig
from ign.training.methods import METHODS
from ign.training.module import Training


def training(**options) -> Training:
    images = data.load("digits", size=8, limit=20)
    model = IGN(DCGANAutoencoder(1, 8, 4), GaussianNoise((1, 8, 8)))
    match = MatchConfig(weight=1.0, anchors=options.pop("anchors", 1500))
    config = IGNConfig(batch_size=8, flip=True, seed=3, match=match, **options)
    return Training(model, METHODS["ign"](model.network, config), images, config)


def test_batch_is_the_same_in_any_parts():
    module = training(denoise=0.5)
    whole = module.batch(5, 0, 8)
    for parts in ([4, 4], [2, 2, 2, 2], [1, 7]):
        starts = [sum(parts[:i]) for i in range(len(parts))]
        pieces = [module.batch(5, *piece) for piece in zip(starts, parts, strict=True)]
        for name in ("x", "z", "noise"):
            joined = torch.cat([getattr(piece, name) for piece in pieces])
            assert torch.equal(joined, getattr(whole, name))
    other = module.batch(6, 0, 8)
    assert not torch.equal(other.x, whole.x)
    assert not torch.equal(other.z, whole.z)
    assert not torch.equal(other.noise, whole.noise)


def test_half_of_the_places_get_noise_where_it_is_wanted():
    module = training(denoise=0.5)
    deviation = module.batch(5, 0, 200).noise.flatten(1).std(1)
    assert (deviation[::2] == 0).all()
    assert 0.4 < deviation[1::2].max() < 0.65, "levels are uniform up to 0.5"
    assert 0 < deviation[1::2].min() < 0.1
    assert training().batch(5, 0, 8).noise is None


def test_every_image_is_seen_once_an_epoch_and_some_are_mirrored():
    module = training()
    every = module.images.batch(torch.arange(20))
    seen = torch.cat([module.batch(step, 0, 8).x for step in range(5)])
    mirrored = [(y.unsqueeze(0) == every.flip(-1)).flatten(1).all(1).any() for y in seen]
    straight = [(y.unsqueeze(0) == every).flatten(1).all(1).any() for y in seen]
    assert all(a or b for a, b in zip(mirrored, straight, strict=True))
    assert 5 < sum(map(int, mirrored)) < 35
    assert [module.batch(5, first, 4).first for first in (0, 4)] == [0, 4]
    unflipped = training()
    unflipped.config.flip = False
    epoch = torch.cat([unflipped.batch(step, 0, 8).x for step in range(5)])[:20]
    assert sorted(map(str, epoch.flatten(1).tolist())) == sorted(
        map(str, every.flatten(1).tolist())
    )


def test_anchors_are_as_many_as_wished_or_as_there_are():
    assert len(training(anchors=6).anchors(0)) == 6
    assert len(training(anchors=600).anchors(0)) == 20
    one = training(anchors=6)
    assert torch.equal(one.anchors(0), one.anchors(7))
    assert not torch.equal(one.anchors(0), one.anchors(8))
    assert torch.equal(one.anchors(3), training(anchors=6).anchors(6))


class InputGradients(TorchDispatchMode):
    """Counts the gradients of images that convolutions compute."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.convolution_backward.default:
            image, transposed, mask = args[1], args[7], args[10]
            self.count += mask[0] and not transposed and image.shape[1:] == (1, 8, 8)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("method", "count"), [("ign", 1), ("dcgan", 1), ("vae", 0)])
def test_no_gradient_of_an_image_is_computed_that_nothing_needs(method, count, tmp_path):
    words = [*SHARED, f"--method={method}", "--steps=1", "--every=100"]
    words += ["--match.weight=0", "--adversarial.weight=0.3"] * (method == "ign")
    with InputGradients() as found:
        begin(tmp_path / "run", words)
    assert found.count == count
