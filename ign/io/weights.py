"""``model.safetensors``: the tensors of a model, checked before they are loaded."""

__all__ = ["fingerprint", "read_weights", "write_weights"]

import errno
import hashlib
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ign.core.errors import ModelError
from ign.core.files import atomic
from ign.core.paths import in_utf8
from ign.io.config import CONFIG, one_line

FLOATING = ("F16", "BF16", "F32", "F64")
INTEGER = ("I8", "I16", "I32", "I64", "U8", "U16", "U32")


def write_weights(path: Path, state: dict[str, Tensor]) -> None:
    """Write tensors that do not share memory to a file, atomically.

    Raises:
        OSError: The file cannot be written; the error names its folder.
    """
    with atomic(path) as temporary, in_utf8(temporary) as file:
        try:
            save_file(state, file)
        except SafetensorError as error:  # how it reports a full disk
            found = re.search(r"os error (\d+)", str(error))
            number = int(found[1]) if found else errno.EIO
            raise OSError(number, os.strerror(number), str(path.parent)) from None


def read_weights(path: Path, model: nn.Module) -> dict[str, Tensor]:
    """The tensors of the file, in the types of the model.

    Sizes, names, shapes and types are compared with the model's before any tensor is read.

    Args:
        path: The file.
        model: The module that the tensors are for; it may be on the meta device.

    Raises:
        ModelError: The file is damaged, the tensors do not match the model, or they are not finite
            in the types of the model.
    """
    expected = model.state_dict()
    try:
        if not path.is_file():
            raise ModelError(f"{path}: no such file")
        _check_size(path, expected)
        with in_utf8(path) as place:
            with safe_open(place, framework="pt") as file:
                parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
                found = {k: (tuple(v.get_shape()), str(v.get_dtype())) for k, v in parts.items()}
            _check_names(path, model, expected, found)
            state = load_file(place)
    except ModelError:
        raise
    except (OSError, SafetensorError, ValueError, MemoryError, OverflowError) as error:
        raise ModelError(
            f"{path}: not a complete safetensors file ({one_line(error)}); fetch or save it again"
        ) from None
    for name, value in state.items():
        state[name] = value.to(expected[name].dtype, copy=True)  # of its own memory, not the file's
        if not state[name].isfinite().all():
            raise ModelError(
                f"{path}: {name} holds NaN, infinity or a value that float32 cannot hold;"
                " the file is damaged"
            )
    return state


def _check_size(path: Path, expected: Mapping[str, Tensor]) -> None:
    """Refuse a file that is too small for the model, with at least one byte for each number."""
    least, size = sum(v.numel() for v in expected.values()), path.stat().st_size
    if size < least:
        raise ModelError(
            f"{path}: has {size:,} bytes, too few for the {least:,} numbers of the network in"
            f" {CONFIG}; the two files are not of one model, or this one is truncated"
        )


def _check_names(
    path: Path,
    model: nn.Module,
    expected: Mapping[str, Tensor],
    found: Mapping[str, tuple[tuple[int, ...], str]],
) -> None:
    """Compare names, shapes and types with the model."""
    for name, value in expected.items():
        shape, kind = found.get(name, ((), ""))
        if name not in found or shape not in _shapes(model, name, value):
            what = f"{shape} in the file" if name in found else "missing"
            raise ModelError(
                f"{path}: {name} is {what} and must be {tuple(value.shape)} by {CONFIG};"
                " the two files belong to different models"
            )
        allowed = FLOATING if value.is_floating_point() else INTEGER
        if kind not in allowed:
            raise ModelError(f"{path}: {name} is {kind} and must be one of {', '.join(allowed)}")
    if extra := sorted(found.keys() - expected.keys()):
        raise ModelError(f"{path}: holds {extra[0]}, which {CONFIG} does not know")


def _shapes(model: nn.Module, name: str, value: Tensor) -> list[tuple[int, ...]]:
    """The shapes that a tensor can have in a file, in this and in earlier versions."""
    owner, _, own = name.rpartition(".")
    former = getattr(model.get_submodule(owner), "former_shapes", {})
    return [tuple(value.shape), *former.get(own, ())]


def fingerprint(state: Mapping[str, Tensor]) -> str:
    """The SHA-256 of a state dict: of names, shapes and values, the floating ones as float32."""
    found = hashlib.sha256()
    for name, value in sorted(state.items()):
        value = value.detach().cpu()
        if value.is_floating_point():
            value = value.to(torch.float32)
        found.update(f"{name} {tuple(value.shape)} {value.dtype}\n".encode())
        if math.prod(value.shape):
            found.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
