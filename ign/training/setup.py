"""The images, network, noise and method of a run."""

__all__ = ["evenly", "load_images", "make_model", "make_module"]

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ign.data import ImageSet, load_splits
from ign.model import IGN
from ign.noise import make_noise
from ign.training.config import Config
from ign.training.failures import is_out_of_memory
from ign.training.memory import require_memory
from ign.training.methods import METHODS, Method
from ign.training.module import Training
from ign.training.precision import precision_of

HELD_OUT = 256
IN_MEMORY = 2**26
"""Decoded images of more bytes are stored in the cache folder and memory-mapped."""


def load_images(config: Config) -> tuple[ImageSet, ImageSet]:
    """Load the training images and the held-out images of a run."""
    found = load_splits(
        config.data,
        {"train": config.limit, "test": HELD_OUT},
        size=config.size,
        gray=config.gray,
        skip_broken=config.skip_broken,
        value_range=config.range,
        memory_limit=IN_MEMORY,
        progress=True,
    )
    return found["train"], found["test"]


def evenly(images: ImageSet) -> Tensor:
    """The images for the measures of a check, (N, C, H, W), spread evenly over the set."""
    count = min(HELD_OUT, len(images))
    return images.batch(torch.arange(count) * len(images) // count)


def make_module(config: Config, images: ImageSet, init: str | Path | None) -> Training:
    """Make the module of a run.

    Raises:
        ValueError: There is not enough memory for the network.
    """
    require_memory(lambda: _network(config, images.shape), config, images.shape)
    try:
        model, method = make_model(config, images, init)
        return Training(model, method, images, config)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise ValueError("not enough memory for the network; lower network.width") from None


def _network(config: Config, shape: tuple[int, int, int]) -> nn.Module:
    """A network of the configured size."""
    kind: Any = METHODS[config.method].network_class
    network: nn.Module = kind(shape[0], shape[1], **asdict(config.network))
    return network


def make_model(config: Config, images: ImageSet, init: str | Path | None) -> tuple[IGN, Method]:
    """A model for these images, new or with the weights of another model, and its method."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = _network(config, images.shape)
        method = METHODS[config.method](network, config)
    noise = make_noise(config.noise, images.shape, images.images)
    name = Path(config.data).name or config.data
    about = {"method": config.method, "data": name, "training_images": len(images)}
    about |= {"seed": config.seed, "precision": precision_of(config.trainer)}
    if method.denoise:
        about["denoise"] = method.denoise
    if images.value_range is not None:
        about["value_range"] = list(images.value_range)
    model = IGN(network, noise, config.distance, about)
    if init is not None:
        _start_from(IGN.from_pretrained(init).network, network, f"--init {init}")
    return model, method


def _start_from(theirs: nn.Module, ours: nn.Module, what: str) -> None:
    """Copy the weights of one network to another.

    Raises:
        ValueError: The networks are of different kinds or sizes.
    """
    try:
        ours.load_state_dict(theirs.state_dict())
    except RuntimeError:
        a, b = (f"{type(n).__name__} {vars(n).get('config')}" for n in (theirs, ours))
        raise ValueError(
            f"{what}: its network is {a}, this run's {b};"
            " make size, gray, network.width, network.norm, network.rounding and method the same"
        ) from None
