r"""Train small networks on points with :class:`ign.IGNObjective` and its ablations.

The network maps the box :math:`[-3, 3]^D` into itself, so that the Euclidean distance, here divided
by 3, is bounded, as equation 21 requires.
"""

__all__ = ["NOISE", "VARIANTS", "Network", "bounded", "fit_drift", "naive", "objective", "train"]

from collections.abc import Callable

import torch
from torch import Tensor, nn

import ign
from examples.theory.densities import SIDE, Density, gaussian
from ign.objective import drift, reconstruction

Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]
BATCH = 128
IDEM_WEIGHT = 0.3
"""w_i, which is always the same. It affects the path of training, but not its optimum."""


class Network(nn.Module):
    r"""A perceptron on points of the box and sines of random directions, (B, D) to (B, D).

    .. math:: f(y) = 3 \tanh \frac{g(y, \sin W y, \cos W y)}{3}, \quad W_{ij} \sim \mathcal{N}(0, 4)

    Without the sines, g is too smooth to leave a narrow ring unchanged and move points beside it.
    """

    directions: Tensor

    def __init__(self, dimensions: int, width: int = 128, waves: int = 64):
        super().__init__()
        self.register_buffer("directions", 2 * torch.randn(dimensions, waves))
        self.layers = nn.Sequential(
            nn.Linear(dimensions + 2 * waves, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, dimensions),
        )

    def forward(self, y: Tensor) -> Tensor:
        phase = y @ self.directions
        return SIDE * torch.tanh(self.layers(torch.cat([y, phase.sin(), phase.cos()], 1)) / SIDE)


def bounded(a: Tensor, b: Tensor) -> Tensor:
    r"""The distance :math:`|a - b| / 3`, (B, D), (B, D) to (B,): at most :math:`2 \sqrt D`."""
    return (a - b).norm(dim=1) / SIDE


def objective(tight: float) -> Loss:
    """The loss of the paper with w_r = 1 and the given w_t, without a clamp."""
    loss = ign.IGNObjective(bounded, 1.0, IDEM_WEIGHT, tight, clamp_ratio=None)
    return lambda network, x, z: loss(network, x, z).total


def naive(network: nn.Module, x: Tensor, z: Tensor) -> Tensor:
    r"""Reconstruction and idempotence, with the gradient through both applications.

    .. math:: L_{rec} + w_i \, D(f_\theta(f_\theta(z)), f_\theta(z))

    Its gradient equals the gradient of the paper's loss with :math:`w_t = -w_i`.
    """
    idem = drift(network, network(z), bounded).mean()
    return reconstruction(network, x, bounded) + IDEM_WEIGHT * idem


VARIANTS: dict[str, Loss] = {
    "full": objective(1.0),
    "without tightness": objective(0.0),
    "naive gradient": naive,
}
"""The ablation of Figures 2 and 17."""


NOISE = 1.0
"""The standard deviation of the noise, a Gaussian about 0."""


def train(density: Density, loss: Loss, steps: int, seed: int) -> Network:
    """Train a network with the loss on samples of the density and of the noise."""
    return _fit(density, gaussian(density.centres.shape[1], NOISE), loss, steps, seed)


def fit_drift(density: Density, made: Density, tight: float, steps: int, seed: int) -> Network:
    r"""Train a network with L_rt alone and a given distribution P_theta of the frozen network.

    .. math:: E_x \, \delta_\theta(x) - w_t E_y \, \delta_\theta(y), \quad y \sim P_{\bar\theta}
    """

    def loss(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        return reconstruction(network, x, bounded) - tight * drift(network, y, bounded).mean()

    return _fit(density, made, loss, steps, seed)


def _fit(first: Density, second: Density, loss: Loss, steps: int, seed: int) -> Network:
    """Train with Adam and batches of 128; the rate falls to 0 over the second half of the steps."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(seed)
    network = Network(first.centres.shape[1])
    optimizer = torch.optim.Adam(network.parameters(), 2e-3, (0.5, 0.99))
    fall = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: min(1.0, 2 * (1 - i / steps)))
    for _ in range(steps):
        optimizer.zero_grad()
        loss(network, first.sample(BATCH, g), second.sample(BATCH, g)).backward()
        optimizer.step()
        fall.step()
    return network
