"""Train an IGN in a plain PyTorch loop, without Lightning, on the digits of scikit-learn.

python -m examples.plain_loop [--steps 1500] [--out runs/plain-loop]
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

import ign
from ign.data import load
from ign.nn.ema import Average
from ign.noise import Noise
from ign.view import pictures


def train(
    network: nn.Module,
    noise: Noise,
    data: Tensor,
    objective: Callable[..., ign.Losses],
    steps: int,
    rate: float,
    batch_size: int = 32,
    seed: int = 0,
) -> nn.Module:
    """Train a network in place, and return the average of its weights.

    Args:
        network: The network f, any module that keeps the shape of its input.
        noise: The noise z.
        data: All of the data, (N, ...), on the device of the network.
        objective: The loss, a function of network, x and z.
        steps: The number of steps.
        rate: The learning rate of Adam, which falls to 0 over the second half of the steps.
        batch_size: The number of images x, and of noise samples z, in a step.
        seed: The seed of the order of the data and of the noise.
    """
    optimizer = torch.optim.Adam(network.parameters(), rate, (0.9, 0.999))
    fall = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: min(1.0, 2 * (1 - i / steps)))
    average = Average(network, 0.98)
    g = torch.Generator().manual_seed(seed)
    network.train()
    for step in range(steps):
        x = data[torch.randint(len(data), (batch_size,), generator=g)]
        losses = objective(network, x, noise.sample(batch_size, g))
        optimizer.zero_grad()
        losses.total.backward()  # the gradients of all three terms
        optimizer.step()
        fall.step()
        average.update(network, step)
        if (step + 1) % max(1, steps // 5) == 0:
            print(f"step {step + 1}: rec {losses.rec:.4f} idem {losses.idem:.4f}")
    return average.network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--out", type=Path, default=Path("runs/plain-loop"))
    options = parser.parse_args()

    digits = load("digits", size=10)
    x = digits.batch(torch.arange(len(digits)))  # (1433, 1, 10, 10) in [-1, 1]
    torch.manual_seed(0)
    network = ign.nn.DCGANAutoencoder(channels=1, size=10, width=32, norm="role")
    noise = ign.noise.GaussianNoise((1, 10, 10))
    paper = ign.IGNObjective(idem_weight=15, tight_weight=1.5)
    objective = ign.objective.MatchObjective(paper, weight=40, bandwidth=0.025)
    objective = partial(objective, anchors=x)  # compares f(z) with all of the data
    trained = train(network, noise, x, objective, options.steps, rate=4e-3)

    model = ign.IGN(trained, noise, about={"data": "digits", "steps": options.steps})
    folder = model.save_pretrained(options.out / "model")
    again = ign.IGN.from_pretrained(folder)
    once, twice = again.sample_trajectory(12, [1, 2])
    held_out = load("digits", split="test", size=10).batch(torch.arange(12) * 30)
    noisy = ign.degrade.AdditiveNoise(0.3)(held_out, seed=0)
    rows = [("f(z)", once), ("f(f(z))", twice), ("y", noisy), ("f(y)", again.project(noisy))]
    shown = pictures.save(pictures.sheet(rows), options.out / "samples.png")
    print(f"model in {folder}, picture in {shown}")


if __name__ == "__main__":
    main()
