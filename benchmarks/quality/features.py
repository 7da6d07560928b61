"""How accurate are the packaged feature nets?

    python -m benchmarks.quality.features mnist --data data/mnist --out docs/results/features.json
    python -m benchmarks.quality.features faces --data data/celeba --out docs/results/features.json

The script trains a net from scratch on one thread and writes its weights (in half precision) and
its configuration to `ign/evaluate/nets`. With `--measure` it measures an existing net instead. The
results of the other net in the result file are kept. `mnist` classifies the ten digits. Its
training images are shifted, rotated and scaled at random (up to 2 pixels, 10 degrees and 10 %), and
it is measured on all test images. `faces` classifies the 40 attributes of CelebA. Its training
images are shifted (up to 3 pixels) and mirrored at random, and it is measured on the validation
images.

The table reports, for the net in the written file, the accuracy (for attributes the mean over all
of them), the balanced accuracy (the mean of the recalls of the classes), and the accuracy of always
predicting the most frequent class of the training images. CelebA may be used for non-commercial
research only.
"""

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.machine import add_out, describe, markdown, publish
from benchmarks.quality.fitting import fit
from ign import data
from ign.core import random
from ign.evaluate import FeatureNet, feature_net
from ign.evaluate.features import PACKAGED

NETS: dict[str, dict[str, Any]] = {
    "mnist": {
        "kind": "classes", "channels": 1, "size": 28, "test": "test", "steps": 6000,
        "layers": [(32, 1), (32, 2), (64, 1), (64, 2), (128, 2)],
        "move": {"shift": 2, "turn": 10, "scale": 0.1},
        "about": "MNIST: Y. LeCun, C. Cortes, C. Burges",
    },
    "faces": {
        "kind": "attributes", "channels": 3, "size": 64, "test": "val", "steps": 3000,
        "layers": [(32, 2), (64, 2), (128, 2), (128, 1), (128, 2)],
        "move": {"shift": 3, "flip": True},
        "about": "trained on CelebA (Z. Liu et al., 2015), which is for non-commercial research",
    },
}  # fmt: skip
BATCH = 64


def moved(
    x: Tensor, key: Tensor, shift: float = 0, turn: float = 0, scale: float = 0, flip: bool = False
) -> Tensor:
    """Shift (pixels), rotate (degrees), scale and mirror each image at random, by its key."""
    u = random.uniform(key, (5,)) * 2 - 1
    angle, size = u[:, 0] * math.radians(turn), 1 + u[:, 1] * scale
    mirror = torch.where(u[:, 2] > 0, 1.0, -1.0 if flip else 1.0)
    across, down = (u[:, 3:] * shift * 2 / x.shape[-1]).unbind(1)
    rows = [size * angle.cos() * mirror, -size * angle.sin(), across]
    rows += [size * angle.sin() * mirror, size * angle.cos(), down]
    where = F.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, where, padding_mode="border", align_corners=False)


def answers(name: str, images: data.ImageSet) -> tuple[Tensor, list[str]]:
    """Load the labels of the images, (N,) classes or (N, A) attributes, and their names."""
    if NETS[name]["kind"] == "classes":
        return images.labels, [str(digit) for digit in range(10)]
    found = data.load_attributes(images.source, images.names)
    if found is None:
        raise SystemExit(f"{images.source}: this source has no attributes")
    return found.values, found.names


def train(name: str, images: data.ImageSet) -> FeatureNet:
    """Train a net on the images."""
    wanted, names = answers(name, images)
    form = NETS[name]
    torch.manual_seed(0)
    net = FeatureNet(names, *(form[k] for k in ("kind", "channels", "size", "layers")))

    def loss(net: nn.Module, x: Tensor, step: int) -> Tensor:
        numbers = torch.arange(step * BATCH, (step + 1) * BATCH)
        index = data.order(len(images), 0, step * BATCH, BATCH)
        logits = net(moved(x, random.keys(0, "move", 0, numbers), **form["move"]))
        if form["kind"] == "classes":
            return F.cross_entropy(logits, wanted[index])
        return F.binary_cross_entropy_with_logits(logits, wanted[index].float())

    return fit(net, images, loss, form["steps"], BATCH)


def recall(said: Tensor, wanted: Tensor) -> float:
    """Compute the balanced accuracy, the mean recall over the classes that occur."""
    return sum((said == k)[wanted == k].double().mean().item() for k in wanted.unique()) / len(
        wanted.unique()
    )


def measure(name: str, net: FeatureNet, train: data.ImageSet, test: data.ImageSet) -> Any:
    """Make a row for the net, and a row for each attribute."""
    logits = net.logits(test.batch(torch.arange(len(test))))
    known, wanted = answers(name, train)[0], answers(name, test)[0]
    said = logits.argmax(1) if net.kind == "classes" else logits > 0
    columns = zip(*(v.view(len(v), -1).T for v in (said, wanted, known)), strict=True)
    found = []
    names = net.names if net.kind == "attributes" else ["digit"]
    for attribute, (answer, right, before) in zip(names, columns, strict=True):
        found.append({
            "attribute": attribute, "accuracy": (answer == right).double().mean().item(),
            "balanced": recall(answer, right),
            "most frequent": (right == before.mode().values).double().mean().item(),
        })  # fmt: skip
    mean = {k: sum(row[k] for row in found) / len(found) for k in list(found[0])[1:]}
    about = {"net": name, "tells": len(net.names)}
    about["weights"] = sum(p.numel() for p in net.parameters())
    about |= {k: net.about[k] for k in ("training images", "steps", "seconds")}
    about["test images"] = len(test)
    row = about | mean | {"sha256": net.hash[:12]}
    return row, found if net.kind == "attributes" else []


def table(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Format both tables as Markdown."""
    formats = dict.fromkeys(("accuracy", "balanced", "most"), "{:.2%}")
    formats |= dict.fromkeys(("weights", "training", "steps", "test"), "{:,}")
    parts = [rows["nets"], rows["attributes"]]
    return "\n\n".join(markdown(part, formats) for part in parts if part)


def merged(found: dict[str, Any], out: Path | None) -> dict[str, Any]:
    """Add the results of other nets that the file already contains."""
    before = json.loads(out.read_text(encoding="utf-8")) if out and out.exists() else {"rows": {}}
    mine = found["rows"]["nets"][0]["net"]
    others = [row for row in before["rows"].get("nets", []) if row["net"] != mine]
    nets = sorted(others + found["rows"]["nets"], key=lambda row: list(NETS).index(row["net"]))
    attributes = found["rows"]["attributes"] or before["rows"].get("attributes", [])
    return {"about": found["about"], "rows": {"nets": nets, "attributes": attributes}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("net", choices=NETS)
    parser.add_argument("--data", required=True)
    parser.add_argument(
        "--nets", type=Path, default=PACKAGED, help="folder to which the net is written"
    )
    parser.add_argument(
        "--measure", action="store_true", help="measure the existing net without training"
    )
    add_out(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    form, path = NETS[options.net], options.nets / f"{options.net}.safetensors"
    known, test = (
        data.load(options.data, split=split, size=form["size"], gray=form["channels"] == 1)
        for split in ("train", form["test"])
    )
    about = describe()
    if not options.measure:
        began = time.perf_counter()
        net = train(options.net, known)
        seconds = round(time.perf_counter() - began)
        net.about = {"data": form["about"], "training images": len(known)}
        net.about |= {"steps": form["steps"], "seconds": seconds, **about}
        net.save(path)
    net = feature_net(path)
    row, attributes = measure(options.net, net, known, test)
    if not options.measure:
        net.about |= {k: row[k] for k in ("test images", "accuracy", "balanced", "most frequent")}
        net.save(path)
    found = {"about": about, "rows": {"nets": [row], "attributes": attributes}}
    publish(table(found["rows"]), merged(found, options.out), options.out)


if __name__ == "__main__":
    main()
