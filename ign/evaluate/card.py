"""The card of a model: what it is, what it makes, how good it is, and on which terms."""

__all__ = ["held_out", "run_of", "write"]

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ign import __version__, data, degrade
from ign.core.files import atomic
from ign.data.terms import Terms, terms_of
from ign.evaluate.comparison import MAIN, read
from ign.evaluate.outputs import digest
from ign.evaluate.tables import METRICS, cell, label
from ign.model import IGN
from ign.project import applied
from ign.view import pictures

README = "README.md"
TASK = "unconditional-image-generation"
PAPER = "[Shocher et al., ICLR 2024](https://arxiv.org/abs/2311.01462)"
SHOWN, COLUMNS = 64, 8
SPOILT = ("noise:0.3", "sketch", "half:right")


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
    """Write ``README.md`` and its pictures beside a model's files.

    Args:
        model: The model.
        folder: Where its files are.
        name: The name that ``ign.IGN.from_pretrained`` loads; empty for the folder's
            name.
        results: What ``ign evaluate`` found of this model: ``results.json`` or its folder, or what
            it holds; None for no measures.
        run: The folder of the run that trained it, for its ``config.yaml``; None for none.
        images: Images to project, (N, C, H, W) in [-1, 1]; None for the model's own samples.
        source: What these images are.
        licence: The licence of the weights as the Hub names it, such as ``mit``; None for that of
            the data.
        readme: A file to take in the place of the text that is made here.

    Returns:
        The card, ``README.md``.

    Raises:
        ValueError: Results of another model, or a file that cannot be read.
    """
    name, terms = name or folder.resolve().name, terms_of(str(model.about.get("data", "")))
    found = read(results) if isinstance(results, str | Path) else results
    if found and found["model"]["sha256"] != digest(list(model.state_dict().values())):
        raise ValueError("the results are of another model; evaluate this one: ign evaluate")
    drawn = _pictures(model, folder, images, source)
    if readme is not None:
        shutil.copyfile(readme, folder / README)
        return folder / README
    parts = [
        _head(name, terms, licence, found),
        _what(model, name),
        *drawn,
        _facts(model),
        _training(model, run),
        _measures(found),
        f"## Data and licence\n\n{_licence(model, terms, licence)}",
        _uses(model),
    ]
    with atomic(folder / README) as path:
        path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return folder / README


def held_out(source: str, split: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """The first held-out images of a source in a model's form, as arguments of :func:`write`.

    Args:
        source: A named data set, a folder or a zip.
        split: Which part of it.
        shape: (C, H, W).
    """
    found = data.load(source, split=split, size=shape[-1], gray=shape[0] == 1, limit=COLUMNS)
    images = found.batch(torch.arange(len(found)))
    return {"images": images, "source": f"images of {Path(source).name}, {split}"}


def run_of(name: str | Path) -> Path | None:
    """The run that a model's path belongs to, where its configuration is there."""
    for folder in (Path(name), Path(name).parent):
        if Path(name).exists() and (folder / "config.yaml").is_file():
            return folder
    return None


def _head(name: str, terms: Terms, licence: str | None, results: Mapping[str, Any] | None) -> str:
    """The front matter, which the Hub reads."""
    from huggingface_hub import EvalResult, ModelCardData

    other: dict[str, Any] = {}
    if (licence or terms.licence) == "other" and terms.link:
        other = {"license_name": f"{terms.title.lower()}-agreement", "license_link": terms.link}
    if results and not any("do not cite" in warning for warning in results["warnings"]):
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
    """What it is, and how to load it."""
    channels, height, width = model.shape
    images = f"{'gray' if channels == 1 else 'colour'} images of {height}x{width} pixels"
    method = model.about.get("method", "ign")
    if method in ("ign", "listing"):
        text = (
            f"An Idempotent Generative Network ({PAPER}) of {images}. One network f leaves the data"
            " alone, f(x) = x, and maps anything else onto it, f(f(z)) = f(z): it makes images from"
            " noise in one pass, projects spoilt images onto the data, and its drift |f(y) − y|"
            " tells how far an image is from them."
        )
    else:
        text = (
            f"A baseline of Idempotent Generative Networks ({PAPER}), trained by the method"
            f" `{method}`, of {images}."
        )
    shape = ", ".join(map(str, model.shape))
    lines = [
        "import ign  # pip install ign",
        "",
        f'model = ign.IGN.from_pretrained("{name}")',
        f"samples = model.sample(16, seed=0)  # (16, {shape}) in [-1, 1]",
    ]
    if model.projects:
        lines.append(f"restored = model.project(images)  # images: (B, {shape}) in [-1, 1]")
    code = "\n".join(lines)
    return f"# {name}\n\n{text}\n\n```python\n{code}\n```"


def _pictures(model: IGN, folder: Path, images: Tensor | None, source: str) -> list[str]:
    """Draw samples and projections, and say what they show."""
    ks = (1, 2) if model.projects else (1,)
    samples = [x.cpu() for x in model.sample_trajectory(SHOWN, ks)]
    parts = []
    for k, drawn in zip(ks, samples, strict=True):
        pictures.save(pictures.grid(drawn), folder / f"samples-f{k}.png")
        parts.append(f"{applied(k, 'z')}:\n\n![Samples](samples-f{k}.png)")
    shown = [f"## Samples\n\nThe first {SHOWN} of seed 0, none left out."]
    shown[0] += "\n\n" + "\n\n".join(parts)
    if not model.projects:
        return shown
    if images is None:
        images, source = samples[0], "samples f(z), since no images were given"
    x = images[:COLUMNS].float().cpu()
    rows = [("x", x)]
    for how in SPOILT:
        y = degrade.parse(how)(x)
        rows += [(how, y), ("f(y)", model.project(y).cpu())]
    pictures.save(pictures.sheet(rows), folder / "projections.png")
    text = (
        f"x: the first {len(x)} {source}, none left out. Under them the same with Gaussian noise of"
        " standard deviation 0.3, as a sketch, and with noise over their right half, each above"
        " what one pass makes of it. No such input was ever trained on."
    )
    return [*shown, f"## Projections\n\n{text}\n\n![Projections](projections.png)"]


def _facts(model: IGN) -> str:
    """The network and its training in numbers."""
    facts = model.facts() | {"saved with": f"ign {__version__}, torch {torch.__version__}"}
    lines = [
        f"| {key.replace('_', ' ')} | {f'{v:,}' if isinstance(v, int) else v} |"
        for key, v in facts.items()
    ]
    return "\n".join(["## Model", "", "| | |", "|---|---|", *lines])


def _training(model: IGN, run: str | Path | None) -> str:
    """The command and the configuration of the run, without the folders of its author."""
    if run is None:
        return "## Training\n\nThe run's configuration was not given with the model."
    import yaml

    try:
        config = yaml.safe_load((Path(run) / "config.yaml").read_text(encoding="utf-8"))
        config["data"] = Path(config["data"]).name
    except (OSError, yaml.YAMLError, TypeError, KeyError) as error:
        raise ValueError(f"{run}: no config.yaml of a run there ({error})") from None
    text = yaml.safe_dump(config, sort_keys=False).strip()
    return (
        "## Training\n\n"
        f"```\nign train --config training.yaml --data {config['data']}\n```\n\n"
        f"with `training.yaml`:\n\n```yaml\n{text}\n```"
    )


def _title(results: Mapping[str, Any]) -> str:
    """What was measured against what."""
    protocol = results["protocol"]
    real, net = protocol["real"], protocol["features"]
    name = " ".join(filter(None, [Path(real.get("source", "")).name, real.get("split")]))
    return (
        f"{protocol['samples']:,} samples of seed {protocol['seed']} against"
        f" {real['images']:,} held-out images{f' ({name})' if name else ''},"
        f" features {net['name']} {net['sha256'][:8]}, k = {protocol['neighbours']}"
    )


def _measures(results: Mapping[str, Any] | None) -> str:
    if results is None:
        return "## Measures\n\nNone were given; `ign evaluate` makes them."
    rows, protocol = results["rows"], results["protocol"]
    lines = ["| " + " | ".join(["", *(row["name"] for row in rows)]).strip() + " |"]
    lines.append("|---|" + "---:|" * len(rows))
    for metric in METRICS:
        values = [cell(row, metric) for row in rows]
        if any(values):
            lines.append(f"| {' | '.join([label(metric, protocol), *values])} |")
    notes = [f"Note: {text}." for text in (*results["alarms"], *results["warnings"])]
    about = results["about"]
    text = (
        f"{_title(results)}, by `ign evaluate` (ign {about['ign']}, {about['device']}). Arrows say"
        " which way is better. Numbers of other features, sets or counts cannot be compared with"
        " these."
    )
    return "\n\n".join(["## Measures", text, "\n".join(lines), *notes])


def _licence(model: IGN, terms: Terms, licence: str | None) -> str:
    if licence:
        lead = f"The weights are under the licence `{licence}`, which their author chose."
    elif terms.licence == "unknown":
        lead = "The licence of the weights is not stated."
    else:
        lead = "The author named no licence for the weights; at the top stands that of the data."
    known = f" Told by the name `{model.about['data']}`." if terms.dataset else ""
    return f"{lead}\n\n{terms.text}{known}"


def _uses(model: IGN) -> str:
    return f"""## Uses and limits

Meant for research and teaching: idempotent generation, restoration, editing and scoring of images
like those that it was trained on, at {model.shape[1]}x{model.shape[2]} pixels.

- What it paints where an image is spoilt or covered is plausible, not what was there: no evidence.
- A score tells nothing before it was calibrated on clean images of your own (`ign calibrate`), and
  not every anomaly moves far.
- Samples cover a part of the data, and repeat what is common or wrong in it.
- Nothing here was checked for decisions about people, medicine, or safety."""
