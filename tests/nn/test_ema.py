"""The average of weights against its recursion written out."""

import pytest
import torch

from ign.nn import DCGANAutoencoder
from ign.nn.ema import Average


def test_average_is_the_recursion_and_takes_statistics_along():
    torch.manual_seed(0)
    network = DCGANAutoencoder(1, 8, 4, "role").double()
    average = Average(network, 0.9)
    wanted = {k: v.clone() for k, v in network.state_dict().items()}
    for step in range(20):
        with torch.no_grad():
            for p in network.parameters():
                p.add_(torch.randn_like(p))
        network(torch.randn(4, 1, 8, 8, dtype=torch.float64))
        average.update(network, step)
        decay = min(0.9, (1 + step) / (10 + step))
        for k, v in network.state_dict().items():
            wanted[k] = decay * wanted[k] + (1 - decay) * v if v.is_floating_point() else v.clone()
    for k, v in average.network.state_dict().items():
        assert torch.allclose(v, wanted[k], rtol=1e-12), k
    assert not average.network.training
    assert not any(p.requires_grad for p in average.parameters())


def test_no_decay_is_a_copy():
    network = DCGANAutoencoder(1, 8, 4, "batch")
    average = Average(network, 0.0)
    with torch.no_grad():
        network.encoder[0].weight.add_(1)
    average.update(network, 0)
    for a, b in zip(
        average.network.state_dict().values(), network.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b)
    for decay in (1.0, -0.1):
        with pytest.raises(ValueError, match="must be in"):
            Average(network, decay)
