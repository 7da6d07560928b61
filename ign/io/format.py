"""A model as two files, ``config.json`` and ``model.safetensors``: saved and loaded.

Nothing in the files is executed. The configuration is JSON whose names are looked up in fixed
tables; the weights are safetensors.
"""

__all__ = ["Parts", "load", "save"]

import json
import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ign.anomaly import Calibration
from ign.core.errors import ModelError
from ign.io.config import (
    CONFIG,
    FORMAT,
    WEIGHTS,
    describe_shape,
    one_line,
    read_config,
    read_shape,
    write_config,
)
from ign.io.weights import fingerprint, read_weights, write_weights
from ign.nn import NETWORKS, find_network
from ign.noise import NOISES, Noise
from ign.objective.distance import Distance, distance_name


class Parts(NamedTuple):
    """The parts of a model, which its two files hold.

    Attributes:
        network: The network f.
        noise: The noise; its shape is the shape of a sample.
        distance: The distance of the drift, or its name.
        about: Facts about the training.
        calibration: The thresholds of its scores, or None.
    """

    network: nn.Module
    noise: Noise
    distance: str | Distance
    about: dict[str, Any]
    calibration: Calibration | None

    def modules(self) -> nn.Module:
        """Network and noise as one module; the weights file holds its state dict."""
        return nn.ModuleDict({"network": self.network, "noise": self.noise})


def save(folder: str | Path, parts: Parts, dtype: torch.dtype | None = None) -> Path:
    """Write both files atomically.

    A calibration that was made with other weights than those written, such as the weights before
    rounding to ``dtype``, is left out with a warning.

    Args:
        folder: The folder, which is created if it does not exist.
        parts: The model.
        dtype: The type of the parameters in the file, such as ``torch.float16``; None for their
            own. Buffers keep their type, since a variance can exceed what ``float16`` holds.

    Returns:
        The folder.

    Raises:
        ModelError: The network is not one of :data:`ign.nn.NETWORKS`, has no ``config``, or the
            configuration cannot be written as JSON.
        ValueError: The distance cannot be imported by a name.
    """
    folder, config = Path(folder), _config(parts)
    modules = parts.modules()
    state = {k: v.detach().cpu().contiguous() for k, v in modules.state_dict().items()}
    if dtype is not None:
        if not dtype.is_floating_point:
            raise ModelError(f"dtype {dtype} is not a floating-point type; choose torch.float16")
        state |= {k: state[k].to(dtype) for k, _ in modules.named_parameters()}
    if calibration := _matching(parts.calibration, state, f"{folder}: saved without"):
        config["calibration"] = asdict(calibration)
    text = _to_json(config)
    write_weights(folder / WEIGHTS, _unshared(state))
    write_config(folder / CONFIG, text)
    return folder


def _config(parts: Parts) -> dict[str, Any]:
    """The configuration without the calibration."""
    kind = type(parts.network).__name__
    if NETWORKS.get(kind) is not type(parts.network):
        raise ModelError(
            f"a {kind} cannot be saved; networks that can be: {', '.join(NETWORKS)}"
            f" (register its class, ign.nn.NETWORKS[{kind!r}] = {kind}, or save its state_dict)"
        )
    arguments = getattr(parts.network, "config", None)
    if not isinstance(arguments, dict):
        raise ModelError(
            f"a {kind} cannot be saved without the attribute `config`; set it in __init__ to the"
            " dict of the constructor's arguments"
        )
    return {
        "format": FORMAT,
        "network": {"name": kind, **arguments},
        "noise": {"name": parts.noise.name},
        **describe_shape(parts.noise.shape),
        "distance": distance_name(parts.distance),
        "about": parts.about,
    }


def _to_json(config: dict[str, Any]) -> str:
    try:
        return json.dumps(config, indent=2, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(
            f"the model cannot be saved: `network.config` or `about` holds a value that JSON cannot"
            f" ({one_line(error)}); use numbers, strings, lists and dicts"
        ) from None


def _unshared(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors that share memory, which safetensors does not accept."""
    taken: set[int] = set()
    for name, value in state.items():
        place = value.untyped_storage().data_ptr()
        state[name] = value.clone() if place in taken else value
        taken.add(place)
    return state


def load(folder: Path) -> Parts:
    """Read both files.

    Returns:
        The parts, on the CPU and in evaluation mode.

    Raises:
        ModelError: A file is missing or damaged, or the two files belong to different models.
    """
    path = folder / CONFIG
    config = read_config(path)
    try:
        with torch.device("meta"):
            parts = _build(config)
        modules = parts.modules()
        shape = getattr(parts.network, "shape", parts.noise.shape)
    except Exception as error:  # a constructor may raise anything for values that it did not expect
        what = f"{type(error).__name__}: {one_line(error)}"
        raise ModelError(f"{path}: is not a model configuration ({what})") from None
    if shape != parts.noise.shape:
        raise ModelError(f"{path}: the network takes {shape}, the images are {parts.noise.shape}")
    state = read_weights(folder / WEIGHTS, modules)
    ours = type(parts.network).__module__.startswith("ign.")
    if not ours:
        with torch.random.fork_rng(devices=[]):  # it may hold tensors that are not in the file
            parts = _build(config)
        modules = parts.modules()
    modules.load_state_dict(state, assign=ours)
    modules.eval().requires_grad_(True)
    known = _matching(parts.calibration, modules.state_dict(), f"{path}: ignored")
    return parts._replace(calibration=known)


def _build(config: dict[str, Any]) -> Parts:
    """The parts that a configuration describes, without weights."""
    shape, options = read_shape(config), dict(config["network"])
    network = find_network(options.pop("name"))(**options)
    noise = NOISES[config["noise"]["name"]](shape)
    distance, about = config["distance"], config.get("about") or {}
    if not isinstance(distance, str) or not isinstance(about, dict):
        raise TypeError("`distance` must be a string and `about` an object")
    known = Calibration.read(config["calibration"]) if "calibration" in config else None
    return Parts(network, noise, distance, about, known)


def _matching(
    calibration: Calibration | None, state: dict[str, Tensor], outcome: str
) -> Calibration | None:
    """Bind the calibration to these weights; if it belongs to others, warn and return None."""
    if calibration is None:
        return None
    found = fingerprint(state)
    if calibration.weights in ("", found):
        return replace(calibration, weights=found)
    warnings.warn(
        f"{outcome} the calibration, which was made with other weights; calibrate the model again",
        stacklevel=4,
    )
    return None
