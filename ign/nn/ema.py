"""The exponential moving average of a network's weights and statistics."""

__all__ = ["Average"]

import copy

import torch
from torch import Tensor, nn

from ign.nn.sharding import local


class Average(nn.Module):
    r"""A copy of a network that follows it slowly, normalization statistics included.

    .. math:: \bar\theta \leftarrow \bar\theta + (1 - d_t)(\theta - \bar\theta), \qquad
        d_t = \min\left(d, \frac{1 + t}{10 + t}\right)

    The ramp lets the average forget the initialization early on. Where network and average are
    sharded alike (:func:`ign.nn.sharding.shard`), each process moves its own shards.

    Args:
        network: The network to follow.
        decay: d, in [0, 1); 0 for a plain copy of the present weights.

    Raises:
        ValueError: The decay is outside [0, 1).
    """

    def __init__(self, network: nn.Module, decay: float):
        super().__init__()
        if not 0 <= decay < 1:
            raise ValueError(f"the decay {decay} of the average must be in [0, 1)")
        self.decay = decay
        self.network = copy.deepcopy(network).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take one step towards the network.

        Args:
            network: The network, after optimizer step t.
            step: t, from 0.
        """
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        pairs = list(zip(_tensors(self.network), _tensors(network), strict=True))
        moving = [pair for pair in pairs if pair[0].is_floating_point()]
        counts = [pair for pair in pairs if not pair[0].is_floating_point()]
        torch._foreach_lerp_([a for a, _ in moving], [b for _, b in moving], weight)
        if counts:
            torch._foreach_copy_([a for a, _ in counts], [b for _, b in counts])


def _tensors(network: nn.Module) -> list[Tensor]:
    return [local(t.detach()) for t in (*network.parameters(), *network.buffers())]
