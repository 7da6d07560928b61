"""Noise to remove is the same wherever it is drawn."""

import torch

from ign.objective import restoration_noise
from ign.objective.denoise import _drawn, masked


def test_a_device_that_must_not_be_waited_for_draws_the_same():
    index = torch.arange(3, 17)
    wanted = restoration_noise(1, 5, index, (3, 4, 4), 0.7)
    found = masked(_drawn(1, 5, index, (3, 4, 4), 0.7), index % 2 == 1)
    assert torch.equal(found, wanted)
    assert found[1].eq(0).all()
    assert found[0].ne(0).all()


def test_a_graph_can_hold_the_draw(monkeypatch):
    """No operation depends on the values of a tensor, on which a device would have to be waited."""
    index = torch.arange(4, device="meta")
    assert restoration_noise(1, 5, index, (3, 4, 4), 0.7).shape == (4, 3, 4, 4)
