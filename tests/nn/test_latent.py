"""Networks that generate from a code: noise in, images out; images in, reconstructions out."""

import pytest
import torch

from ign import IGN, nn
from ign.nn import latent, role
from ign.noise import GaussianNoise

KINDS = ("Generator", "VariationalAutoencoder", "GaussianAutoencoder", "EnergyGenerator")


def made(kind: str, **options) -> latent.LatentNetwork:
    torch.manual_seed(0)
    network = nn.NETWORKS[kind](**{"channels": 1, "size": 8, "width": 4} | options).eval()
    with torch.no_grad():
        for p in network.parameters():
            p.mul_(8 if p.ndim > 1 else 1)
    return network


@pytest.mark.parametrize("kind", KINDS)
def test_noise_is_decoded_from_its_first_numbers(kind):
    network, z = made(kind), torch.randn(5, 1, 8, 8)
    assert network.code == 8
    with role(network, "noise"):
        y = network(z)
        assert torch.equal(network(torch.cat([z[..., :1, :], 0 * z[..., 1:, :]], 2)), y)
        assert not torch.equal(network(-z), y)
    assert torch.equal(y, network.decoder(z[:, 0, 0].reshape(5, 8, 1, 1)))
    assert network.role == "data"


def test_images_are_reconstructed():
    x = torch.rand(5, 1, 8, 8) * 2 - 1
    vae, plain, energy = (made(kind) for kind in KINDS[1:])
    assert torch.equal(vae(x), vae.decoder(vae.encoder(x)[:, :8]))
    assert torch.equal(plain(x), plain.decoder(plain.encoder(x)))
    assert torch.equal(energy(x), energy.critic(x))


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_is_the_same_model(kind, tmp_path):
    network = made(kind)
    if kind == "GaussianAutoencoder":
        network.fit(torch.randn(50, 8) @ torch.randn(8, 8))
    model = IGN(network, GaussianNoise((1, 8, 8)), about={"method": "some"})
    loaded = IGN.from_pretrained(model.save_pretrained(tmp_path))
    assert type(loaded.network) is type(network)
    assert torch.equal(loaded.sample(20), model.sample(20))
    assert torch.allclose(model.sample(20, batch_size=3), model.sample(20), atol=1e-5)
    assert (model.sample(20, seed=1) - model.sample(20)).abs().max() > 0.01
    if loaded.projects:
        x = torch.rand(3, 1, 8, 8)
        assert torch.equal(loaded.project(x), model.project(x))
        assert loaded.sample(3, 2).shape == (3, 1, 8, 8)
        assert loaded.drift(x).shape == (3,)


def test_generator_without_encoder_says_what_it_cannot_do():
    model = IGN(made("Generator"), GaussianNoise((1, 8, 8)))
    assert not model.projects
    for call in (
        lambda: model.project(torch.zeros(1, 1, 8, 8)),
        lambda: model.drift(torch.zeros(1, 1, 8, 8)),
        lambda: model.sample(2, applications=2),
    ):
        with pytest.raises(ValueError, match="generator without encoder") as error:
            call()
        assert "\n" not in str(error.value)
    assert model.sample(2).shape == (2, 1, 8, 8)


def test_code_larger_than_the_image_is_refused_with_what_fits():
    with pytest.raises(ValueError, match=r"code of 256 values.* at most 25 fits"):
        made("Generator", size=10, width=64)
    assert made("Generator", size=10, width=25).code == 100


def test_gaussian_of_the_codes():
    network = made("GaussianAutoencoder").double()
    codes = torch.randn(200, 3, dtype=torch.float64) @ torch.randn(3, 8, dtype=torch.float64) + 2
    network.fit(codes)
    seen = []
    network.decoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with role(network, "noise"):
        network(torch.randn(20000, 1, 8, 8, dtype=torch.float64))
    drawn = seen[0].flatten(1)
    wanted = codes.T.cov()
    assert torch.allclose(network.spread @ network.spread.T, wanted, atol=1e-10)
    assert (drawn.mean(0) - codes.mean(0)).abs().max() < 0.1
    assert (drawn.T.cov() - wanted).abs().max() < 0.05 * wanted.abs().max()
