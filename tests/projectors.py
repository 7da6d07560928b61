"""Networks whose answers are known in closed form."""

import torch
from torch import Tensor, nn

from ign import IGN
from ign.noise import GaussianNoise


class Projector(nn.Module):
    """The orthogonal projection onto the images whose right half equals the left."""

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, y: Tensor) -> Tensor:
        left, right = y.chunk(2, dim=-1)
        return torch.cat([(left + right) / 2] * 2, dim=-1) * self.one


class Half(nn.Module):
    """y to y / 2, whose trajectory is 2^-k y."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.5))

    def forward(self, y: Tensor) -> Tensor:
        return y * self.factor


def images(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers, (5, 1, 4, 6) unless another shape is given."""
    return torch.randn(shape or (5, 1, 4, 6), generator=torch.Generator().manual_seed(seed))


def model(network: nn.Module, *shape: int) -> IGN:
    """A model of that network, for images (1, 4, 6) unless another shape is given."""
    return IGN(network, GaussianNoise(shape or (1, 4, 6)))
