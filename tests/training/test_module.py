"""What a step sees."""

import math

import torch

from ign import IGN, data
from ign.nn import DCGANAutoencoder
from ign.noise import GaussianNoise
from ign.training import Config
from ign.training.config import ObjectiveConfig
from ign.training.methods import METHODS
from ign.training.module import Training


def training(steady: float = 0.0, **options) -> Training:
    images = data.load("digits", size=8, limit=20)
    model = IGN(DCGANAutoencoder(1, 8, 4), GaussianNoise((1, 8, 8)))
    objective = ObjectiveConfig(match_weight=1.0, steady_weight=steady)
    config = Config(batch_size=8, flip=True, seed=3, objective=objective, **options)
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


def test_past_outputs_are_of_every_eighth_place_in_any_parts():
    module = training(steady=1.0)
    assert training().batch(5, 0, 8).past is None
    whole = module.batch(5, 0, 24)
    w, y = whole.past
    assert torch.equal(y, module.average.network(whole.z[::8])), "role norm is not in this network"
    assert len(w) == 3
    pieces = [module.batch(5, *piece).past for piece in [(0, 4), (4, 4), (8, 16)]]
    for i, all_of_it in enumerate((w, y)):
        joined = torch.cat([piece[i] for piece in pieces])
        assert torch.allclose(joined, all_of_it, atol=1e-6), (
            "a batch of another size rounds otherwise"
        )


def test_past_outputs_are_one_to_twenty_four_applications_further():
    module = training(steady=1.0)
    module.average.network = torch.nn.Sequential(Halving())
    z = torch.ones(1, 1, 8, 8)
    found = [module.past(z, step) for step in range(400)]
    assert all((y == 0.5).all() for _, y in found)
    lengths = [round(-math.log2(float(w.flatten()[0]))) - 1 for w, _ in found]
    assert set(lengths) == set(range(1, 25))


class Halving(torch.nn.Module):
    """f(y) = y / 2."""

    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(0.5))

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        return self.factor * y


def test_half_of_the_places_get_noise_where_it_is_wanted():
    module = training(denoise=0.5)
    deviation = module.batch(5, 0, 200).noise.flatten(1).std(1)
    assert (deviation[::2] == 0).all()
    assert 0.4 < deviation[1::2].max() < 0.65, "levels are uniform up to 0.5"
    assert 0 < deviation[1::2].min() < 0.1
    assert training().batch(5, 0, 8).noise is None
    module.method.restores = False
    assert module.batch(5, 0, 8).noise is None


def test_every_image_is_seen_once_an_epoch_and_some_are_mirrored():
    module = training()
    every = module.images.batch(torch.arange(20))
    seen = torch.cat([module.batch(step, 0, 8).x for step in range(5)])
    mirrored = [(y.unsqueeze(0) == every.flip(-1)).flatten(1).all(1).any() for y in seen]
    straight = [(y.unsqueeze(0) == every).flatten(1).all(1).any() for y in seen]
    assert all(a or b for a, b in zip(mirrored, straight, strict=True))
    assert 5 < sum(map(int, mirrored)) < 35
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
