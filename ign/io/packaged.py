"""Where a saved model is, and its two files, checked before they are believed."""

__all__ = [
    "CONFIG",
    "FORMAT",
    "WEIGHTS",
    "ModelError",
    "amend",
    "form",
    "locate",
    "packaged",
    "read_config",
    "read_weights",
    "shape_in",
]

import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from ign.core.files import atomic
from ign.io import hub

CONFIG, WEIGHTS = "config.json", "model.safetensors"
FORMAT = 1
PACKAGED = Path(__file__).parents[1] / "models"


class ModelError(ValueError):
    """A model that cannot be found, read or used; one line that says what, where and what to do."""


def locate(name: str | Path, revision: str | None = None, **options: Any) -> Path:
    """The folder of a model by that name, fetched from the Hub where need be.

    Args:
        name: A path, a packaged name, ``owner/name`` or ``owner/name@revision``.
        revision: A branch, tag or commit on the Hub; None for the main branch.
        **options: As in :func:`ign.io.hub.download`.

    Raises:
        ModelError: Nothing is found under that name, or it has no revisions.
    """
    path = Path(name)
    there = path.exists()
    if there or (PACKAGED / str(name) / CONFIG).is_file():
        if revision is not None:
            raise ModelError(f"model {str(name)!r}: is not on the Hub and has no revisions")
        if not there:
            return PACKAGED / str(name)
        for folder in (path, path / "model"):
            if (folder / CONFIG).is_file():
                return folder
        raise ModelError(f"{path}: no {CONFIG} there or in {path / 'model'}; give a model or a run")
    if found := hub.parse_name(str(name)):
        repo_id, named = found
        try:
            return hub.download(repo_id, (CONFIG, WEIGHTS), revision or named, **options)
        except hub.HubError as error:
            raise ModelError(f"model {str(name)!r}: no such path, and {error}") from None
    raise ModelError(
        f"model {str(name)!r}: no such path; packaged models: {', '.join(packaged()) or 'none'};"
        " or give owner/name for the Hub"
    )


def packaged() -> list[str]:
    """The names of the models that come with the package."""
    return sorted(p.parent.name for p in PACKAGED.glob(f"*/{CONFIG}"))


def read_config(path: Path) -> dict[str, Any]:
    """The configuration of a model.

    Raises:
        ModelError: It is not one.
    """
    try:
        if path.stat().st_size > 2**20:
            raise ModelError(f"{path}: over 1 MiB, not a model's configuration")
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{path}: cannot be read as JSON ({error}); fetch it again") from None
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ModelError(f"{path}: not a model's configuration of format {FORMAT}")
    return config


def form(shape: tuple[int, ...]) -> dict[str, Any]:
    """What a configuration says of the form of samples: images, or any other shape."""
    if len(shape) == 3:
        sides = dict(zip(("channels", "height", "width"), shape, strict=True))
        return {"image": sides, "value_range": [-1, 1]}
    return {"shape": list(shape)}


def shape_in(config: dict[str, Any]) -> tuple[int, ...]:
    """The shape of a sample that a configuration states.

    Raises:
        KeyError: It states none.
    """
    if "shape" in config:
        return tuple(config["shape"])
    return tuple(config["image"][side] for side in ("channels", "height", "width"))


def amend(folder: Path, **values: Any) -> None:
    """Set entries of a saved model's configuration, dataclasses among them.

    Raises:
        ModelError: There is no configuration in the folder.
    """
    config = read_config(folder / CONFIG)
    config |= {k: asdict(v) if is_dataclass(v) else v for k, v in values.items()}  # type: ignore[arg-type]
    with atomic(folder / CONFIG) as file:
        file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def read_weights(path: Path, model: nn.Module) -> dict[str, Tensor]:
    """The tensors of the file, checked against the model's before any of them is read.

    Raises:
        ModelError: They are not the model's, or not finite.
    """
    expected = model.state_dict()
    try:
        with safe_open(path, framework="pt") as file:
            shapes = {k: tuple(file.get_slice(k).get_shape()) for k in file.keys()}  # noqa: SIM118
        for k, v in expected.items():
            if shapes.get(k) != tuple(v.shape):
                found = "missing" if k not in shapes else f"{shapes[k]} in the file"
                raise ModelError(
                    f"{path}: {k} is {found} and must be {tuple(v.shape)} by {CONFIG};"
                    " the two files are not of one model"
                )
        if extra := sorted(shapes.keys() - expected.keys()):
            raise ModelError(f"{path}: holds {extra[0]}, which {CONFIG} does not know")
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path}: not a whole safetensors file ({error}); fetch or save it again"
        ) from None
    for k, v in state.items():
        if not torch.isfinite(v).all():
            raise ModelError(f"{path}: {k} holds NaN or infinity; the file is damaged")
    return {k: v.to(expected[k].dtype) for k, v in state.items()}
