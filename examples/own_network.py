"""Train a network of your own: residual, with group norm, saved and loaded as a model.

python -m examples.own_network [--steps 1500] [--match 40] [--out runs/own-network]
"""

import argparse
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

import ign
from examples.plain_loop import train
from ign.data import load
from ign.view import pictures


class Residual(nn.Module):
    r"""A layer that adds to its input, :math:`x + g(x)`."""

    def __init__(self, maps: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.GroupNorm(4, maps),
            nn.SiLU(),
            nn.Conv2d(maps, maps, 3, padding=1),
            nn.GroupNorm(4, maps),
            nn.SiLU(),
            nn.Conv2d(maps, maps, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class ResidualAutoencoder(nn.Module):
    """An example of f: the output has the shape of the input, with values in [-1, 1].

    No path from the input to the output bypasses the code, since the network could otherwise return
    y for every y. The residual layers are therefore within the encoder and within the decoder.
    A saved model needs ``config`` and ``shape`` to create the network again.
    """

    def __init__(self, channels: int = 1, size: int = 8, width: int = 32, code: int = 64):
        super().__init__()
        self.config = {"channels": channels, "size": size, "width": width, "code": code}
        self.shape = (channels, size, size)
        small = (width, size // 2, size // 2)
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, width, 4, stride=2, padding=1),
            Residual(width),
            nn.Flatten(),
            nn.Linear(width * (size // 2) ** 2, code),
        )
        self.decoder = nn.Sequential(
            nn.Linear(code, width * (size // 2) ** 2),
            nn.Unflatten(1, small),
            Residual(width),
            nn.GroupNorm(4, width),
            nn.SiLU(),
            nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))


ign.nn.NETWORKS["ResidualAutoencoder"] = (
    ResidualAutoencoder  # so that models with it can be saved and loaded
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--match", type=float, default=40, help="weight of the match term (40)")
    parser.add_argument("--out", type=Path, default=Path("runs/own-network"))
    options = parser.parse_args()

    digits = load("digits")
    x = digits.batch(torch.arange(len(digits)))  # (1433, 1, 8, 8) in [-1, 1]
    torch.manual_seed(0)
    network, noise = ResidualAutoencoder(), ign.noise.GaussianNoise((1, 8, 8))
    # group norm does not couple a batch, so samples become alike without the match term
    paper = ign.IGNObjective(idem_weight=5, tight_weight=0.6)
    objective = ign.objective.MatchObjective(paper, weight=options.match, bandwidth=0.05)
    objective = partial(objective, anchors=x)  # compares f(z) with all of the data
    trained = train(network, noise, x, objective, options.steps, rate=1e-3)

    folder = ign.IGN(trained, noise).save_pretrained(options.out / "model")
    model = ign.IGN.from_pretrained(folder)
    held_out = load("digits", split="test")
    y = held_out.batch(torch.arange(12) * 30)
    half = ign.degrade.parse("half:right")(y, seed=0)
    once, twice = model.sample_trajectory(12, [1, 2])
    rows = [("f(z)", once), ("f(f(z))", twice), ("y", half), ("f(y)", model.project(half))]
    shown = pictures.save(pictures.sheet(rows), options.out / "samples.png")
    every, made = held_out.batch(torch.arange(len(held_out))), model.sample(256)
    diversity = torch.pdist(made.flatten(1)).mean() / torch.pdist(x[:256].flatten(1)).mean()
    print(f"mean |f(x) - x| of held-out digits {model.drift(every).mean():.3f}")
    print(f"mean |f(f(z)) - f(z)| of samples   {model.drift(made).mean():.3f}")
    print(f"mean distance of two samples, divided by the same of two digits {diversity:.2f}")
    print(f"model in {folder}, picture in {shown}")


if __name__ == "__main__":
    main()
