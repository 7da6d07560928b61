"""Noise: frequency statistics, and independence of how it is drawn."""

import pytest
import torch
from sklearn.datasets import load_digits

from ign.core import random
from ign.noise import GaussianNoise, SpectralNoise, make_noise


def pictures(n: int = 4000, shape=(1, 9, 12)) -> torch.Tensor:
    """Images with a mean, a slope of the spectrum, and unequal phases."""
    white = torch.randn(n, *shape, generator=torch.Generator().manual_seed(3))
    smooth = white + white.roll(1, -1) + 0.5 * white.roll(1, -2)
    ramp = torch.linspace(-0.5, 0.5, shape[-1])
    return 0.1 * (smooth + smooth.flip(-1) * 0.7) + ramp


def spectrum(x: torch.Tensor) -> torch.Tensor:
    """Real and imaginary part of the unitary transform, (2, N, C, H, W)."""
    return torch.view_as_real(torch.fft.fft2(x.double(), norm="ortho")).movedim(-1, 0)


def bands(height: int, width: int) -> torch.Tensor:
    """The ring of frequencies to which each coefficient belongs."""
    fy, fx = torch.fft.fftfreq(height)[:, None], torch.fft.fftfreq(width)
    return ((fy**2 + fx**2).sqrt() * 12).round().long()


def digits() -> torch.Tensor:
    return torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 8 - 1


@pytest.mark.parametrize("make", [pictures, digits])
def test_both_variances_are_the_datas_in_every_band(make):
    data = make()
    noise = SpectralNoise.fit(data)
    z = noise.sample(60_000, torch.Generator().manual_seed(0))
    ours, theirs = spectrum(z), spectrum(data)
    ring = bands(*data.shape[-2:])
    for part in (0, 1):
        for r in ring.unique():
            wanted = theirs[part].var(0)[:, ring == r].mean()
            assert ours[part].var(0)[:, ring == r].mean() == pytest.approx(
                wanted.item(), rel=0.02, abs=1e-9
            )
    error = (ours.mean(1) - theirs.mean(1)).abs()
    assert (error < 6 * (theirs.var(1) / 60_000).sqrt() + 1e-6).all()


def test_real_and_imaginary_variances_differ_where_the_datas_do():
    data = digits()
    z = SpectralNoise.fit(data).sample(60_000, torch.Generator().manual_seed(0))
    wanted, found = (spectrum(x).var(1) for x in (data, z))
    strong = (wanted[0] > 1e-3) & (wanted[1] > 1e-3)
    ratio = (wanted[0] / wanted[1])[strong]
    assert ratio.max() > 1.5 * ratio.min(), "the data's variances differ"
    assert ((found[0] / found[1])[strong] / ratio - 1).abs().max() < 0.05


def test_noise_is_hermitian_by_construction():
    noise = SpectralNoise.fit(pictures())
    w = torch.fft.fft2(torch.randn(5, 1, 9, 12, dtype=torch.float64), norm="ortho")
    mean, std = noise.mean.double(), noise.std.double()
    z = torch.fft.ifft2(
        torch.complex(mean[0] + std[0] * w.real, mean[1] + std[1] * w.imag), norm="ortho"
    )
    assert z.imag.abs().max() < 1e-5 * z.real.abs().max()


def test_fit_takes_bytes_and_chunks():
    x = (torch.rand(50, 1, 8, 8) * 255).byte()
    a, b = SpectralNoise.fit(x), SpectralNoise.fit(x.float() / 127.5 - 1, chunk=7)
    assert torch.allclose(a.mean, b.mean, atol=1e-6)
    assert torch.allclose(a.std, b.std, atol=1e-6)


def test_statistics_are_the_models_state():
    a = SpectralNoise.fit(pictures())
    b = make_noise("spectral", a.shape)
    b.load_state_dict(a.state_dict())
    key = random.keys(0, "sample", 0, torch.arange(3))
    assert torch.equal(a.at(key), b.at(key))


@pytest.mark.parametrize("name", ["gaussian", "spectral"])
def test_an_image_of_noise_depends_on_its_key_alone(name):
    data = pictures()
    noise = make_noise(name, data.shape[1:], data)
    key = random.keys(7, "sample", 0, torch.arange(40))
    whole = noise.at(key)
    assert torch.allclose(torch.cat([noise.at(k) for k in key.split(3)]), whole, atol=1e-6)
    assert (whole[0] - whole[1]).abs().max() > 0.1
    g = torch.Generator().manual_seed(1)
    assert torch.equal(noise.sample(4, g), noise.sample(4, torch.Generator().manual_seed(1)))


def test_bad_arguments():
    with pytest.raises(ValueError, match="noise 'pink' is unknown"):
        make_noise("pink", (1, 8, 8))
    for shape in ((), (0, 4)):
        with pytest.raises(ValueError, match="the sides of a noise shape must be 1 or more"):
            GaussianNoise(shape)
    with pytest.raises(ValueError, match=r"spectral noise is of images, \(C, H, W\), not \(8, 8\)"):
        SpectralNoise((8, 8))
    with pytest.raises(ValueError, match="N > 1"):
        SpectralNoise.fit(torch.zeros(1, 1, 8, 8))
