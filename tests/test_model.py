"""The model: sampling, projection, saving, and files that are not what they say."""

import json
import math
import os
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from ign import IGN, ModelError, nn, noise
from ign.evaluate import feature_net
from ign.io.packaged import locate
from ign.objective.distance import l1


def small(norm: str = "role", kind: str = "spectral", channels: int = 1) -> IGN:
    torch.manual_seed(0)
    network = nn.DCGANAutoencoder(channels, 8, 4, norm)
    with torch.no_grad():
        for p in network.parameters():
            p.mul_(5 if p.ndim > 1 else 1)
        for name, b in network.named_buffers():
            if name.endswith("mean"):
                b.normal_()
    images = torch.rand(50, channels, 8, 8) * 2 - 1
    return IGN(network, noise.make_noise(kind, (channels, 8, 8), images), about={"steps": 3})


@pytest.fixture
def saved(tmp_path):
    return small().save_pretrained(tmp_path / "model")


def test_samples_do_not_depend_on_how_many_or_on_the_batch():
    model = small()
    many = model.sample(400, seed=3)
    assert torch.allclose(model.sample(4, seed=3), many[:4], atol=1e-5)
    assert torch.allclose(model.sample(400, seed=3, batch_size=7), many, atol=1e-5)
    assert torch.allclose(
        model.sample_trajectory(5, [1], 3, start=100)[0], many[100:105], atol=1e-5
    )
    assert (model.sample(4, seed=4) - many[:4]).abs().max() > 0.01
    assert many.shape == (400, 1, 8, 8)
    assert many.abs().max() <= 1


def test_applications_compose():
    model = small()
    once, twice, thrice = model.sample_trajectory(6, [1, 2, 3])
    assert torch.equal(model.sample(6), once)
    assert torch.allclose(model.project(once), twice, atol=1e-6)
    assert torch.allclose(model.project(once, 2), thrice, atol=1e-6)
    assert torch.allclose(model.sample(6, 3), thrice, atol=1e-6)
    z = model.latents(torch.arange(6))
    assert (model.project(z) - once).abs().max() > 1e-3, "only sampling may know that z is noise"
    assert torch.equal(model.project(z, 0), z)
    ks = [3, 1, 0]
    for k, y in zip(ks, model.trajectory(once, ks), strict=True):
        assert torch.allclose(y, model.project(once, k), atol=1e-6)


def test_drift_is_the_distance_that_one_application_moves():
    model = small()
    images = torch.rand(70, 1, 8, 8) * 2 - 1
    assert torch.allclose(model.drift(images), l1(model.project(images), images), atol=1e-6)
    assert model.drift(images, distance="l2").shape == (70,)
    model.distance = "somewhere:function"
    with pytest.raises(ValueError, match="pass it as distance="):
        model.drift(images)
    assert torch.equal(model.drift(images, distance=l1), model.drift(images, distance="l1"))


def test_inference_is_in_evaluation_mode_and_leaves_the_mode_alone():
    model = small("batch")
    assert not model.training
    images = torch.rand(9, 1, 8, 8)
    wanted = model.project(images)
    model.train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    assert torch.equal(model.project(images), wanted)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(model.project(images), wanted)
    assert model.network.training
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.zeros(2, 3, 8, 8), r"takes \(B, 1, 8, 8\)"),
        (torch.zeros(3, 8, 8), r"takes \(B, 1, 8, 8\): add the channel, images\[:, None\]"),
        (torch.zeros(0, 1, 8, 8), r"takes \(B, 1, 8, 8\)"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.int64), "images are int64; give floating point"),
    ],
)
def test_images_of_another_form_are_refused(images, words):
    with pytest.raises(ValueError, match=words):
        small().project(images)


@pytest.mark.parametrize(
    "arguments", [{"n": 0}, {"n": 2, "applications": 0}, {"n": 2, "batch_size": 0}]
)
def test_senseless_numbers_are_refused(arguments):
    with pytest.raises(ValueError, match="must be"):
        small().sample(**arguments)


@pytest.mark.parametrize("norm", nn.NORMS)
@pytest.mark.parametrize("kind", ["gaussian", "spectral"])
def test_a_saved_model_is_the_same_model(norm, kind, tmp_path):
    model = small(norm, kind, channels=3)
    loaded = IGN.from_pretrained(model.save_pretrained(tmp_path))
    assert torch.equal(loaded.sample(5, seed=2), model.sample(5, seed=2))
    assert (loaded.about, loaded.distance, loaded.shape) == ({"steps": 3}, "l1", (3, 8, 8))
    assert sorted(os.listdir(tmp_path)) == ["config.json", "model.safetensors"]


def test_half_precision_files_load_as_single(tmp_path):
    model = small()
    loaded = IGN.from_pretrained(model.save_pretrained(tmp_path, dtype=torch.float16))
    assert loaded.network.encoder[0].weight.dtype == torch.float32
    assert (loaded.sample(5) - model.sample(5)).abs().max() < 0.02


def test_half_precision_files_keep_variances_that_it_cannot_hold(tmp_path):
    model = small()
    variance = model.network.decoder[1].running_var
    variance.fill_(1e5)
    loaded = IGN.from_pretrained(model.save_pretrained(tmp_path, dtype=torch.float16))
    assert torch.equal(loaded.network.decoder[1].running_var, variance)


@pytest.mark.parametrize(("name", "side"), [("mnist", 28), ("digits", 10)])
def test_packaged_models_are_small_and_make_digits(name, side):
    folder = locate(name)
    assert sum(f.stat().st_size for f in folder.iterdir()) < 8e6
    model = IGN.from_pretrained(name)
    assert model.shape == (1, side, side)
    samples = model.sample(256)
    if side == 28:
        sure, digit = feature_net("mnist").logits(samples).softmax(1).max(1)
        assert (sure > 0.8).float().mean() > 0.75
        assert len(digit.unique()) == 10
    noise = model.latents(torch.arange(64), seed=1)
    assert model.drift(samples).mean() < 0.1 * model.drift(noise).mean()


def test_samples_of_the_packaged_digits_come_to_rest():
    model = IGN.from_pretrained("mnist")
    once, far, further = model.trajectory(
        model.latents(torch.arange(64)), [1, 100, 101], noise=True
    )
    still = (far == further).flatten(1).all(1).float().mean()
    model.network.rounding = 0.0
    free, freer = model.trajectory(model.latents(torch.arange(64)), [100, 101], noise=True)
    assert still > 0.75
    assert not (free == freer).flatten(1).all(1).any()
    assert l1(far, once).mean() < 0.75 * l1(free, once).mean()


def test_a_run_and_its_model_have_one_name(tmp_path):
    model = small()
    model.save_pretrained(tmp_path / "run" / "model")
    assert locate(tmp_path / "run") == tmp_path / "run" / "model"


def test_a_network_of_ones_own_is_used_but_not_saved(tmp_path):
    model = IGN(torch.nn.Conv2d(1, 1, 3, padding=1), noise.GaussianNoise((1, 8, 8)))
    assert model.sample(2).shape == (2, 1, 8, 8)
    with pytest.raises(ModelError, match="a Conv2d cannot be saved"):
        model.save_pretrained(tmp_path)
    assert not list(tmp_path.iterdir())


def damage_truncated(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def damage_empty(folder):
    (folder / "model.safetensors").write_bytes(b"")


def damage_missing(folder):
    (folder / "model.safetensors").unlink()


def damage_pickle(folder):
    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb()))


def damage_huge_header(folder):
    (folder / "model.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")


def damage_nan(folder):
    state = load_file(folder / "model.safetensors")
    state["network.encoder.0.weight"][0] = float("nan")
    save_file(state, folder / "model.safetensors")


def damage_wrong_shape(folder):
    state = load_file(folder / "model.safetensors")
    state["network.encoder.0.weight"] = torch.zeros(9, 1, 4, 4)
    save_file(state, folder / "model.safetensors")


def damage_extra(folder):
    state = load_file(folder / "model.safetensors")
    save_file({**state, "more": torch.zeros(1)}, folder / "model.safetensors")


def edit(folder, **changes):
    path = folder / "config.json"
    path.write_text(
        json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8"
    )


def damage_renamed_network(folder):
    edit(folder, network={"name": "os.system", "command": "true"})


def damage_other_network(folder):
    edit(folder, network={"name": "DCGANAutoencoder", "channels": 1, "size": 8, "width": 5})


def damage_giant_network(folder):
    edit(folder, network={"name": "DCGANAutoencoder", "channels": 1, "size": 8, "width": 10**9})


def damage_image(folder):
    edit(folder, image={"channels": 1, "height": 16, "width": 16})


def damage_no_form(folder):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del config["image"]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def damage_another_form(folder):
    edit(folder, shape=[64])


def damage_senseless_form(folder):
    edit(folder, shape=["a"])


def damage_types(folder):
    edit(folder, image=[1, 8, 8])


def damage_shape_of_strings(folder):
    edit(folder, image={"channels": "1", "height": 8, "width": 8})


def damage_format(folder):
    edit(folder, format=99)


def damage_json(folder):
    (folder / "config.json").write_text("{", encoding="utf-8")


def damage_list(folder):
    (folder / "config.json").write_text("[1]", encoding="utf-8")


def damage_large_config(folder):
    (folder / "config.json").write_text(" " * 2**21, encoding="utf-8")


class Bomb:
    """What a hostile pickle does on loading."""

    def __reduce__(self):
        return os.putenv, ("IGN_BOMB", "1")


DAMAGES = [f for name, f in sorted(globals().items()) if name.startswith("damage_")]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_hostile_file_gives_one_clear_error(damage, saved):
    damage(saved)
    with pytest.raises(ModelError) as caught:
        IGN.from_pretrained(saved)
    text = str(caught.value)
    assert "\n" not in text
    assert str(saved) in text
    assert len(text) < 400


def test_a_foreign_distance_is_not_imported_on_loading(saved):
    edit(saved, distance="antigravity:fly")
    model = IGN.from_pretrained(saved)
    assert model.sample(1).shape == (1, 1, 8, 8)
    with pytest.raises(ValueError, match="antigravity"):
        model.drift(torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize(
    ("name", "words"),
    [("no-such-model", "no such path"), ("a/b/c", "no such path"), ("../x/y", "no such path")],
)
def test_unknown_names(name, words):
    with pytest.raises(ModelError, match=words):
        IGN.from_pretrained(name)


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(ModelError, match=r"no config\.json"):
        IGN.from_pretrained(tmp_path)


def test_a_failed_write_leaves_the_previous_model(saved, monkeypatch):
    before = {p.name: p.read_bytes() for p in saved.iterdir()}

    def full(state, file):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ign.io.weights.save_file", full)
    with pytest.raises(OSError, match="No space"):
        small("group").save_pretrained(saved)
    assert {p.name: p.read_bytes() for p in saved.iterdir()} == before


class Line(torch.nn.Module):
    """A network of vectors that is not the library's."""

    def __init__(self, columns: int = 5):
        super().__init__()
        self.config = {"columns": columns}
        self.shape = (columns,)
        self.layer = torch.nn.Linear(columns, columns)

    def forward(self, x):
        return self.layer(x)


@pytest.mark.parametrize("shape", [(5,), (2, 7), (1, 3, 4, 5)])
def test_samples_of_any_shape_are_drawn_projected_and_scored(shape):
    network = torch.nn.Sequential(
        torch.nn.Flatten(), Line(math.prod(shape)), torch.nn.Unflatten(1, shape)
    )
    model = IGN(network, noise.GaussianNoise(shape))
    once, twice = model.sample_trajectory(9, [1, 2], batch_size=4)
    assert once.shape == (9, *shape)
    assert torch.allclose(model.project(once), twice, atol=1e-6)
    assert torch.allclose(model.score(once), (twice - once).abs().flatten(1).mean(1), atol=1e-6)
    where = model.score_map(once)
    assert torch.allclose(where.flatten(1).mean(1), model.score(once), atol=1e-6)
    with pytest.raises(ValueError, match="this model takes"):
        model.project(torch.zeros(2, *shape, 1))


def test_the_map_of_a_vector_is_of_its_columns():
    network = Line()
    with torch.no_grad():
        network.layer.weight.copy_(torch.eye(5))
        network.layer.bias.copy_(torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0]))
    model = IGN(network, noise.GaussianNoise((5,)))
    found = model.score_map(torch.zeros(3, 5))
    assert torch.equal(model.analyze(torch.zeros(3, 5)).map, found)
    assert torch.equal(found, torch.tensor([[0.0, 0.0, 1.0, 0.0, 0.0]] * 3))


def test_a_network_of_ones_own_is_saved_and_loaded_once_it_is_known(tmp_path, monkeypatch):
    model = IGN(Line(), noise.GaussianNoise((5,)))
    with pytest.raises(ModelError, match=r"a Line cannot be saved.*NETWORKS"):
        model.save_pretrained(tmp_path)
    monkeypatch.setitem(nn.NETWORKS, "Line", Line)
    again = IGN.from_pretrained(model.save_pretrained(tmp_path))
    assert again.shape == (5,)
    assert torch.equal(again.sample(3), model.sample(3))
    assert "value_range" not in json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    monkeypatch.delitem(nn.NETWORKS, "Line")
    with pytest.raises(ModelError, match="network 'Line' is unknown; put its class into"):
        IGN.from_pretrained(tmp_path)


def test_a_seed_has_the_same_noise_for_good():
    """Another name of the stream would change every sample of every seed."""
    z = IGN.from_pretrained("digits").latents(torch.arange(2), seed=0).flatten(1)[:, :3]
    wanted = torch.tensor([[0.134161, 0.489605, -0.222610], [1.179127, -0.965386, 0.168315]])
    assert torch.allclose(z, wanted, atol=1e-6)
