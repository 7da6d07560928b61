"""The model card: what a model is, its samples, its measures and its licence."""

__all__ = ["held_out", "run_of", "write"]

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ign import __version__, data, degrade
from ign.core.files import atomic
from ign.core.text import printable
from ign.data.terms import Terms, terms_of
from ign.evaluate.comparison import MAIN, read
from ign.evaluate.outputs import digest
from ign.evaluate.schema import check_results
from ign.evaluate.tables import METRICS, cell, label
from ign.evaluate.training_config import degradations, fenced, read_training, training_section
from ign.model import IGN
from ign.project import applied
from ign.view import pictures
from ign.view.markdown import escape

README = "README.md"
TASK = "unconditional-image-generation"
PAPER = "[Shocher et al., ICLR 2024](https://arxiv.org/abs/2311.01462)"
SHOWN, COLUMNS = 64, 8
DEGRADED = ("noise:0.3", "sketch", "half:right")


def write(
    model: IGN,
    folder: Path,
    *,
    name: str = "",
    results: str | Path | Mapping[str, Any] | None = None,
    run: str | Path | None = None,
    images: Tensor | None = None,
    source: str = "held-out images",
    licence: str | None = None,
    readme: str | Path | None = None,
) -> Path:
    """Write ``README.md`` and its pictures into the folder of a saved model.

    Args:
        model: The model.
        folder: The folder of the saved model.
        name: The name for ``ign.IGN.from_pretrained``; empty for the name of the folder.
        results: An evaluation of this model: ``results.json``, its folder, or its contents; None
            for a card without measures.
        run: The folder of the training run, which holds ``config.yaml``; None if there is none.
        images: Images to project, (N, C, H, W) in [-1, 1]; None for the model's own samples.
        source: A description of these images.
        licence: The licence of the weights by its name on the Hub, such as ``mit``; None for the
            licence of the data.
        readme: A file to copy instead of writing a card.

    Returns:
        The card, ``README.md``.

    Raises:
        ValueError: The results belong to another model, or a file cannot be read.
    """
    name, terms = name or folder.resolve().name, terms_of(str(model.about.get("data", "")))
    found = read(results) if isinstance(results, str | Path) else results and check_results(results)
    known = (found or {}).get("model", {}).get("sha256")
    if found and known != digest(list(model.state_dict().values())):
        raise ValueError(
            "the results belong to another model; evaluate this model with: ign evaluate"
        )
    config = None if run is None else read_training(run)
    drawn = _pictures(model, folder, images, source, degradations(model, config))
    if readme is not None:
        if Path(readme).exists() and not Path(readme).is_file():
            raise ValueError(f"{readme}: not a regular file")
        shutil.copyfile(readme, folder / README)
        return folder / README
    parts = [
        _head(name, terms, licence, found),
        _what(model, name),
        *drawn,
        _facts(model),
        training_section(config),
        _measures(found),
        f"## Data and licence\n\n{_licence(model, terms, licence)}",
        _uses(model),
    ]
    with atomic(folder / README) as path:
        path.write_text("\n\n".join(parts) + "\n", encoding="utf-8", errors="backslashreplace")
    return folder / README


def held_out(source: str, split: str, model: IGN) -> dict[str, Any]:
    """Load the first held-out images of a source, as arguments of :func:`write`.

    Args:
        source: A named data set, a folder or a zip.
        split: The split of the data.
        model: The model whose form the images get.
    """
    found = data.load(source, split=split, limit=COLUMNS, **model.load_options)
    images = found.batch(torch.arange(len(found)))
    return {"images": images, "source": f"images of {Path(source).name}, {split}"}


def run_of(name: str | Path) -> Path | None:
    """The folder of the run that a model belongs to; None if it has no configuration."""
    for folder in (Path(name), Path(name).parent):
        if Path(name).exists() and (folder / "config.yaml").is_file():
            return folder
    return None


def _head(name: str, terms: Terms, licence: str | None, results: Mapping[str, Any] | None) -> str:
    """The front matter, in YAML, which the Hub reads."""
    from huggingface_hub import EvalResult, ModelCardData

    other: dict[str, Any] = {}
    if (licence or terms.licence) == "other" and terms.link:
        other = {"license_name": f"{terms.title.lower()}-agreement", "license_link": terms.link}
    if results and not any("do not cite" in warning for warning in results.get("warnings", [])):
        title, protocol = _title(results), results["protocol"]
        args = {"features": protocol["features"]["sha256"], "samples": protocol["samples"]}
        args |= {key: protocol[key] for key in ("seed", "neighbours")}
        other["model_name"] = name
        other["eval_results"] = [
            EvalResult(
                task_type=TASK,
                dataset_type=terms.dataset or terms.title,
                dataset_name=terms.title,
                dataset_split=protocol["real"].get("split"),
                metric_type=metric.key,
                metric_name=f"{label(metric, protocol)} of {row['name']}; {title}",
                metric_value=row[metric.key],
                metric_args=args | {"applications": row["applications"]},
            )
            for row in results["rows"]
            for metric in METRICS
            if "applications" in row and metric.key in MAIN and row.get(metric.key) is not None
        ]
    front = ModelCardData(
        license=licence or terms.licence,
        library_name="ign",
        pipeline_tag=TASK,
        tags=["idempotent-generative-network", "image-restoration", "anomaly-detection"],
        datasets=[terms.dataset] if terms.dataset else None,
        **other,
    )
    return f"---\n{front.to_yaml()}\n---"


def _what(model: IGN, name: str) -> str:
    """Describe the model and how to load it."""
    channels, height, width = model.shape
    images = f"{'gray' if channels == 1 else 'colour'} images of {height}x{width} pixels"
    method = model.about.get("method", "ign")
    if method in ("ign", "listing"):
        text = (
            f"An Idempotent Generative Network ({PAPER}) for {images}. One network f leaves the"
            " data unchanged, f(x) = x, and maps other inputs onto the data, f(f(z)) = f(z). It"
            " generates images from noise in one pass and projects degraded images onto the data."
            " Its drift |f(y) − y| measures how far an image is from the data."
        )
    else:
        text = (
            f"A baseline for Idempotent Generative Networks ({PAPER}), trained by the method"
            f" {escape(str(method))}, for {images}."
        )
    shape = ", ".join(map(str, model.shape))
    lines = [
        "import ign  # from the distribution ign-torch, not from ign",
        "",
        f"model = ign.IGN.from_pretrained({_quoted(name)})",
        f"samples = model.sample(16, seed=0)  # (16, {shape}) in [-1, 1]",
    ]
    if model.projects:
        lines.append(f"restored = model.project(images)  # images: (B, {shape}) in [-1, 1]")
    code = fenced("\n".join(lines), "python")
    return f"# {escape(name)}\n\n{text}\n\n{code}"


def _quoted(name: str) -> str:
    """A name as a Python literal."""
    return f'"{name}"' if name.isprintable() and not {*name} & {*'"\\'} else repr(name)


def _pictures(
    model: IGN, folder: Path, images: Tensor | None, source: str, training: str
) -> list[str]:
    """Draw samples and projections, and describe them."""
    for name in ("samples-f2.png", "projections.png"):
        (folder / name).unlink(missing_ok=True)  # an earlier card may have had them
    ks = (1, 2) if model.projects else (1,)
    samples = [x.cpu() for x in model.sample_trajectory(SHOWN, ks)]
    parts = []
    for k, drawn in zip(ks, samples, strict=True):
        pictures.save(pictures.grid(drawn), folder / f"samples-f{k}.png")
        parts.append(f"{applied(k, 'z')}:\n\n![Samples](samples-f{k}.png)")
    shown = [f"## Samples\n\nThe first {SHOWN} samples of seed 0, without selection."]
    shown[0] += "\n\n" + "\n\n".join(parts)
    if not model.projects:
        return shown
    if images is None:
        images, source = samples[0], "samples f(z), as no images were given"
    x = images[:COLUMNS].float().cpu()
    rows = [("x", x)]
    for how in DEGRADED:
        y = degrade.parse(how)(x)
        rows += [(how, y), ("f(y)", model.project(y).cpu())]
    pictures.save(pictures.sheet(rows), folder / "projections.png")
    text = (
        f"x: the first {len(x)} {escape(source)}, without selection. Below them are the same images"
        " with Gaussian noise of standard deviation 0.3, as sketches, and with noise over their"
        f" right half. Each of these rows is above its projection f(y). {training}"
    )
    return [*shown, f"## Projections\n\n{text}\n\n![Projections](projections.png)"]


def _facts(model: IGN) -> str:
    """A table of the network and its training."""
    facts = model.facts() | {"saved with": f"ign {__version__}, torch {torch.__version__}"}
    lines = [
        f"| {escape(key.replace('_', ' '))} | {f'{v:,}' if type(v) is int else escape(str(v))} |"
        for key, v in facts.items()
    ]
    return "\n".join(["## Model", "", "| | |", "|---|---|", *lines])


def _title(results: Mapping[str, Any]) -> str:
    """Describe in one line which images were compared with which."""
    protocol = results["protocol"]
    real, net = protocol["real"], protocol["features"]
    name = " ".join(filter(None, [Path(real.get("source") or "").name, real.get("split")]))
    return printable(
        f"{protocol['samples']:,} samples of seed {protocol['seed']} against"
        f" {real['images']:,} held-out images{f' ({name})' if name else ''},"
        f" features {net['name']} {net['sha256'][:8]}, k = {protocol['neighbours']}"
    )


def _measures(results: Mapping[str, Any] | None) -> str:
    if results is None:
        return "## Measures\n\nThis card has no measures. `ign evaluate` computes them."
    rows, protocol = results["rows"], results["protocol"]
    lines = ["| " + " | ".join(["", *(escape(row["name"]) for row in rows)]).strip() + " |"]
    lines.append("|---|" + "---:|" * len(rows))
    for metric in METRICS:
        values = [cell(row, metric) for row in rows]
        if any(values):
            lines.append(f"| {' | '.join([escape(label(metric, protocol)), *values])} |")
    notes = [
        f"Note: {escape(text)}."
        for key in ("alarms", "warnings")
        for text in results.get(key) or ()
    ]
    about = {key: (results.get("about") or {}).get(key, "unknown") for key in ("ign", "device")}
    versions = escape(f"ign {about['ign']}, {about['device']}")
    text = (
        f"{escape(_title(results))}, by `ign evaluate` ({versions}). Arrows point in the better"
        " direction. Numbers for other features, sets or counts cannot be compared with these."
    )
    return "\n\n".join(["## Measures", text, "\n".join(lines), *notes])


def _licence(model: IGN, terms: Terms, licence: str | None) -> str:
    if licence:
        lead = (
            f"The weights are under the licence `{printable(licence)}`, which their author chose."
        )
    elif terms.licence == "unknown":
        lead = "The licence of the weights is not stated."
    else:
        lead = (
            "The author named no licence for the weights. The front matter names the licence of"
            " the data."
        )
    known = (
        f" The data are known by their name, {escape(str(model.about['data']))}."
        if terms.dataset
        else ""
    )
    return f"{lead}\n\n{terms.text}{known}"


def _uses(model: IGN) -> str:
    return f"""## Uses and limits

The model is meant for research and teaching: idempotent generation, restoration, editing and
scoring of images like its training images, at {model.shape[1]}x{model.shape[2]} pixels.

- What it paints in damaged or covered regions is plausible, but not what was there. It is no
  evidence.
- A score has no meaning before it is calibrated on your own clean images (`ign calibrate`), and not
  every anomaly has a high score.
- Samples cover a part of the data, and repeat what is common or wrong in it.
- The model was not tested for decisions about people, in medicine or for safety."""
