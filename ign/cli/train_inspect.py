"""ign train inspect: a model that finds bad parts, from images of good ones."""

__all__ = ["run"]

import time
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from ign.cli.common import Parser, new_folder, parse
from ign.core.files import atomic
from ign.core.folder import numbered, output_folder
from ign.core.table import save_csv
from ign.core.terminal import echo, progress
from ign.core.text import duration, printable

COLUMNS = ("step", "rec", "idem", "tight")
"""The columns of the log."""
LOGGED = 20
"""The number of steps between two rows of the log."""


def run(words: Sequence[str]) -> None:
    """Train, calibrate and save an inspector."""
    from ign.data.layout import find_layout
    from ign.inspection import InspectConfig, fit_inspector, save_inspector

    parser = _parser()
    options = parse(parser, words, "force")
    values = {f.name: getattr(options, f.name) for f in fields(InspectConfig)}
    config = InspectConfig(**values)
    out = options.out or next(
        folder for folder in numbered(Path("runs") / "inspect") if not folder.exists()
    )
    new_folder(out, options.force)
    layout = find_layout(options.data)
    echo(f"{printable(options.data)}: {layout.describe()}", error=True)
    start, journal = time.monotonic(), _Journal()
    with output_folder(out, options.force) as folder:
        files = [part.file for part in layout.train]
        with journal:
            inspector = fit_inspector(files, config, Path(options.data).name, journal.report)
        inspector.about["seconds"] = round(time.monotonic() - start, 1)
        save_inspector(inspector, folder.work / "model")
        save_csv(folder.work / "metrics.csv", [COLUMNS, *journal.rows])
        _write_config(folder.work / "config.yaml", {"method": "inspect", "data": options.data,
                      **asdict(config), "backbone": inspector.backbone})  # fmt: skip
    known = inspector.calibration
    assert known is not None
    took = duration(time.monotonic() - start)
    echo(
        f"backbone {inspector.backbone}; trained on {inspector.about['training_images']:,} images"
        f" in {took}; calibrated on {known.images:,} others: at most {known.rate:.1%} of good parts"
        f" are flagged, with a score above {known.thresholds['image']:.4g}"
    )
    if known.rate > config.rate:
        echo(
            f"note: {known.images} images for calibration allow no rate below {known.rate:.1%};"
            " add good images, or give them to ign calibrate",
            error=True,
        )
    echo(f"model: {out}/model   next: ign score {out} FOLDER --out scores.csv")


class _Journal:
    """The losses of the training as rows, and its progress bar."""

    def __init__(self) -> None:
        self.rows: list[list[object]] = []
        self._bar = progress()
        self._task: Any = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def report(self, step: int, total: int, terms: dict[str, float]) -> None:
        """Note the losses of a step; the bar is there between the first and the last step."""
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task("training", total=total)
        self._bar.update(self._task, completed=step)
        if step % LOGGED == 0 or step == total:
            self.rows.append([step, *(f"{terms[name]:.6g}" for name in COLUMNS[1:])])
        if step == total:
            self._bar.stop()


def _parser() -> Parser:
    from ign.inspection import InspectConfig

    parser = Parser(
        prog="ign train inspect",
        description="Train a model that finds bad parts, from images of good parts alone: an IGN on"
        " the patch features of a frozen backbone. A fifth of the images is kept for the"
        " threshold. --data is a folder or zip of good images, or a layout as MVTec AD (train/good,"
        " test/good, test/DEFECT, ground_truth/DEFECT) or VisA has it, from which only the good"
        " training images are used.",
        epilog="examples:\n"
        "  ign train inspect --data parts/ --out runs/parts\n"
        "  ign score runs/parts new/ --out scores.csv --page report",
    )
    parser.add_argument("--data", required=True, help="a folder or zip of good images, or a layout")
    parser.add_argument(
        "--out", type=Path, metavar="RUN", help="the run's folder (default: runs/inspect)"
    )
    types, texts = get_type_hints(InspectConfig), _texts(InspectConfig)
    for field in fields(InspectConfig):
        kind = next(t for t in (get_args(types[field.name]) or (types[field.name],)) if t)
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", type=kind, default=field.default,
            metavar={int: "N", float: "X", str: "NAME"}[kind],
            help=texts[field.name].replace("%", "%%"),
        )  # fmt: skip
    return parser


def _texts(kind: type) -> dict[str, str]:
    """The descriptions of arguments in a docstring, as help texts."""
    from docstring_parser import parse_from_object

    texts = {
        argument.arg_name: " ".join((argument.description or "").split()).rstrip(".")
        for argument in parse_from_object(kind).params
    }
    return {name: text[:1].lower() + text[1:] for name, text in texts.items()}


def _write_config(path: Path, values: dict[str, Any]) -> None:
    import json

    lines = [f"{name}: {json.dumps(value)}\n" for name, value in values.items()]  # JSON is YAML
    with atomic(path) as place:
        place.write_text("".join(lines), encoding="utf-8")
