"""Evaluation of an inspector on a layout with defects: measures and a page."""

__all__ = ["evaluate_parts", "page", "table"]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from torch import Tensor

from ign.core.text import printable
from ign.data.errors import DataError
from ign.data.files import Reader
from ign.data.layout import Layout, Part
from ign.evaluate.detection import Curves, aupimo, aupro, image_measures, pixel_auroc, wilson
from ign.inspection.inspector import Inspector
from ign.inspection.pictures import picture_of, pixel_threshold
from ign.inspection.reading import read_part, read_parts
from ign.view import pictures
from ign.view.html import Section, write_page
from ign.view.plots import drawing

SHOWN = 6
"""The number of the worst misses and false alarms in the page."""
PIXELS = 2**17
"""A map of more pixels is reduced before the measures of pixels; masks with it."""
MEASURES = {
    "auroc": "image AUROC", "average_precision": "AP", "f1": "F1", "recall": "recall",
    "pixel_auroc": "pixel AUROC", "aupro": "AUPRO", "aupimo": "AUPIMO",
}  # fmt: skip


class Outcome(NamedTuple):
    """The results, and the score of each part."""

    results: dict[str, Any]
    parts: list[Part]
    scores: NDArray[np.float64]
    flags: NDArray[np.bool_]


def evaluate_parts(inspector: Inspector, layout: Layout) -> Outcome:
    """Score the test images of a layout, and measure how well good parts and defects separate.

    Args:
        inspector: The inspector.
        layout: A layout with good test images and defects.

    Returns:
        For each defect and over all of them AUROC, average precision, F1 and recall at the
        calibrated threshold, and with masks pixel AUROC, AUPRO up to 0.3, and AUPIMO. The share of
        good parts that are flagged has a 95 % interval.

    Raises:
        DataError: There are no good test images or no defects, or a mask has another size than its
            image.
    """
    if not layout.defects or all(part.defect for part in layout.test):
        what = "no defects" if not layout.defects else "no good images in test/good"
        raise DataError(f"{layout.kind}: {what}; an evaluation needs test/good and test/DEFECT")
    scored, scores, flags, curves = list[Part](), list[float](), list[bool](), Curves()
    with Reader() as reader:
        for part, image in read_parts(layout.test, inspector.value_range, "scoring"):
            found = inspector.inspect(image[None])
            mask = _mask(reader, part, image) if part.mask else None
            values, mask = _reduced(found.map[0], mask)
            missing = bool(part.defect) and part.mask is None
            curves.add(
                values.numpy(), np.zeros(values.shape, bool) if mask is None else mask.numpy()
            )
            if missing:
                curves.regions[-1] -= 1  # a defect without a mask is in no measure of pixels
            scored.append(part)
            scores.append(float(found.score[0]))
            flags.append(bool(found.flag[0]))
    outcome = Outcome({}, scored, np.array(scores), np.array(flags))
    outcome.results.update(_results(inspector, layout, outcome, curves))
    return outcome


def _mask(reader: Reader, part: Part, image: Tensor) -> Tensor:
    """The mask of a part, (H, W) bool.

    Raises:
        DataError: It cannot be read, or its size is not the image's.
    """
    assert part.mask is not None
    mask = read_part(reader, part.mask)
    if mask.shape[-2:] != image.shape[-2:]:
        (a, b), (c, d) = mask.shape[-2:], image.shape[-2:]
        raise DataError(
            f"mask '{printable(part.mask.name)}' is {b}x{a}, its image {d}x{c}; a mask needs the"
            " size of its image"
        )
    return mask.amax(0) > 127 if mask.max() > 127 else mask.amax(0) > 0


def _reduced(values: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """A map and its mask with fewer pixels, if they have many."""
    step = max(1, int(np.ceil((values.numel() / PIXELS) ** 0.5)))
    return values[::step, ::step], None if mask is None else mask[::step, ::step]


def _results(
    inspector: Inspector, layout: Layout, outcome: Outcome, curves: Curves
) -> dict[str, Any]:
    names = np.array([part.defect for part in outcome.parts])
    good, known = names == "", inspector.calibration
    defects = {name: _measured(outcome, curves, good, names == name) for name in layout.defects}
    defects["all"] = _measured(outcome, curves, good, ~good)
    alarms, count = int(outcome.flags[good].sum()), int(good.sum())
    return {
        "kind": "parts", "layout": layout.kind, "images": len(names), "good": count,
        "threshold": known.thresholds["image"] if known else None,
        "rate": known.rate if known else None,
        "false_positives": {
            "count": alarms, "share": alarms / count, "interval": list(wilson(alarms, count)),
        },
        "defects": defects,
    }  # fmt: skip


def _measured(
    outcome: Outcome, curves: Curves, good: NDArray[np.bool_], bad: NDArray[np.bool_]
) -> dict[str, float]:
    """The measures of one kind of defect against all good parts."""
    chosen = good | bad
    found: dict[str, float] = {"images": int(bad.sum())}
    found |= image_measures(outcome.scores[chosen].tolist(), bad[chosen].tolist())
    hits, alarms = int(outcome.flags[bad].sum()), int(outcome.flags[good].sum())
    found["recall"] = hits / int(bad.sum())
    found["f1"] = 2 * hits / max(1, hits + alarms + int(bad.sum()))
    with_masks = [
        i for i in np.flatnonzero(chosen) if good[i] or curves.regions[i].max(initial=0) > 0
    ]
    if any(bad[i] for i in with_masks):
        part = Curves(
            [curves.values[i] for i in with_masks], [curves.regions[i] for i in with_masks]
        )
        found |= {"pixel_auroc": pixel_auroc(part), "aupro": aupro(part), "aupimo": aupimo(part)}
    return found


def table(results: Mapping[str, Any]) -> Table:
    """The measures of each defect as a table for a terminal."""
    made = Table(box=None)
    for i, heading in enumerate(_rows(results)[0]):
        made.add_column(heading, justify="right" if i else "left")
    for row in _rows(results)[1:]:
        made.add_row(*row)
    return made


def _rows(results: Mapping[str, Any]) -> list[list[str]]:
    rows = [["defect", "images", *MEASURES.values()]]
    for name, found in results["defects"].items():
        cells = [f"{found[key]:.3f}" if key in found else "" for key in MEASURES]
        rows.append([printable(name), f"{found['images']}", *cells])
    return rows


def alarms(results: Mapping[str, Any]) -> str:
    """The share of flagged good parts in one sentence."""
    found = results["false_positives"]
    low, high = found["interval"]
    text = f"{found['count']} of {results['good']} good parts are flagged"
    if results["rate"] is None:
        return "the model is not calibrated, so that no part is flagged"
    return (
        f"{text}: {found['share']:.1%} (95 % interval {low:.1%} to {high:.1%}); at most"
        f" {results['rate']:.1%} was promised"
    )


def page(outcome: Outcome, inspector: Inspector, model: str, folder: Path) -> Path:
    """Write ``index.html`` with the table, the ROC curve, the worst misses and false alarms."""
    names = np.array([part.defect for part in outcome.parts])
    order = np.argsort(outcome.scores)
    misses = [i for i in order if names[i]][:SHOWN]
    false = [i for i in order[::-1] if not names[i]][:SHOWN]
    _draw_roc(outcome, names, folder / "roc.png")
    sections = [
        Section("Measures", alarms(outcome.results), table=_rows(outcome.results)),
        Section("ROC", "Images with each defect against good parts.", ["roc.png"], smooth=True),
    ]
    for title, chosen, prefix in (
        ("Defects with the lowest scores", misses, "miss"),
        ("Good parts with the highest scores", false, "alarm"),
    ):
        files = _draw_parts(outcome, inspector, [int(i) for i in chosen], prefix, folder)
        text = "; ".join(
            f"{names[i] or 'good'} {outcome.scores[i]:.4g}: {outcome.parts[i].file.name}"
            for i in chosen
        )
        sections.append(Section(title, text, files, smooth=True))
    lead = f"{outcome.results['layout']}, {outcome.results['images']} test images."
    return write_page(folder / "index.html", f"Inspection with {printable(model)}", lead, sections)


def _draw_parts(
    outcome: Outcome, inspector: Inspector, chosen: Sequence[int], prefix: str, folder: Path
) -> list[str]:
    files = []
    with Reader() as reader:
        for number, i in enumerate(chosen):
            image = read_part(reader, outcome.parts[i].file, inspector.value_range)
            values = inspector.inspect(image[None]).map[0]
            picture = picture_of(image, values, pixel_threshold(inspector, values))
            pictures.save(picture, folder / f"{prefix}-{number + 1}.png", durable=False)
            files.append(f"{prefix}-{number + 1}.png")
    return files


def _draw_roc(outcome: Outcome, names: NDArray[Any], file: Path) -> None:
    from sklearn.metrics import roc_curve

    with drawing(file, size=(6, 5)) as axes:
        for name in outcome.results["defects"]:
            chosen = (names == "") | ((names == name) if name != "all" else (names != ""))
            x, y, _ = roc_curve(names[chosen] != "", outcome.scores[chosen])
            axes.plot(x, y, label=printable(name), linewidth=2.5 if name == "all" else 1)
        axes.set_xlabel("share of good parts above the threshold")
        axes.set_ylabel("share of defects above the threshold")
