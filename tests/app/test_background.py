"""Drawings become what the data are, and the data stay what they are."""

import pytest
import torch
from drawings import blob, seven
from PIL import Image
from torch import nn

from ign import IGN
from ign.app.background import Background, preprocess
from ign.noise import GaussianNoise
from ign.view import pictures

DARK = Background(-1, 20 / 28)


class Painter(nn.Module):
    """Maps anything onto one image."""

    def __init__(self, image: torch.Tensor):
        super().__init__()
        self.image = nn.Parameter(image)

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        return self.image.expand_as(y)


def of(image: torch.Tensor) -> Background | None:
    return Background.of(IGN(Painter(image), GaussianNoise(tuple(image.shape))))


@pytest.mark.parametrize("sign", [1, -1])
def test_the_background_of_the_samples(sign):
    found = of(blob(28, 20) * sign)
    assert found == Background(-sign, 20 / 28)


def test_no_ground_without_a_plain_border():
    assert of(torch.zeros(1, 28, 28)) is None, "middle gray is none"
    assert of(torch.full((1, 28, 28), -1.0)) is None, "nothing is drawn"
    assert of(blob(28, 20).expand(3, -1, -1)) is None, "colours have none"
    assert of(torch.linspace(-1, 1, 28).expand(1, 28, 28)) is None


@pytest.mark.parametrize("paper", ["white", "black"])
def test_dark_on_light_and_light_on_dark_give_the_same(paper):
    one = seven(paper == "white")
    x, messages = preprocess(one, 28, DARK)
    assert x[0, 0].max() < -0.9, "the border is black"
    assert x.max() > 0.9
    assert ("Dark and light were inverted" in " ".join(messages)) == (paper == "white")
    assert torch.allclose(x, preprocess(seven(paper != "white"), 28, DARK)[0], atol=0.02)


def test_the_switch_is_obeyed():
    light = seven(True)
    never, messages = preprocess(light, 28, DARK, "never", fit=False)
    assert messages == []
    assert never[0, 0].min() > 0.9
    always, _ = preprocess(seven(False), 28, DARK, "always", fit=False)
    assert torch.allclose(always, never, atol=0.02)
    with pytest.raises(ValueError, match="sometimes"):
        preprocess(light, 28, DARK, "sometimes")


def test_a_drawing_is_centred_and_scaled_as_mnist_is():
    x, messages = preprocess(seven(True), 28, DARK)
    assert "centred and scaled" in " ".join(messages)
    ink = (x[0] + 1) / 2
    rows, columns = (ink > 0.3).any(1).nonzero(), (ink > 0.3).any(0).nonzero()
    sides = [int(v[-1] - v[0]) + 1 for v in (rows, columns)]
    assert 19 <= max(sides) <= 21
    at = torch.arange(28) + 0.5
    for d in (0, 1):
        assert abs((ink.sum(d) * at).sum() / ink.sum() - 14) < 0.6


def test_the_paper_of_a_photograph_becomes_the_ground():
    gray = seven(True).point(lambda v: 90 + v // 2)  # strokes of 90 on paper of 217
    x, messages = preprocess(gray, 28, DARK)
    assert "The paper was replaced by the background of the data." in messages
    assert x[0, 0].max() == -1
    assert x.max() > 0.9


def test_data_are_left_alone():
    image = blob(28, 20)
    enlarged = pictures.to_picture(image).resize((280, 280), Image.Resampling.NEAREST)
    x, messages = preprocess(enlarged, 28, DARK)
    assert messages == []
    assert torch.equal(x, image)


def test_mnist_is_left_alone(real):
    from ign.data import load

    test = load(str(real / "mnist"), split="test").batch(torch.arange(200))
    same = 0
    for image in test:
        big = pictures.to_picture(image).resize((280, 280), Image.Resampling.NEAREST)
        same += torch.allclose(preprocess(big, 28, DARK)[0], image, atol=0.01)
    assert same >= 198


def test_without_a_ground_a_picture_is_only_resized():
    x, messages = preprocess(seven(True), 28)
    assert (messages, x.shape) == ([], (1, 28, 28))
    assert x[0, 0].min() > 0.9
