"""How well do the scores of the model detect anomalies, compared with methods made for the task?

    python -m benchmarks.quality.anomaly --data DATA/mnist --foreign [--out FILE]

Each number is an AUROC: the probability that an anomaly has a higher score than a normal image. It
is 0.5 for random scores. In the table *left out*, models of the frozen configuration `mnist-match`
and all other methods are trained on the training digits without one class. The anomalies are the
test digits of this class, and the normal images are the test digits of the other nine classes. In
the table *foreign*, the model and all other methods are trained on all training digits. The normal
images are all test digits, and the anomalies are other kinds of images: letters that do not look
like digits, drawn with a round pen along the skeletons of printed letters, bent and slanted;
triangles, squares, crosses, stars and hearts, filled and as outlines; stripes, chequerboards,
smooth noise and dots over the whole image; and standard normal noise, clamped to [-1, 1]. Letters
and shapes have the size and the position of the digits of MNIST.

*IGN displacement* is D(f(y), y) and *IGN residual* is D(f(f(y)), f(y)), where D is the mean
absolute difference, in evaluation mode. *Autoencoder* is the control: it has the layers of the
model with plain batch norm, and is trained on the same images for the same number of steps with the
same batch size to minimize the mean absolute difference to its input, which is also its score.
*PCA* is the squared reconstruction error from the components that explain 90 % of the variance.
*IForest* and *PyOD AutoEncoder* are the detectors of PyOD with seed 0, on pixels in [0, 1]. The
first one has its default settings. The second one is trained for 40 epochs instead of 10 and with
`preprocessing=False`, since it would otherwise divide pixels that are constant in training by 1e-8.
"""

import argparse
import gzip
import hashlib
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

import ign
from benchmarks import frozen
from benchmarks.machine import add_out, describe, markdown, publish
from benchmarks.quality import foreign
from benchmarks.quality.fitting import fit
from ign import IGN, data
from ign.anomaly import SCORES
from ign.data.idx import STEMS
from ign.view import pictures

SEED, FOREIGN, SHOWN, BATCH, EPOCHS = 0, 1000, 12, 64, 40
FOREIGN_STEPS = 6000
RUNS = Path("runs/anomaly")
Score = Callable[[Tensor], NDArray[np.float64]]
Row = dict[str, Any]


def every(images: data.ImageSet) -> Tensor:
    """Return all images, (N, C, H, W) in [-1, 1]."""
    return images.batch(torch.arange(len(images)))


def flat(x: Tensor) -> NDArray[np.float32]:
    """Convert images to rows of pixels in [0, 1]."""
    return (x / 2 + 0.5).flatten(1).numpy()


def autoencoder(model: IGN, images: data.ImageSet) -> Score:
    """Train an autoencoder with the layers of the model."""
    torch.manual_seed(SEED)
    network = ign.nn.DCGANAutoencoder(**model.network.config | {"norm": "batch", "rounding": 0.0})

    def loss(network: nn.Module, x: Tensor, step: int) -> Tensor:
        return (network(x) - x).abs().mean()

    trained = fit(network, images, loss, model.about["steps"], BATCH, seed=SEED)

    @torch.no_grad()
    def score(x: Tensor) -> NDArray[np.float64]:
        errors = [(trained(part) - part).abs().flatten(1).mean(1) for part in x.split(BATCH)]
        return torch.cat(errors).double().numpy()

    return score


def components(images: data.ImageSet) -> Score:
    """Fit principal components, and score by the squared reconstruction error."""
    pca = PCA(0.9, svd_solver="full").fit(flat(every(images)))
    print(f"PCA has {pca.n_components_} components", flush=True)

    def score(x: Tensor) -> NDArray[np.float64]:
        rows = flat(x)
        return np.square(pca.inverse_transform(pca.transform(rows)) - rows).mean(1)

    return score


def pyod(detector: Any, images: data.ImageSet) -> Score:
    """Fit a detector of PyOD, and score with it."""
    detector.fit(flat(every(images)))
    return lambda x: detector.decision_function(flat(x))


def methods(model: IGN, images: data.ImageSet) -> dict[str, Score]:
    """Return the scores of the model, and of other methods trained on the images."""
    from pyod.models.auto_encoder import AutoEncoder
    from pyod.models.iforest import IForest

    rivals: dict[str, Callable[[], Score]] = {
        "autoencoder": lambda: autoencoder(model, images),
        "PCA": lambda: components(images),
        "IForest": lambda: pyod(IForest(random_state=SEED), images),
        "PyOD AutoEncoder": lambda: pyod(
            AutoEncoder(preprocessing=False, epoch_num=EPOCHS, random_state=SEED, verbose=0),
            images,
        ),
    }
    scores: dict[str, Score] = {
        f"IGN {kind}": lambda x, kind=kind: model.score(x, kind).double().numpy() for kind in SCORES
    }
    for name, make in rivals.items():
        began = time.perf_counter()
        scores[name] = make()
        print(f"{name} took {time.perf_counter() - began:.0f} s", flush=True)
    return scores


def auroc(normal: NDArray[np.float64], anomalies: NDArray[np.float64]) -> float:
    """Compute the AUROC of the scores."""
    wanted = np.repeat([0, 1], [len(normal), len(anomalies)])
    return float(roc_auc_score(wanted, np.concatenate([normal, anomalies])))


def write_without(digit: int, source: str, folder: Path) -> None:
    """Write the idx files of a folder without one class."""
    for split, stem in STEMS.items():
        images = data.load(source, split=split)
        chosen = images.labels != digit
        arrays = {"images": images.images[chosen][:, 0], "labels": images.labels[chosen]}
        for name, array in arrays.items():
            header = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">i4").tobytes()
            path = folder / f"{stem}-{name}-idx{array.ndim}-ubyte.gz"
            with gzip.open(path, "wb", compresslevel=1) as file:
                file.write(header + array.numpy().astype(np.uint8).tobytes())


def trained(name: str, source: str | Path, steps: int) -> IGN:
    """Train a model on the digits of a folder, or load it from an earlier run of this name."""
    run = RUNS / name
    if (run / "model" / "config.json").exists():
        model = IGN.from_pretrained(run)
        if model.about["steps"] == steps:
            return model
    return frozen.train("mnist-match", run, data=str(source), steps=steps, seed=SEED)


def left_out_row(digit: int, source: str, steps: int) -> Row:
    """Measure every method with one class left out."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, f"mnist-without-{digit}")
        folder.mkdir()
        write_without(digit, source, folder)
        began = time.perf_counter()
        model = trained(f"without-{digit}", folder, steps)
        print(f"IGN took {time.perf_counter() - began:.0f} s", flush=True)
        scores = methods(model, data.load(folder, split="train"))
    test = data.load(source, split="test")
    x, odd = every(test), (test.labels == digit).numpy()
    found = {name: score(x) for name, score in scores.items()}
    return {"left out": str(digit)} | {k: auroc(s[~odd], s[odd]) for k, s in found.items()}


def foreign_rows(model: IGN, source: str) -> list[Row]:
    """Measure every method on each kind of foreign images."""
    scores = methods(model, data.load(source, split="train"))
    x = every(data.load(source, split="test"))
    normal = {name: score(x) for name, score in scores.items()}
    rows = []
    for kind in foreign.KINDS:
        y = foreign.images(kind, FOREIGN, SEED)
        rows.append({"foreign": kind} | {k: auroc(normal[k], s(y)) for k, s in scores.items()})
    return rows


def kept(name: str, of: str, make: Callable[[], Any]) -> Any:
    """Return the earlier result if it was measured for the same ``of``, else measure it."""
    file = RUNS / f"{name}.json"
    before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if before.get("of") == of:
        return before["found"]
    found = make()
    print(name, found, flush=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"of": of, "found": found}, indent=2) + "\n", encoding="utf-8")
    return found


def fingerprint(model: IGN) -> str:
    """Compute a fingerprint of the weights of a model."""
    weights = (v.numpy().tobytes() for v in model.network.state_dict().values())
    return hashlib.sha256(b"".join(weights)).hexdigest()


def with_mean(rows: list[Row]) -> list[Row]:
    """Return the rows and their mean."""
    mean = {k: float(np.mean([row[k] for row in rows])) for k in list(rows[0])[1:]}
    return [*rows, {"left out": "mean", **mean}]


def table(rows: dict[str, list[Row]]) -> str:
    """Format both tables as Markdown."""
    formats = dict.fromkeys(("IGN", "autoencoder", "PCA", "IForest", "PyOD"), "{:.3f}")
    return "\n\n".join(markdown(part, formats) for part in rows.values() if part)


def show(file: Path) -> None:
    """Write a picture with some images of each kind."""
    rows = [(kind, foreign.images(kind, SHOWN, SEED)) for kind in foreign.KINDS]
    file.parent.mkdir(parents=True, exist_ok=True)
    pictures.save(pictures.sheet(rows), file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument(
        "--digits",
        type=int,
        nargs="*",
        default=range(10),
        help="classes to leave out, one after the other",
    )
    parser.add_argument(
        "--steps", type=int, default=1000, help="training steps of the models without a class"
    )
    parser.add_argument(
        "--foreign", action="store_true", help="train a model on all digits for the foreign images"
    )
    parser.add_argument("--model", help="the model for the foreign images, instead of a new one")
    parser.add_argument("--show", type=Path, help="PNG file for a picture of the foreign images")
    add_out(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.show:
        show(options.show)
    about: Row = {**describe(), "seed": SEED, "steps without a class": options.steps}
    of = f"{options.steps} steps"
    digits = [
        kept(f"without-{digit}", of, partial(left_out_row, digit, options.data, options.steps))
        for digit in options.digits
    ]
    rows = {"left out": with_mean(digits) if digits else []}
    if options.foreign or options.model:
        model = (
            IGN.from_pretrained(options.model)
            if options.model
            else trained("all", options.data, FOREIGN_STEPS)
        )
        about |= {"steps": model.about["steps"], "foreign images of a kind": FOREIGN}
        rows["foreign"] = kept(
            "foreign", fingerprint(model), partial(foreign_rows, model, options.data)
        )
    publish(table(rows), {"about": about, "rows": rows}, options.out)


if __name__ == "__main__":
    main()
