"""Editing noise, on models whose answers are known."""

import pytest
import torch
from projectors import Half, Projector, images, model

from ign import edit


def test_the_linear_way_is_straight_and_the_spherical_one_keeps_the_length():
    start, end, t = images(), images(seed=1), torch.tensor([0.0, 0.25, 1.0])
    straight = edit.between(start, end, t)
    assert straight.shape == (5, 3, 1, 4, 6)
    assert torch.allclose(straight[:, 1], 0.75 * start + 0.25 * end)
    for way in (straight, edit.between(start, end, t, "spherical")):
        assert torch.allclose(way[:, 0], start, atol=1e-6)
        assert torch.allclose(way[:, 2], end, atol=1e-6)
    unit = [x / x.flatten(1).norm(dim=1)[:, None, None, None] for x in (start, end)]
    arc = edit.between(*unit, torch.linspace(0, 1, 9), "spherical").flatten(2)
    assert torch.allclose(arc.norm(dim=2), torch.ones(5, 9), atol=1e-5)
    angles = torch.cosine_similarity(arc[:, 1:], arc[:, :-1], dim=2).arccos()
    assert torch.allclose(angles, angles[:, :1].expand_as(angles), atol=2e-3), "equal steps"
    assert edit.between(unit[0], unit[1], torch.tensor([0.5])).flatten(2).norm(dim=2).max() < 0.95


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0])
def test_parallel_ends_have_a_straight_way(factor):
    z, t = images(), torch.tensor([0.0, 0.3, 1.0])
    way = edit.between(z, factor * z, t, "spherical")
    assert torch.allclose(way, edit.between(z, factor * z, t), atol=1e-5)


def test_interpolation_applies_the_network_to_each_point():
    start, end = images(), images(seed=1)
    way = edit.between(start, end, torch.linspace(0, 1, 4))
    found = edit.interpolate(model(Half()), start, end, 4, applications=3, batch_size=3)
    assert torch.allclose(found, way / 8)
    assert torch.allclose(edit.interpolate(model(Half()), start, end, 4), way / 2)


def test_arithmetic_is_the_papers_formula():
    z, plus, minus = images(), images(seed=1)[0], images(seed=2)[0]
    found = edit.arithmetic(model(Projector()), z, plus, minus, strength=0.5)
    assert torch.allclose(found, Projector()((plus - minus) * 0.5 + z))
    assert torch.allclose(
        edit.arithmetic(model(Half()), z, plus, minus, 2), ((plus - minus) + z) / 4
    )


def test_exemplars_are_the_means_of_the_two_sides():
    z, has = images(), torch.tensor([True, False, True, False, False])
    plus, minus = edit.exemplars(z, has)
    assert torch.allclose(plus, (z[0] + z[2]) / 2)
    assert torch.allclose(minus, (z[1] + z[3] + z[4]) / 3)
    for label in (torch.ones(5), torch.zeros(5), has[:4]):
        with pytest.raises(ValueError, match="label some with it and some without it"):
            edit.exemplars(z, label)


def test_found_exemplars_have_most_and_least_of_the_attribute():
    """With f(z) = z / 2 the brightest sample is the brightest noise; arithmetic brightens."""
    m = model(Half())

    def bright(x):
        return x.mean((1, 2, 3))

    plus, minus = edit.find_exemplars(m, bright, n=40, top=5, seed=3)
    z = m.latents(torch.arange(40), 3)
    order = bright(z).argsort()
    assert torch.allclose(plus, z[order[-5:]].mean(0), atol=1e-6)
    assert torch.allclose(minus, z[order[:5]].mean(0), atol=1e-6)
    plain, more = m.trajectory(z, [1], noise=True)[0], edit.arithmetic(m, z, plus, minus)
    assert (bright(more) > bright(plain)).all()
    for top in (0, 21):
        with pytest.raises(ValueError, match="at most half of n 40"):
            edit.find_exemplars(m, bright, n=40, top=top)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m, z: edit.interpolate(m, z, z[:2]), r"start \(5, 1, 4, 6\) and end \(2, "),
        (lambda m, z: edit.interpolate(m, z, z, 1), "steps 1 must be at least 2"),
        (lambda m, z: edit.interpolate(m, z, z, method="cubic"), "choose linear or spherical"),
        (lambda m, z: edit.interpolate(m, z[..., :4], z[..., :4]), r"takes \(B, 1, 4, 6\)"),
        (lambda m, z: edit.interpolate(m, z, z, applications=0), "must be 1 or more"),
        (lambda m, z: edit.arithmetic(m, z, z, z[0]), "plus is .* noise is"),
        (lambda m, z: edit.arithmetic(m, z, z[0], z[0, ..., 1:]), "minus is .* noise is"),
    ],
)
def test_mistakes_are_told(call, words):
    with pytest.raises(ValueError, match=words):
        call(model(Half()), images())
