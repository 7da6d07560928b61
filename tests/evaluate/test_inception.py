"""TorchScript nets, by a small stand-in that is called as Inception is; the Inception Score."""

import hashlib
from pathlib import Path

import pytest
import torch

from ign import ModelError
from ign.evaluate import FeatureNet, Inception, inception_score, load_net
from ign.evaluate import inception as module

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


class Small(torch.nn.Module):
    """Takes RGB bytes of any size, as the published file does."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 6, 4)
        self.output = torch.nn.Linear(6, 5)

    def forward(self, img, return_features: bool = False, no_output_bias: bool = False):
        assert img.dtype == torch.uint8
        assert img.shape[1] == 3
        x = torch.nn.functional.interpolate(img.float() / 255, [9, 9])
        x = self.conv(x).mean([2, 3])
        if return_features:
            return x
        logits = x @ self.output.weight.t() * 20
        return (logits if no_output_bias else logits + self.output.bias).softmax(1)


class Other(torch.nn.Module):
    def forward(self, img):
        return img.float().mean([2, 3])


@pytest.fixture(scope="module")
def scripts(tmp_path_factory) -> dict[str, Path]:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("scripts")
    for name, net in (("small", Small()), ("other", Other())):
        torch.jit.script(net).save(str(folder / f"{name}.pt"))
    (folder / "words.pt").write_text("not a net", encoding="utf-8")
    return {path.stem: path for path in folder.iterdir()}


def images(channels=3):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(4, channels, 8, 8, generator=generator) * 2.2 - 1.1


def test_a_net_gets_bytes_in_rgb(scripts):
    net = load_net(scripts["small"])
    assert isinstance(net, Inception)
    assert net.name == "small"
    assert net.hash == hashlib.sha256(scripts["small"].read_bytes()).hexdigest()
    x = images()
    pixels = ((x.double() + 1) * 127.5).round().clamp(0, 255).byte()
    script = torch.jit.load(str(scripts["small"]))
    features, probabilities = net.outputs(x)
    assert torch.equal(features, script(pixels, return_features=True))
    assert torch.equal(probabilities, script(pixels, no_output_bias=True))
    assert not torch.equal(probabilities, script(pixels))
    assert not features.requires_grad


def test_gray_is_repeated(scripts):
    net, x = load_net(scripts["small"]), images(1)
    assert torch.equal(net.outputs(x)[0], net.outputs(x.repeat(1, 3, 1, 1))[0])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("words", "words.pt: is not a TorchScript file"),
        ("nowhere", "nowhere.pt: No such file"),
        ("other", "cannot be called like inception-2015-12-05.pt"),
    ],
)
def test_other_files_are_refused_in_one_line(scripts, name, words):
    path = scripts.get(name, scripts["small"].with_name("nowhere.pt"))
    with pytest.raises(ModelError, match=words) as caught:
        load_net(path).outputs(images())
    assert "\n" not in str(caught.value)


def test_two_channels_are_refused(scripts):
    with pytest.raises(ValueError, match="1 or 3, H, W"):
        load_net(scripts["small"]).outputs(torch.zeros(2, 2, 8, 8))


def test_inception_is_fetched_once_and_checked(scripts, own_cache, monkeypatch):
    content = scripts["small"].read_bytes()
    monkeypatch.setattr(module, "SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(module, "URL", scripts["small"].as_uri())
    net = load_net("inception")
    assert (net.name, net.hash) == ("inception", module.SHA256)
    path = own_cache / "inception-2015-12-05.pt"
    assert path.read_bytes() == content
    monkeypatch.setattr(module, "URL", "file:///nowhere")
    assert load_net("inception").hash == net.hash
    assert load_net(path).name == "inception"
    path.write_bytes(scripts["other"].read_bytes())
    with pytest.raises(ModelError, match="SHA-256 is not the published one; delete the file"):
        load_net("inception")


def test_inception_that_cannot_be_fetched(scripts, own_cache, monkeypatch):
    for url, words in (
        (scripts["small"].with_name("none").as_uri(), "No such file"),
        (scripts["other"].as_uri(), "the checksum is wrong"),
    ):
        monkeypatch.setattr(module, "URL", url)
        with pytest.raises(ModelError, match=words) as caught:
            load_net("inception")
        assert "\n" not in str(caught.value)
        assert f"into {own_cache}, or give its path" in str(caught.value)
        assert not list(own_cache.rglob("*.pt"))


def test_the_published_file_is_the_one_that_others_name():
    assert module.URL.startswith("https://nvlabs-fi-cdn.nvidia.com/")
    assert module.URL.endswith("/metrics/inception-2015-12-05.pt")
    assert len(bytes.fromhex(module.SHA256)) == 32
    docs = Path(__file__).parents[2] / "docs" / "evaluation.md"
    assert module.SHA256 in docs.read_text(encoding="utf-8")


def test_packaged_nets_are_loaded_by_name():
    net = load_net("mnist")
    assert isinstance(net, FeatureNet)
    assert net.name == "mnist"
    with pytest.raises(ModelError, match="choose faces, mnist or give"):
        load_net("mnits")


def test_score_by_its_definition():
    p = torch.rand(60, 4, dtype=torch.float64).softmax(1)
    scores = []
    for part in p.split(20):
        mixed = part.mean(0)
        kl = sum(p_i * (p_i / mixed).log() for p_i in part).sum() / 20
        scores.append(kl.exp().item())
    mean, std = inception_score(p, 3)
    assert mean == pytest.approx(sum(scores) / 3)
    assert std == pytest.approx((sum((s - mean) ** 2 for s in scores) / 3) ** 0.5)


def test_score_runs_from_one_to_the_number_of_classes():
    sure = torch.eye(5).repeat(20, 1)
    assert inception_score(sure, 2) == pytest.approx((5, 0))
    assert inception_score(torch.full((40, 5), 0.2)) == pytest.approx((1, 0), abs=1e-6)
    assert inception_score(sure[:1].repeat(40, 1)) == pytest.approx((1, 0))


@pytest.mark.parametrize(
    ("p", "splits"),
    [(torch.rand(9, 3) + 1, 2), (torch.tensor([[1.5, -0.5]] * 4), 2), (torch.eye(3), 4),
     (torch.eye(3), 0)],
)  # fmt: skip
def test_what_are_no_probabilities_is_refused(p, splits):
    with pytest.raises(ValueError, match=r"sum to 1|at least 4"):
        inception_score(p, splits)
