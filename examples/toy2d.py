"""The idea on a plane: a network leaves two moons unchanged and maps other points onto them.

python -m examples.toy2d [--steps 2000] [--out runs/toy2d]
"""

import argparse
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

import ign
from examples.plain_loop import train
from ign.view import pictures

REACH = 2.6
"""The picture shows both coordinates from -2.6 to 2.6."""


class Points(nn.Module):
    """A perceptron on a point and on sines of it, (B, 2) to (B, 2).

    Without the sines it is too smooth to leave a thin curve unchanged and move points beside it.
    """

    directions: Tensor

    def __init__(self, width: int = 128, waves: int = 32):
        super().__init__()
        self.register_buffer("directions", 2 * torch.randn(2, waves))
        self.layers = nn.Sequential(
            nn.Linear(2 + 2 * waves, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, 2),
        )

    def forward(self, y: Tensor) -> Tensor:
        phase = y @ self.directions
        return self.layers(torch.cat([y, phase.sin(), phase.cos()], 1))


def moons(n: int, seed: int = 0) -> Tensor:
    """Points of two half circles with a little noise, each coordinate with mean 0 and standard
    deviation 1."""
    from sklearn.datasets import make_moons

    points, _ = make_moons(n, noise=0.05, random_state=seed)
    return torch.tensor((points - points.mean(0)) / points.std(0), dtype=torch.float32)


def square(side: int) -> Tensor:
    """A grid of side x side points, row by row from below."""
    line = torch.linspace(-REACH, REACH, side)
    down, across = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([across, down], -1).view(-1, 2)


def draw(model: ign.IGN, data: Tensor, path: Path) -> Path:
    """Draw noise and samples, arrows from y to f(y), and the drift, side by side."""
    from matplotlib.figure import Figure

    def many(y: Tensor) -> NDArray[np.float32]:
        return model.project(y).numpy()

    figure = Figure(figsize=(13, 4.6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    z = model.latents(torch.arange(1000))
    left.scatter(*z.T.numpy(), s=3, color="#bbbbbb", label="noise z")
    left.scatter(*many(z).T, s=4, color="#c8442b", label="f(z)")
    left.legend(loc="upper right")
    y = square(26)
    middle.scatter(*data.T.numpy(), s=2, color="#7aa6d8")
    middle.quiver(
        *y.T.numpy(), *(many(y) - y.numpy()).T, angles="xy", scale_units="xy", scale=1, width=0.002
    )
    fine = model.drift(square(200)).view(200, 200)
    shown = right.imshow(fine, origin="lower", extent=[-REACH, REACH] * 2, vmin=0, vmax=1)
    right.scatter(*data[:300].T.numpy(), s=1, color="white")
    figure.colorbar(shown, ax=right, shrink=0.8)
    titles = ("one pass from noise", "the data, and arrows from y to f(y)", "drift |f(y) - y|")
    for axes, title in zip((left, middle, right), titles, strict=True):
        axes.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal", title=title)
    whole = BytesIO()
    figure.savefig(whole, dpi=80)
    return pictures.save(Image.open(whole).convert("RGB").quantize(96), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path("runs/toy2d"))
    options = parser.parse_args()

    data, held_out = moons(2000), moons(1000, seed=1)
    torch.manual_seed(0)
    network, noise = Points(), ign.noise.GaussianNoise((2,))
    trained = train(network, noise, data, ign.IGNObjective(), options.steps, 2e-3, batch_size=128)
    model = ign.IGN(trained, noise)

    made = model.sample(1000, seed=1)
    for name, points in (("held-out data", held_out), ("noise z", noise.sample(1000))):
        print(f"drift of {name}: {model.drift(points).mean():.3f}")
    print(f"drift of f(z): {model.drift(made).mean():.3f}")
    print(f"distance from f(z) to the nearest data:   {_nearest(made, data):.3f}")
    print(f"distance from held-out to the nearest:    {_nearest(held_out, data):.3f}")
    print(f"distance from held-out to nearest f(z):   {_nearest(held_out, made):.3f}")
    print(f"picture in {draw(model, data, options.out / 'toy2d.png')}")


def _nearest(a: Tensor, b: Tensor) -> float:
    return torch.cdist(a, b).min(1).values.mean().item()


if __name__ == "__main__":
    main()
