"""Restoration of degraded images by one or two applications of f, and by methods made for the task.

    python -m benchmarks.quality.restore mnist --data DATA/mnist [--out FILE.json]

Each cell contains the mean PSNR in dB (peak 2, for the range [-1, 1]) / the mean SSIM over held-out
images. All images, including the degraded input, are first clamped to [-1, 1]. The model saw no
degraded images in training, except for Gaussian noise if the preset sets `denoise`. *Best filter*
is the best of the median filter, the Gaussian filter, TV-Chambolle and non-local means
(scikit-image). The filter and its parameter are chosen for each degradation by the PSNR on 100
training images, so this method knows the degradation. *Denoiser* has the layers of the model with
plain batch norm. It is trained for `--denoiser-steps` steps (the line below the tables says how
many; 0 leaves it out) to minimize the squared error of images with added Gaussian noise of standard
deviation 0 to 0.6, so it knows this noise and no other degradation. With `--features` each cell
also contains the cosine distance between the features of the result and of the clean image in a
feature net (`ign.evaluate.feature_distance`); smaller is better.

The table of holes reports the PSNR after a hole was filled with noise: after one application, after
one application with the known pixels restored (*kept*), and after ten applications with the known
pixels restored each time (`ign.edit.inpaint`).

The table of smoothness describes samples and the projections of the noisiest images. It reports the
total variation (the mean absolute difference of neighbouring pixels), and the number of small holes
(at most 6 pixels) and of connected pieces in the strokes (the pixels above 0) of an image. The data
is listed for comparison.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from scipy import ndimage
from torch import Tensor, nn

from benchmarks.machine import add_out, describe, markdown, publish
from benchmarks.quality.fitting import fit
from benchmarks.quality.likeness import psnr, ssim
from ign import IGN, data, degrade, edit
from ign.core import random
from ign.nn import DCGANAutoencoder

TUNING, SMALL = 100, 6
RUNS = Path("runs/restore")
HOLES = ("half", "rectangle", "brush")
GRAY = ("noise:0.15", "noise:0.3", "noise:0.6", "saltpepper:0.2", "blur:1.5", "half")
COLOUR = ("gray", "sketch", "noise:0.15", "noise:0.3", "half")
Filter = Callable[[np.ndarray], np.ndarray]


def filters() -> Iterator[tuple[str, Filter]]:
    """Return each filter with each of its parameters, for one image (H, W, C) in [0, 1]."""
    from skimage import restoration

    for size in (3, 5, 7):
        yield f"median {size}", partial(ndimage.median_filter, size=(size, size, 1))
    for sigma in (0.3, 0.5, 0.7, 1.0, 1.5, 2.0):
        yield f"Gaussian {sigma}", partial(ndimage.gaussian_filter, sigma=(sigma, sigma, 0))
    for weight in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8):
        chambolle = partial(restoration.denoise_tv_chambolle, weight=weight, channel_axis=-1)
        yield f"TV {weight}", chambolle
    for h in (0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.5):
        means = partial(
            restoration.denoise_nl_means, h=h, patch_size=5, patch_distance=6, channel_axis=-1
        )
        yield f"NLM {h}", means


def filtered(function: Filter, y: Tensor) -> Tensor:
    """Apply a filter to every image of (B, C, H, W) in [-1, 1]."""
    arrays = (y / 2 + 0.5).movedim(1, -1).double().numpy()
    done = np.stack([function(a) for a in arrays])
    return torch.from_numpy(done).movedim(-1, 1).float() * 2 - 1


def best_filter(y: Tensor, x: Tensor) -> tuple[str, Filter]:
    """Find the filter with the highest PSNR between the filtered y and x."""
    return max(filters(), key=lambda named: psnr(filtered(named[1], y), x))


def denoiser(model: IGN, images: data.ImageSet, steps: int, file: Path) -> nn.Module:
    """Load the denoising autoencoder from the file, or train it if the file does not exist."""
    config = model.network.config | {"norm": "batch", "rounding": 0.0}
    torch.manual_seed(0)
    network = DCGANAutoencoder(**config)

    def loss(network: nn.Module, x: Tensor, step: int) -> Tensor:
        key = random.keys(0, "denoiser", step, torch.arange(len(x)))
        std = 0.6 * random.uniform(key)[:, None, None, None]
        return (network(x + std * random.normal(key, x.shape[1:])) - x).square().mean()

    if not file.exists():
        trained = fit(network, images, loss, steps)
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file({k: v.contiguous() for k, v in trained.state_dict().items()}, file)
    network.load_state_dict(load_file(file))
    return network.eval()


def total_variation(x: Tensor) -> float:
    """Compute the mean absolute difference of neighbouring pixels."""
    across, down = x.diff(dim=-1).abs().mean(), x.diff(dim=-2).abs().mean()
    return ((across + down) / 2).item()


def holes(x: Tensor) -> tuple[float, float]:
    """Count the mean number of small holes and of connected pieces in the strokes of an image."""
    small, pieces = 0, 0
    for stroke in (x.mean(1) > 0).numpy():
        pieces += ndimage.label(stroke, np.ones((3, 3)))[1]
        inside, found = ndimage.label(ndimage.binary_fill_holes(stroke) & ~stroke)
        areas = np.bincount(inside.ravel(), minlength=found + 1)[1:]
        small += int((areas <= SMALL).sum())
    return small / len(x), pieces / len(x)


@torch.no_grad()
def restoration_row(
    model: IGN, name: str, x: Tensor, tuning: Tensor, rival: nn.Module | None, net: Any
) -> dict[str, Any]:
    """Measure every method on one degradation."""
    spoil = degrade.parse(name)
    y, (chosen, function) = spoil(x), best_filter(spoil(tuning, seed=1), tuning)
    once, twice = model.trajectory(y, [1, 2])
    methods = {"degraded": y, "best filter": filtered(function, y)}
    if rival:
        methods["denoiser"] = torch.cat([rival(part) for part in y.split(100)])
    methods |= {"f(y)": once, "f(f(y))": twice}
    row: dict[str, Any] = {"input": name, "filter": chosen}
    for method, images in methods.items():
        row[method] = {"psnr": psnr(images, x), "ssim": ssim(images, x)}
        if net is not None:
            from ign.evaluate.features import feature_distance

            row[method]["features"] = feature_distance(net, images.clamp(-1, 1), x).mean().item()
    print(name, row, flush=True)
    return row


def hole_rows(model: IGN, x: Tensor) -> list[dict[str, Any]]:
    """Measure the inpainting of holes."""
    rows: list[dict[str, Any]] = []
    for name in HOLES:
        spoil = degrade.parse(name)
        key = random.keys(0, "degrade", 0, torch.arange(len(x)))
        mask, row = spoil.holes(x.shape[-2:], key), {"hole": name, "degraded": psnr(spoil(x), x)}
        row["f(y)"] = psnr(edit.inpaint(model, x, mask), x)
        row |= {
            f"kept, {k}": psnr(edit.inpaint(model, x, mask, k, keep=True), x) for k in (1, 2, 10)
        }
        rows.append(row)
    return rows


def smoothness_rows(model: IGN, x: Tensor, noisy: Tensor) -> list[dict[str, Any]]:
    """Measure the total variation, holes and pieces of f, ff, fff and of the data."""
    ks = [1, 2, 3]
    sets = {"data": x}
    for k, images in zip(ks, model.sample_trajectory(len(x), ks), strict=True):
        sets["f(" * k + "z" + ")" * k] = images
    for k, images in zip(ks, model.trajectory(noisy, ks), strict=True):
        sets["f(" * k + "y" + ")" * k] = images
    rows = []
    for name, images in sets.items():
        row: dict[str, Any] = {"images": name, "total variation": total_variation(images)}
        if x.shape[1] == 1:
            row["small holes"], row["pieces"] = holes(images)
        rows.append(row)
    return rows


def table(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Format the tables as Markdown."""
    shown = []
    for row in rows["restoration"]:
        cells = {
            k: " / ".join(f"{v[m]:.{d}f}" for m, d in (("psnr", 1), ("ssim", 2), ("features", 3))
                          if m in v) + (f" ({row['filter']})" if k == "best filter" else "")
            for k, v in row.items() if isinstance(v, dict)
        }  # fmt: skip
        shown.append({"input y": row["input"]} | cells)
    formats = {"total": "{:.4f}", "small": "{:.3f}", "pieces": "{:.2f}"}
    decimal = dict.fromkeys(("degraded", "f(y)", "kept,"), "{:.1f}")
    parts = [(shown, {}), (rows["holes"], decimal), (rows["smoothness"], formats)]
    return "\n\n".join(markdown(*part) for part in parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--data", required=True)
    parser.add_argument(
        "--degrade", nargs="+", help="degradations (default: chosen by the number of channels)"
    )
    parser.add_argument(
        "--features", help="also measure the feature distance of this net, such as faces"
    )
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument(
        "--denoiser-steps", type=int, default=3000, help="steps of the denoiser; 0 for none"
    )
    add_out(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = IGN.from_pretrained(options.model)
    size = model.shape[-1]
    held_out = data.load(options.data, split="test", size=size, limit=options.n)
    train = data.load(options.data, split="train", size=size)
    x, tuning = held_out.batch(torch.arange(len(held_out))), train.batch(torch.arange(TUNING))
    file = RUNS / f"{Path(options.model).name}-denoiser-{options.denoiser_steps}.safetensors"
    rival = denoiser(model, train, options.denoiser_steps, file) if options.denoiser_steps else None
    net = None
    if options.features:
        from ign.evaluate.features import feature_net

        net = feature_net(options.features)
    names = options.degrade or (GRAY if len(x[0]) == 1 else COLOUR)
    found = [restoration_row(model, name, x, tuning, rival, net) for name in names]
    noisy = degrade.parse("noise:0.6")(x)
    rows = {"restoration": found, "holes": hole_rows(model, x)}
    rows["smoothness"] = smoothness_rows(model, x, noisy)
    about = {**describe(), "images": len(x), "steps": model.about["steps"]}
    about["denoiser steps"] = options.denoiser_steps
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
