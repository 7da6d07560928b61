"""A drawing made real: the mathematics, and that scribbles become digits."""

import random

import pytest
import torch
from drawings import seven
from PIL import Image, ImageDraw, ImageFilter
from projectors import Projector, model

from ign import IGN
from ign.app.background import Background, preprocess
from ign.app.real import make_real
from ign.evaluate import feature_net


def picture(channels: int = 1) -> torch.Tensor:
    return torch.rand(1, channels, 4, 6, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_without_freedom_it_is_the_projection():
    m, x = model(Projector()), picture()
    made = make_real(m, x)
    assert torch.equal(made.given, x)
    assert torch.allclose(made.once, m.project(x))
    assert torch.allclose(made.twice, made.once, atol=1e-6)
    assert torch.allclose(made.changed, (made.once - x).abs().mean(1))


def test_what_went_in_is_the_mixture_with_a_noise_of_the_seed():
    m, x = model(Projector()), picture()
    made = make_real(m, x, 0.3, seed=5, tries=8, rounds=1)
    z = m.latents(torch.arange(8), 5)
    far = (made.given - (0.7 * x + 0.3 * z)).flatten(1).abs().amax(1)
    assert (far < 1e-6).sum() == 1
    again = make_real(m, x, 0.3, seed=5, tries=8, rounds=1)
    assert torch.equal(again.once, made.once)
    assert not torch.equal(make_real(m, x, 0.3, seed=6, tries=8, rounds=1).once, made.once)


@pytest.mark.parametrize("freedom", [0.5, 0.8, 1.0])
def test_what_is_mostly_noise_has_the_moments_of_noise(freedom):
    m, x = model(Projector(), 1, 28, 28), 3 * torch.rand(1, 1, 28, 28) - 2
    given = make_real(m, x, freedom, tries=8, rounds=1).given
    assert given.mean().abs() < 0.1
    assert given.std() == pytest.approx(1, abs=0.1)
    likeness = torch.corrcoef(torch.stack([given.flatten(), x.flatten()]))[0, 1]
    assert likeness == pytest.approx((1 - freedom) * x.std().item(), abs=0.15)


def test_more_tries_are_never_less_like_the_picture():
    m, x = model(Projector()), picture()

    def far(tries: int, rounds: int) -> float:
        made = make_real(m, x, 0.9, tries=tries, rounds=rounds).twice
        cosine = torch.cosine_similarity(made.flatten(1), m.project(x).flatten(1))
        return 1 - cosine.item()

    assert far(64, 3) < far(1, 1)


@pytest.mark.parametrize(("freedom", "tries"), [(-0.1, 4), (1.1, 4), (0.5, 0)])
def test_what_cannot_be_is_refused(freedom, tries):
    with pytest.raises(ValueError, match="freedom"):
        make_real(model(Projector()), picture(), freedom, tries=tries)


def scribble(draw: random.Random) -> Image.Image:
    """A few thick strokes, some of them smudged."""
    one = Image.new("L", (280, 280), 255)
    n, width = draw.randint(2, 6), draw.choice([18, 26, 36])
    points = [(draw.uniform(60, 220), draw.uniform(50, 230)) for _ in range(n)]
    ImageDraw.Draw(one).line(points, fill=0, width=width, joint="curve")
    return one.filter(ImageFilter.GaussianBlur(draw.choice([0, 0, 12])))


@pytest.mark.slow
def test_scribbles_become_digits():
    """A classifier of digits is surer of what comes out than of what the plain projection is."""
    mnist, net, draw = IGN.from_pretrained("mnist"), feature_net("mnist"), random.Random(0)
    ground = Background.of(mnist)
    x = [preprocess(scribble(draw), 28, ground)[0][None] for _ in range(24)]

    def sure(freedom: float) -> float:
        made = torch.cat([make_real(mnist, one, freedom, tries=32).twice for one in x])
        return net.logits(made).softmax(1).max(1).values.mean().item()

    plain, free = sure(0.0), sure(0.8)
    assert free > plain + 0.05


def test_a_drawn_seven_stays_one():
    mnist, net = IGN.from_pretrained("mnist"), feature_net("mnist")
    x = preprocess(seven(True), 28, Background.of(mnist))[0][None]
    assert net.logits(make_real(mnist, x, 0.8).twice).argmax().item() == 7
