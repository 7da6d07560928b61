"""Training of the networks that a model is compared with: Adam with averaged weights."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ign.data import ImageSet, order
from ign.nn.ema import Average

Loss = Callable[[nn.Module, Tensor, int], Tensor]


def fit(
    network: nn.Module,
    images: ImageSet,
    loss: Loss,
    steps: int,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    betas: tuple[float, float] = (0.5, 0.999),
    seed: int = 0,
) -> nn.Module:
    """Minimize ``loss(network, x, step)`` over the images with the presets' schedule.

    The learning rate falls to zero over the second half of the steps. The result is the network in
    evaluation mode with the moving average of the weights, with decay 0.999.
    """
    network.train().to(memory_format=torch.channels_last)
    average = Average(network, 0.999)
    optimizer = torch.optim.Adam(network.parameters(), learning_rate, betas)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, 2 * (1 - step / steps))
    )
    for step in range(steps):
        x = images.batch(order(len(images), seed, step * batch_size, batch_size))
        optimizer.zero_grad()
        value = loss(network, x, step)
        value.backward()
        optimizer.step()
        schedule.step()
        average.update(network, step)
        if step % 500 == 0 or step == steps - 1:
            print(f"step {step} of {steps}  loss {value.item():.4f}", flush=True)
    return average.network.eval()
