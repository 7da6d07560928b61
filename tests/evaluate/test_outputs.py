"""What goes into a net, and what is kept of what it sees."""

import errno
import math

import pytest
import torch
from safetensors.torch import load_file, save_file

from ign import data
from ign.data import to_float, to_uint8
from ign.evaluate import FeatureNet
from ign.evaluate.outputs import as_uint8, cached_outputs, digest, net_outputs


@pytest.fixture
def net():
    torch.manual_seed(0)
    net = FeatureNet(["a", "b"], "classes", 1, 8, [(4, 2)], 5).eval()
    net.name, net.hash = "small", "0123"
    return net


@pytest.fixture
def pixels():
    return torch.randint(0, 256, (20, 1, 8, 8), generator=torch.Generator().manual_seed(0)).byte()


def test_images_are_rounded_to_the_nearest_level():
    x = torch.tensor([-1.0, -0.999, 0.0, 0.9999, 1.0005]).view(-1, 1, 1, 1)
    assert as_uint8(x).flatten().tolist() == [0, 0, 128, 255, 255]
    levels = torch.arange(256, dtype=torch.uint8).view(-1, 1, 1, 1)
    assert torch.equal(as_uint8(to_float(levels)), levels)


def test_a_set_is_taken_as_it_is(pixels):
    images = data.ImageSet(pixels, None, [""] * 20, "here")
    assert as_uint8(images) is pixels


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.linspace(0.01, 1, 48).view(3, 1, 4, 4), "run from 0.*in \\[-1, 1\\]"),
        (torch.rand(3, 1, 4, 4) * 255, "values of them run from"),
        (torch.rand(3, 1, 4, 4) * 4 - 2, "give them in \\[-1, 1\\]"),
        (torch.zeros(3, 1, 4, 4, dtype=torch.uint8), "are torch.uint8; give floating point"),
        (torch.full((3, 1, 4, 4), math.nan), "number 0 holds NaN"),
        (torch.zeros(1, 4, 4), r"give \(N, C, H, W\)"),
        (torch.zeros(0, 1, 4, 4), r"give \(N, C, H, W\)"),
    ],
)
def test_other_ranges_are_refused(x, words):
    with pytest.raises(ValueError, match=words):
        as_uint8(x, "them")


def test_observing_is_the_net_s_features_and_softmax(net, pixels):
    counts = []
    outputs = net_outputs(net, pixels, 8, counts.append)
    x = to_float(pixels)
    assert torch.allclose(outputs.features, net.features(x), atol=1e-6)
    assert torch.allclose(outputs.probabilities, net.logits(x).softmax(1), atol=1e-6)
    assert counts == [8, 8, 4]
    net.kind = "attributes"
    assert net_outputs(net, pixels).probabilities is None


def calls(net):
    """Counts how often the net is used."""
    made, plain = [], net.outputs
    net.outputs = lambda x: made.append(len(x)) or plain(x)
    return made


def equal(a, b):
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_features_are_kept_by_content_and_net(net, pixels, own_cache):
    made = calls(net)
    first = cached_outputs(net, pixels)
    (path,) = (own_cache / "features").iterdir()
    assert path.name.startswith("small-")
    assert sum(made) == 20
    counts = []
    assert equal(cached_outputs(net, pixels.clone(), advance=counts.append), first)
    assert sum(made) == 20
    assert counts == [20]
    other = pixels.clone()
    other[7, 0, 3, 3] ^= 1
    assert not equal(cached_outputs(net, other), first)
    net.hash = "4567"
    cached_outputs(net, pixels)
    assert sum(made) == 60
    assert len(list((own_cache / "features").iterdir())) == 3


def flipped(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 8
    path.write_bytes(content)


DAMAGES = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "empty": lambda path: path.write_bytes(b""),
    "words": lambda path: path.write_text("words", encoding="utf-8"),
    "a bit": flipped,
    "no hash": lambda path: save_file(load_file(path), path),
    "no features": lambda path: save_file({"a": torch.zeros(1)}, path),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.filterwarnings("ignore:.*cannot be written")
def test_damaged_files_are_made_again(net, pixels, own_cache, damage):
    first = cached_outputs(net, pixels)
    (path,) = (own_cache / "features").iterdir()
    whole = path.read_bytes()
    DAMAGES[damage](path)
    made = calls(net)
    assert equal(cached_outputs(net, pixels), first)
    assert sum(made) == 20
    if damage != "a folder":
        assert path.read_bytes() == whole


def test_a_full_disk_costs_the_cache_and_nothing_else(net, pixels, own_cache, monkeypatch):
    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.warns(UserWarning, match="No space left on device.*IGN_CACHE"):
        outputs = cached_outputs(net, pixels)
    assert equal(outputs, net_outputs(net, pixels))
    assert not list((own_cache / "features").iterdir())


def test_a_net_without_a_hash_is_not_kept(net, pixels, own_cache):
    net.hash = ""
    cached_outputs(net, pixels)
    assert not own_cache.exists()


def test_digest_is_of_shape_type_and_values(pixels):
    found = digest([pixels])
    assert digest([pixels.clone()]) == found
    others = [[pixels[:-1]], [pixels.view(20, 64)], [pixels.view(torch.int8)], [pixels, pixels]]
    assert len({found, *map(digest, others)}) == 5
    assert digest([to_float(pixels)]) == digest([to_float(to_uint8(to_float(pixels)))])
