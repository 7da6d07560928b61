r"""Small networks trained with :class:`ign.IGNObjective` on points, and its ablations.

The network maps the box :math:`[-3, 3]^D` into itself, so the Euclidean distance, here divided by 3,
is bounded, as equation 21 asks.
"""

__all__ = ["VARIANTS", "Network", "bounded", "naive", "objective", "train"]

from collections.abc import Callable

import torch
from torch import Tensor, nn

import ign
from examples.theory.densities import SIDE, Density
from ign.objective import drift, reconstruction

Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]
IDEM_WEIGHT = 1.0
"""w_i, the same everywhere: it moves the path of the training, not its optimum."""


class Network(nn.Module):
    """A perceptron of three hidden layers on points of the box, (B, D) to (B, D)."""

    def __init__(self, dimensions: int, width: int = 128):
        super().__init__()
        sizes = (dimensions, width, width, width)
        layers = [
            m for a, b in zip(sizes, sizes[1:], strict=False) for m in (nn.Linear(a, b), nn.SiLU())
        ]
        self.layers = nn.Sequential(*layers, nn.Linear(width, dimensions))

    def forward(self, y: Tensor) -> Tensor:
        return SIDE * torch.tanh(self.layers(y) / SIDE)


def bounded(a: Tensor, b: Tensor) -> Tensor:
    r"""The distance :math:`|a - b| / 3`, (B, D), (B, D) to (B,): at most :math:`2 \sqrt D`."""
    return (a - b).norm(dim=1) / SIDE


def objective(tight: float) -> Loss:
    """The paper's loss with w_r = 1 and the given w_t, without a clamp."""
    loss = ign.IGNObjective(bounded, 1.0, IDEM_WEIGHT, tight, clamp_ratio=None)
    return lambda network, x, z: loss(network, x, z).total


def naive(tight: float = 0.0) -> Loss:
    """The same, with the gradient of idempotence through both applications of the network."""

    def loss(network: nn.Module, x: Tensor, z: Tensor) -> Tensor:
        y = network(z)
        idem = drift(network, y, bounded).mean()
        outer = drift(network, y.detach(), bounded).mean()
        return reconstruction(network, x, bounded) + IDEM_WEIGHT * idem - tight * outer

    return loss


VARIANTS: dict[str, Loss] = {
    "full": objective(0.5),
    "without tightness": objective(0.0),
    "naive gradient": naive(),
    "naive gradient with tightness": naive(0.5),
}
"""The ablation of Figures 2 and 17."""


def train(
    density: Density, loss: Loss, steps: int, seed: int, rate: float = 2e-3, batch: int = 128
) -> Network:
    """A network trained by Adam, the noise a standard Gaussian; the rate falls to 0 in the last half."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(seed)
    dimensions = density.centres.shape[1]
    network = Network(dimensions)
    optimizer = torch.optim.Adam(network.parameters(), rate, (0.5, 0.99))
    fall = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: min(1.0, 2 * (1 - i / steps)))
    for _ in range(steps):
        optimizer.zero_grad()
        z = torch.randn(batch, dimensions, generator=g)
        loss(network, density.sample(batch, g), z).backward()
        optimizer.step()
        fall.step()
    return network
