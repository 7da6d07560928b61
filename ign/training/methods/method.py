"""The interface of a method: its network, other trained modules, and the losses of a step."""

__all__ = ["Batch", "Method", "Update", "encode_images"]

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from ign.data import ImageSet
from ign.nn import DCGANAutoencoder
from ign.project import evaluating
from ign.training.config import Config

CHUNK = 256


@dataclass
class Batch:
    """The input of a step.

    Args:
        x: Data, (B, C, H, W) in [-1, 1].
        z: Noise, (B, C, H, W).
        noise: Noise, (B, C, H, W), that the network has to remove from x and f(z).
        anchors: Additional data, (M, C, H, W), if the method needs it (:attr:`Method.anchors`).
        first: The global index of the first sample within the step.
    """

    x: Tensor
    z: Tensor
    noise: Tensor | None = None
    anchors: Tensor | None = None
    first: int = 0


class Update(NamedTuple):
    """The loss of one optimizer update, and the terms to log by name."""

    loss: Tensor
    terms: dict[str, Tensor]


class Method(nn.Module, ABC):
    """A training method. Its own modules, such as a discriminator, are trained as well.

    Args:
        network: The network, an instance of :attr:`network_class`.
        config: The run, an instance of the method's :attr:`config`.
    """

    config: ClassVar[type[Config]]
    """The configuration with the method's own fields and defaults."""
    network_class: ClassVar[type[nn.Module]] = DCGANAutoencoder
    """The class of the network, one of :data:`ign.nn.NETWORKS`."""
    terms: tuple[str, ...] = ()
    """The names of the terms that each step logs."""
    updates: ClassVar[int] = 1
    """The number of optimizer updates in a step."""
    remedy: ClassVar[str] = "a lower learning_rate"
    """What to try if the samples collapse."""
    anchors: int = 0
    """The number of additional images for a step (:attr:`Batch.anchors`)."""
    denoise: float = 0.0
    """The largest standard deviation of the noise to remove (:attr:`Batch.noise`)."""

    def __init__(self, network: nn.Module, config: Config):
        super().__init__()

    @abstractmethod
    def losses(self, network: Any, batch: Batch) -> Iterator[Update]:
        """Yield the loss of each optimizer update of a step.

        The optimizer moves the parameters that have a gradient before the next loss is computed.

        Args:
            network: The network, or the module that wraps it.
            batch: The input of the step.
        """

    def compile_step(self, **options: Any) -> None:
        """Compile the computation of a step with :func:`torch.compile`."""
        raise NotImplementedError

    def finalize(self, network: nn.Module, images: ImageSet) -> None:
        """Complete a network before it is saved."""


@torch.no_grad()
def encode_images(images: ImageSet, most: int, network: Any) -> Tensor:
    """The codes of images in evaluation mode, (N, K).

    Args:
        images: The images.
        most: The largest number of images to encode, spread over the set.
        network: A network with an encoder.
    """
    count = min(most, len(images))
    chosen = (torch.arange(count) * len(images) // count).split(CHUNK)
    device = next(network.parameters()).device
    with evaluating(network):
        codes = [network.encoder(images.batch(part).to(device)).flatten(1) for part in chosen]
    return torch.cat(codes)
