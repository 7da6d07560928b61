"""Feature nets: features and their distance by definition, files that are not what they say."""

import hashlib
import json
import shutil
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from ign import ModelError, data
from ign.evaluate import FeatureNet, feature_distance, feature_net, feature_nets
from ign.evaluate.features import PACKAGED

FORMS = [("classes", 1), ("attributes", 3)]


def small(kind="classes", channels=1, seed=0):
    """A net of 8x8 pixels whose norms have statistics that differ from those of any batch."""
    torch.manual_seed(seed)
    net = FeatureNet(["a", "b", "c"], kind, channels, 8, [(4, 1), (6, 2)], 5, {"steps": 3})
    for name, buffer in net.named_buffers():
        if name.endswith(("mean", "var")):
            buffer.uniform_(0.01, 0.1)
    net.body[-2].bias.data += 1
    return net.eval()


def images(n=6, channels=1, size=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, channels, size, size, generator=generator) * 2 - 1


@pytest.fixture
def saved(tmp_path):
    return small().save(tmp_path / "net.safetensors")


@pytest.mark.parametrize(("kind", "channels"), FORMS)
def test_logits_are_the_last_layer_of_the_features(kind, channels):
    net, x = small(kind, channels), images(channels=channels)
    features = net.features(x)
    assert features.shape == (6, 5)
    assert features.min() >= 0
    assert features.std(0).min() > 0
    wanted = features @ net.head.weight.T + net.head.bias
    assert torch.allclose(net.logits(x), wanted, atol=1e-6)
    assert torch.allclose(net(x), wanted, atol=1e-6)
    assert net(x.requires_grad_()).requires_grad
    assert not net.features(x).requires_grad


def test_features_by_their_definition():
    """One layer, no stride, (x - mean) / sqrt(var + eps) g + b and ReLU; a matrix and the same."""
    torch.manual_seed(0)
    net = FeatureNet(["a"], "classes", 1, 3, [(2, 1)], 4).double().eval()
    conv, first, _, _, linear, last, _ = net.body
    for norm in (first, last):
        norm.running_mean.uniform_(-1, 1), norm.running_var.uniform_(0.5, 2)
        norm.weight.data.uniform_(0.5, 2), norm.bias.data.uniform_(-1, 1)

    def normalized(x, norm):
        values = (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        mean, var, g, b = (v.view(-1, *[1] * (x.ndim - 2)) for v in values)
        return ((x - mean) / (var + norm.eps).sqrt() * g + b).clamp(min=0)

    x = images(2, 1, 3).double()
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    maps = torch.zeros(2, 2, 3, 3, dtype=torch.float64)
    for i in range(3):
        for j in range(3):
            window = padded[:, 0, i : i + 3, j : j + 3]
            maps[:, :, i, j] = torch.einsum("bij,mij->bm", window, conv.weight[:, 0])
    wanted = normalized(normalized(maps, first).flatten(1) @ linear.weight.T, last)
    assert torch.allclose(net.body(net.prepare(x)), wanted, atol=1e-12)


@pytest.mark.parametrize(("kind", "channels"), FORMS)
def test_an_image_does_not_depend_on_its_batch_mates_or_on_the_mode(kind, channels):
    net, x = small(kind, channels), images(20, channels)
    whole, logits = net.features(x), net.logits(x)
    net.train()
    assert torch.allclose(net.features(x[3:4]), whole[3:4], atol=1e-5)
    assert torch.allclose(net.features(x, batch_size=7), whole, atol=1e-5)
    assert torch.allclose(net.features(x.flip(0)), whole.flip(0), atol=1e-5)
    assert torch.allclose(net.logits(x, batch_size=3), logits, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(net.features(x), whole)
    assert net.training
    assert torch.equal(net.features(x), whole)


def test_gray_is_repeated_and_colour_averaged():
    gray, colour = images(), images(channels=3)
    assert torch.equal(small(channels=3).prepare(gray), gray.repeat(1, 3, 1, 1))
    assert torch.equal(small().prepare(gray), gray)
    assert torch.equal(small().prepare(colour), colour.mean(1, keepdim=True))
    assert torch.equal(small(channels=3).prepare(colour), colour)


def test_smaller_images_are_averages():
    """With antialiasing a ramp stays the ramp, and what repeats within a pixel becomes its mean."""
    x = torch.arange(32.0).view(1, 1, 1, 32).expand(-1, -1, 32, -1)
    assert torch.allclose(small().prepare(x)[0, 0, 0, 1:-1], torch.arange(1.5, 32, 4)[1:-1])
    stripes = (x % 4 == 0) * 2.0 - 1
    assert (small().prepare(stripes)[..., 1:-1] + 0.5).abs().max() < 1e-6
    assert small().prepare(torch.full((1, 3, 5, 7), 0.25)).sub(0.25).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.zeros(2, 2, 8, 8), r"are \(2, 2, 8, 8\); give \(B, 1 or 3, H, W\)"),
        (torch.zeros(1, 8, 8), r"give \(B, 1 or 3, H, W\)"),
        (torch.zeros(0, 1, 8, 8), r"give \(B, 1 or 3, H, W\)"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8), "floating point"),
    ],
)
def test_images_of_another_form_are_refused(x, words):
    with pytest.raises(ValueError, match=words):
        small().features(x)


@pytest.mark.parametrize(
    "form",
    [
        {"names": []}, {"kind": "pairs"}, {"channels": 2}, {"size": 0}, {"layers": []},
        {"layers": [(4, 0)]}, {"dimensions": 0},
    ],
)  # fmt: skip
def test_senseless_forms_are_refused(form):
    with pytest.raises(ValueError, match=r"must|choose"):
        FeatureNet(**{"names": ["a"], **form})


def test_the_distance_is_one_less_the_cosine():
    net, x, y = small(), images(70), images(70, seed=1)
    a, b = net.features(x).double(), net.features(y).double()
    wanted = 1 - (a * b).sum(1) / a.norm(dim=1) / b.norm(dim=1)
    found = feature_distance(net, x, y)
    assert found.shape == (70,)
    assert torch.allclose(found.double(), wanted, atol=1e-6)
    assert found.min() > 0


@pytest.mark.parametrize(("kind", "channels"), FORMS)
def test_laws_of_the_distance(kind, channels):
    net, x, y = small(kind, channels), images(20, channels), images(20, channels, seed=1)
    found = feature_distance(net, x, y)
    assert torch.equal(feature_distance(net, x, x), torch.zeros(20))
    assert torch.equal(feature_distance(net, y, x), found)
    assert torch.allclose(feature_distance(net, x[4:5], y[4:5]), found[4:5], atol=1e-5)
    assert torch.allclose(feature_distance(net, x, y, batch_size=3), found, atol=1e-5)
    assert found.min() >= 0
    assert found.max() <= 1


def test_features_that_are_all_zero_have_a_distance():
    """Equal where both are, 1/2 where one is: its unit vector is 0."""
    net = small()
    x = images(2)
    net.body[-2].weight.data.zero_()
    net.body[-2].bias.data.fill_(-1)
    assert feature_distance(net, x, x.flip(0)).tolist() == [0, 0]
    assert torch.nn.functional.normalize(net.features(x)).isfinite().all()


def test_a_distance_needs_pairs():
    with pytest.raises(ValueError, match="3 images cannot be compared with 6"):
        feature_distance(small(), images(3), images(6))


@pytest.mark.parametrize(("kind", "channels"), FORMS)
def test_a_saved_net_is_the_same_net_within_half_precision(kind, channels, tmp_path):
    net, x = small(kind, channels), images(channels=channels)
    path = net.save(tmp_path / "mine.safetensors")
    loaded = feature_net(path)
    assert torch.allclose(loaded.features(x), net.features(x), atol=5e-3)
    assert loaded.head.weight.dtype == torch.float32
    form = ("names", "kind", "channels", "size", "layers", "dimensions", "about")
    assert all(getattr(loaded, k) == getattr(net, k) for k in form)
    assert loaded.hash == net.hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not loaded.training
    assert torch.equal(feature_net(loaded.save(path)).features(x), loaded.features(x))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.json", "mine.safetensors"]


def edit(path, **changes):
    config = path.with_suffix(".json")
    config.write_text(
        json.dumps(json.loads(config.read_text(encoding="utf-8")) | changes), encoding="utf-8"
    )


def resave(path, change):
    """Weights changed, and the configuration told their hash."""
    state = load_file(path)
    change(state)
    save_file(state, path)
    edit(path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def of_words(path):
    path.write_bytes(b"words")
    edit(path, sha256=hashlib.sha256(b"words").hexdigest())


FAULTS = {
    "no weights": (lambda path: path.unlink(), "net.safetensors: No such file"),
    "no json": (lambda path: path.with_suffix(".json").unlink(), "net.json: No such file"),
    "truncated": (
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        "SHA-256 differs from the one",
    ),
    "empty": (lambda path: path.write_bytes(b""), "SHA-256 differs from the one in net.json"),
    "another net": (lambda path: small(seed=1).save(path.with_stem("other")).replace(path), "SHA"),
    "no safetensors": (of_words, "not a safetensors file"),
    "a tensor less": (
        lambda path: resave(path, lambda s: s.pop("head.bias")),
        "does not hold the weights",
    ),
    "json of words": (
        lambda path: path.with_suffix(".json").write_text("{", encoding="utf-8"),
        "cannot be read as",
    ),
    "json of bytes": (lambda path: path.with_suffix(".json").write_bytes(b"\xff"), "cannot be"),
    "json of a list": (
        lambda path: path.with_suffix(".json").write_text("[]", encoding="utf-8"),
        "of format 1",
    ),
    "another format": (lambda path: edit(path, format=2), "not a feature net of format 1"),
    "no hash": (lambda path: edit(path, sha256=None), "SHA-256 differs from the one"),
    "unknown field": (lambda path: edit(path, depth=2), "net.json: not a feature net"),
    "unknown kind": (lambda path: edit(path, kind="x"), "net.json: not a feature net .*classes"),
    "layers of words": (lambda path: edit(path, layers="ab"), "net.json: not a feature net"),
    "layers of a number": (lambda path: edit(path, layers=3), "net.json: not a feature net"),
    "other layers": (
        lambda path: edit(path, layers=[[4, 1], [8, 2]]),
        "does not hold the weights of",
    ),
    "a huge net": (lambda path: edit(path, dimensions=10**9), "does not hold the weights of"),
    "other names": (lambda path: edit(path, names=["a"]), "does not hold the weights of the net"),
}


@pytest.mark.parametrize(("damage", "words"), FAULTS.values(), ids=FAULTS)
def test_damaged_files_are_refused_in_one_line(saved, damage, words):
    damage(saved)
    with pytest.raises(ModelError, match=words) as caught:
        feature_net(saved)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "mnits", "folder", "net.pt"])
def test_unknown_names_are_told_the_known_ones(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelError, match=r"choose faces, mnist or give the path of a file \*.safe"):
        feature_net(name)


def test_a_net_is_saved_under_a_name_that_can_be_loaded(tmp_path):
    with pytest.raises(ModelError, match=r"\*.safetensors"):
        small().save(tmp_path / "net.pt")
    assert not list(tmp_path.iterdir())


def test_a_folder_of_a_packaged_name_does_not_hide_the_net(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist").mkdir()
    assert feature_net("mnist").names == list("0123456789")


def test_importing_the_library_does_not_import_this():
    code = "import sys, ign; assert 'ign.evaluate' not in sys.modules; import ign.evaluate;"
    code += "print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sklearn", "torchmetrics", "lightning"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("name", "kind", "classes", "channels", "size"),
    [("mnist", "classes", 10, 1, 28), ("faces", "attributes", 40, 3, 64)],
)
def test_packaged_nets_are_small_and_say_where_they_come_from(
    name, kind, classes, channels, size, tmp_path
):
    assert feature_nets() == ["faces", "mnist"]
    net = feature_net(name)
    found = (net.kind, len(net.names), net.channels, net.size, net.dimensions)
    assert found == (kind, classes, channels, size, 128)
    path = PACKAGED / f"{name}.safetensors"
    assert path.stat().st_size < 2e6
    assert net.hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert net.about["accuracy"] > (0.992 if name == "mnist" else 0.89)
    assert ("non-commercial" in net.about["data"]) == (name == "faces")
    assert net.about["command"].startswith(f"features.py {name} --data ")
    features = net.features(images(40, channels, size))
    assert features.shape == (40, 128)
    assert features.isfinite().all()
    for suffix in ("safetensors", "json"):
        shutil.copy(path.with_suffix(f".{suffix}"), tmp_path / f"mine.{suffix}")
    assert feature_net(tmp_path / "mine.safetensors").hash == net.hash


def digits(size):
    images = data.load("digits", split="all", size=size)
    return images.batch(torch.arange(len(images))), images.labels


def test_the_digits_net_reads_digits_of_another_hand():
    """Scikit-learn's, of 8x8 pixels, enlarged to their place in MNIST's frame: 20 of 28 pixels."""
    x, labels = digits(20)
    x = torch.nn.functional.pad(x, (4, 4, 4, 4), value=-1)
    logits = feature_net("mnist").logits(x)
    assert (logits.argmax(1) == labels).float().mean() > 0.9


def test_the_digits_net_tells_a_spoiled_digit_from_a_clean_one():
    """Its distance grows with the noise, and two digits of one class are nearer than of two."""
    net = feature_net("mnist")
    x, labels = digits(28)
    x, labels = x[:300], labels[:300]
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    by_noise = [feature_distance(net, x + std * noise, x).mean() for std in (0.1, 0.4, 1.6)]
    assert 0 < by_noise[0] < by_noise[1] < by_noise[2] < 1
    other = feature_distance(net, x, x.roll(1, 0))
    same = labels == labels.roll(1, 0)
    assert other[same].mean() < other[~same].mean()


def test_real_digits(real):
    images = data.load(real / "mnist", split="test", limit=1000)
    x, net = images.batch(torch.arange(1000)), feature_net("mnist")
    assert (net.logits(x).argmax(1) == images.labels).double().mean() >= 0.985
    assert (net.features(x).max(0).values > 0).all()


def test_real_faces(real):
    images = data.load(real / "celeba", split="val", limit=500)
    names, wanted = data.load_attributes(images.source, images.names)
    x, net = images.batch(torch.arange(500)), feature_net("faces")
    assert net.names == names
    right = (net.logits(x) > 0) == wanted
    assert right.double().mean() >= 0.87
    assert right[:, names.index("Male")].double().mean() >= 0.9
    assert (net.features(x).max(0).values > 0).all()
    mirrored, other = feature_distance(net, x.flip(-1), x), feature_distance(net, x.roll(1, 0), x)
    assert mirrored.mean() < other.mean() / 2
