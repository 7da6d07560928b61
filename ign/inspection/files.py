"""An inspector as two files, ``config.json`` and ``model.safetensors``: saved and loaded.

The backbone is not saved. The configuration names it, and its weights are checked where it is made.
"""

__all__ = ["KIND", "is_inspector", "load_inspector", "save_inspector"]

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ign.anomaly import Calibration
from ign.core.errors import ModelError
from ign.inspection.backbone import load_backbone
from ign.inspection.features import STRIDE, PatchFeatures
from ign.inspection.inspector import Inspector, PatchNetwork
from ign.io.config import CONFIG, FORMAT, WEIGHTS, one_line, read_config, write_config
from ign.io.packaged import locate
from ign.io.weights import read_weights, write_weights

KIND = "inspector"
KINDS = ("image", "pixel")
"""The thresholds of an inspector."""
LARGEST = {"dimension": 2**14, "width": 2**14, "networks": 64, "size": 4096}


def is_inspector(name: str | Path) -> bool:
    """Whether a model on this computer is an inspector; False if there is no such model."""
    path = Path(name)
    for folder in (path, path / "model"):
        if (folder / CONFIG).is_file():
            try:
                return read_config(folder / CONFIG).get("kind") == KIND
            except ModelError:
                return False
    return False


def save_inspector(inspector: Inspector, folder: str | Path) -> Path:
    """Write both files atomically.

    Args:
        inspector: The inspector.
        folder: The folder, which is created if it does not exist.

    Raises:
        ModelError: A network is not a ``PatchNetwork``.
        OSError: The files cannot be written.
    """
    folder = Path(folder)
    first = inspector.networks[0]
    if not isinstance(first, PatchNetwork):
        raise ModelError("an inspector can be saved if its networks are of class PatchNetwork")
    state = {k: v.detach().cpu().contiguous() for k, v in _parts(inspector).state_dict().items()}
    config: dict[str, Any] = {
        "format": FORMAT, "kind": KIND, "backbone": inspector.backbone,
        "size": inspector.features.size, "networks": len(inspector.networks), **first.config,
        "score": inspector.score, "about": inspector.about,
    }  # fmt: skip
    if inspector.calibration:
        config["calibration"] = asdict(inspector.calibration)
    write_weights(folder / WEIGHTS, state)
    write_config(folder / CONFIG, json.dumps(config, indent=2, allow_nan=False))
    return folder


def load_inspector(name: str | Path, device: str | torch.device = "cpu") -> Inspector:
    """Load an inspector from a run or a folder.

    Raises:
        ModelError: A file is missing or damaged, or the model is not an inspector.
        ValueError: The backbone is unknown or its weights are not the expected ones.
        ModuleNotFoundError: The packages of the backbone are missing.
    """
    folder = locate(name)
    path = folder / CONFIG
    config = read_config(path)
    if config.get("kind") != KIND:
        raise ModelError(f"{path}: is not an inspector; train one with: ign train inspect --data")
    try:
        inspector = _build(config)
    except (ModuleNotFoundError, ModelError):
        raise
    except Exception as error:
        raise ModelError(f"{path}: is not the configuration of an inspector"
                         f" ({one_line(error)})") from None  # fmt: skip
    parts = _parts(inspector)
    parts.load_state_dict(read_weights(folder / WEIGHTS, parts))
    return inspector.to(device)


def _build(config: dict[str, Any]) -> Inspector:
    numbers = {name: config[name] for name in LARGEST}
    for name, value in numbers.items():
        if type(value) is not int or not 1 <= value <= LARGEST[name]:
            raise ValueError(f"{name} {value!r} is out of range")
    if numbers["size"] % STRIDE:
        raise ValueError(f"size {numbers['size']} is not a multiple of {STRIDE}")
    backbone = load_backbone(config["backbone"])
    features = PatchFeatures(backbone, numbers["size"], numbers["dimension"])
    shape = numbers["dimension"], numbers["width"]
    networks: list[nn.Module] = [PatchNetwork(*shape) for _ in range(numbers["networks"])]
    about = config.get("about") or {}
    if not isinstance(about, dict):
        raise TypeError("`about` must be an object")
    made = Inspector(features, networks, config["backbone"], config["score"], about)
    if "calibration" in config:
        made.calibration = Calibration.read(config["calibration"], KINDS)
    return made


def _parts(inspector: Inspector) -> nn.Module:
    """What the file of weights holds: whitening, scales and networks, without the backbone."""
    whitening = nn.Module()
    whitening.register_buffer("mean", inspector.features.mean)
    whitening.register_buffer("matrix", inspector.features.matrix)
    whitening.register_buffer("scales", inspector.scales)
    return nn.ModuleDict({"whitening": whitening, "networks": inspector.networks})
