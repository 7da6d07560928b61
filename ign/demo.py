"""The demo: pictures of what a model does, its training curves, and a page that shows them."""

__all__ = ["page"]

import csv
import html
from pathlib import Path

import torch
from torch import Tensor

from ign import pictures, random
from ign.data import ImageSet
from ign.files import atomic
from ign.model import IGN

STYLE = """
body { font: 17px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 3rem auto; padding: 0 1rem;
       color: #222; background: #fff }
h1 { font-size: 1.9rem; margin-bottom: .2rem }
h2 { margin-top: 2.6rem; font-size: 1.25rem }
figure { margin: 1rem 0 }
img { max-width: 100%; image-rendering: pixelated; border: 1px solid #ddd }
img.smooth { image-rendering: auto; border: 0 }
figcaption, .lead { color: #555 }
pre { background: #f4f4f4; padding: .8rem 1rem; overflow-x: auto }
table { border-collapse: collapse } td { padding: .15rem 1.2rem .15rem 0 }
"""


def page(model: IGN, held_out: ImageSet, run: Path) -> Path:
    """Write the pictures and the page of a trained model into its run's folder.

    Args:
        model: The model.
        held_out: Images that it was not trained on.
        run: The run's folder, with its ``metrics.csv``.

    Returns:
        The page, ``index.html``.
    """
    once, twice = model.sample_trajectory(100, [1, 2])
    x = held_out.batch(torch.arange(12) * len(held_out) // 12)
    figures = [
        (
            "f(z): noise to digits in one step",
            "The first 100 samples of seed 0, none left out: one pass of noise through f.",
            pictures.save(pictures.grid(once), run / "samples-f.png"),
        ),
        (
            "f(f(z)): again changes little",
            "The same samples passed once more: the network learns to leave its outputs alone.",
            pictures.save(pictures.grid(twice), run / "samples-ff.png"),
        ),
        (
            "Noisy digits, projected",
            "Held-out digits, with Gaussian noise of standard deviation 0.15, 0.3 and 0.6 in"
            " [-1, 1], and what one pass makes of them. No such input was ever trained on.",
            pictures.save(_restored(model, x), run / "projections.png"),
        ),
        ("Training", "Terms of the loss, and measures of each check.", _curves(run)),
    ]
    every, z = held_out.batch(torch.arange(len(held_out))), model.latents(torch.arange(100))
    facts = {
        "held-out digits, |f(x) - x|": model.drift(every).mean(),
        "samples, |f(f(z)) - f(z)|": (twice - once).abs().mean(),
        "noise, |f(z) - z|": (once - z).abs().mean(),
    }
    with atomic(run / "index.html") as file:
        file.write_text(_html(figures, facts, model, run))
    return run / "index.html"


def _restored(model: IGN, x: Tensor) -> pictures.Image.Image:
    """Rows of digits, noisy ones, and their projections."""
    rows = [("held out", x)]
    for std in (0.15, 0.3, 0.6):
        noise = random.normal(random.keys(0, "demo", 0, torch.arange(len(x))), model.shape)
        noisy = x + std * noise
        rows += [(f"+ noise {std}", noisy), ("projected", model.project(noisy).cpu())]
    return pictures.sheet(rows)


def _curves(run: Path) -> Path:
    """The columns of ``metrics.csv`` over the steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    with open(run / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    panels = [
        (left, ("rec", "idem", "tight"), "terms of the loss", ""),
        (right, ("drift_held_out", "gap", "diversity"), "measures of the checks", "o"),
    ]
    for axes, names, title, mark in panels:
        for name in names:
            points = [(int(r["step"]), float(r[name])) for r in rows if r[name]]
            axes.plot(*zip(*points, strict=True), label=name.replace("_", " "), marker=mark, ms=4)
        axes.set(title=title, xlabel="step")
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    with atomic(run / "curves.png") as path:
        figure.savefig(path, dpi=140)
    return run / "curves.png"


def _html(
    figures: list[tuple[str, str, Path]], facts: dict[str, Tensor], model: IGN, run: Path
) -> str:
    about = model.about
    blocks = "\n".join(
        f'<h2>{html.escape(title)}</h2>\n<figure><img src="{path.name}" alt="{html.escape(title)}"'
        f"{' class=smooth' if path.name == 'curves.png' else ''}>"
        f"<figcaption>{html.escape(text)}</figcaption></figure>"
        for title, text, path in figures
    )
    table = "\n".join(
        f"<tr><td>{html.escape(name)}<td>{value.item():.3f}" for name, value in facts.items()
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>ign demo</title>
<style>{STYLE}</style>
<h1>Idempotent Generative Network</h1>
<p class="lead">One network f, trained for {about.get("steps", 0):,} steps on
{about.get("training_images", 0):,} small digits: it leaves digits alone, f(x) = x, and maps
anything else onto them, f(f(z)) = f(z).</p>
{blocks}
<h2>How far the network moves an image</h2>
<table>{table}</table>
<p class="lead">Mean absolute difference of pixels in [-1, 1].</p>
<h2>Next</h2>
<pre>ign sample {html.escape(str(run))} -n 16 --applications 1 2 3 --out samples
ign train mnist                        # 28x28 digits
ign train --data path/to/your/images   # any folder or zip</pre>
</html>
"""
