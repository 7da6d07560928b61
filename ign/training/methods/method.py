"""What a method is: its network, what it trains beside it, and the losses of a step."""

__all__ = ["LATENT", "Batch", "Method", "Turn", "codes_of"]

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from ign.data import ImageSet
from ign.nn import DCGANAutoencoder
from ign.project import evaluating
from ign.training.config import Config

LATENT = {"noise": "gaussian", "network.norm": "batch", "network.rounding": 0.0}
"""What every method that generates from a code sets."""
CHUNK = 256


@dataclass
class Batch:
    """What a step gives to a method, all of (B, C, H, W) but the anchors.

    Args:
        x: Data in [-1, 1].
        z: Noise.
        noise: More noise, for x and f(z), where the network is to restore them.
        anchors: More data, (M, C, H, W), where the method is :attr:`Method.anchored`.
    """

    x: Tensor
    z: Tensor
    noise: Tensor | None = None
    anchors: Tensor | None = None


class Turn(NamedTuple):
    """The loss of one player, and what the journal records of it."""

    loss: Tensor
    terms: dict[str, Tensor]


class Method(nn.Module):
    """A way to train a network. Its own modules, such as a critic, are trained with the network.

    Args:
        network: The network, of the kind :attr:`network`.
        config: The run.

    Raises:
        ValueError: A setting that has no meaning for this method.
    """

    network: ClassVar[type[nn.Module]] = DCGANAutoencoder
    """What becomes the model: a class of :data:`ign.nn.NETWORKS`."""
    defaults: ClassVar[dict[str, Any]] = {}
    """Fields of the configuration that take the place of a preset's, where none are given."""
    terms: ClassVar[tuple[str, ...]] = ()
    """What each step records."""
    players: ClassVar[int] = 1
    """How many losses a step has; the optimizer makes a step after each."""
    remedy: ClassVar[str] = "a lower learning_rate"
    """What to try where samples collapse."""

    restores: ClassVar[bool] = False
    """Whether it takes noise for data and outputs (:attr:`Batch.noise`)."""

    compiles: ClassVar[bool] = False
    """Whether what a step computes can be compiled."""

    def __init__(self, network: nn.Module, config: Config):
        super().__init__()
        if config.trainer.compile and not self.compiles:
            raise ValueError(f"trainer.compile is for method ign, not for {config.method}")
        if config.network.norm == "role" and "network.norm" in self.defaults:
            raise ValueError(f"network.norm role is for method ign; {config.method} takes batch")
        if config.network.rounding and "network.rounding" in self.defaults:
            raise ValueError(f"network.rounding is for method ign; {config.method} takes 0")
        if config.noise != self.defaults.get("noise", config.noise):
            raise ValueError(f"method {config.method} draws its codes from noise gaussian alone")

    def turns(self, network: Any, batch: Batch) -> Iterator[Turn]:
        """The losses of one step, one for each player.

        Between two of them the optimizer moves what the earlier one gave a gradient.

        Args:
            network: The network, or what wraps it.
            batch: What the step sees.
        """
        raise NotImplementedError

    @property
    def anchored(self) -> bool:
        """Whether a step needs anchors."""
        return False

    def compile_step(self, **how: Any) -> None:
        """Compile what a step computes (:func:`torch.compile`), where :attr:`compiles`."""
        raise NotImplementedError

    def complete(self, network: nn.Module, images: ImageSet) -> None:
        """Do what is left to do before a network is saved."""


@torch.no_grad()
def codes_of(images: ImageSet, most: int, network: Any) -> Tensor:
    """The codes that a network's encoder gives to images, (N, K), in evaluation mode.

    Args:
        images: The images.
        most: How many, spread over the set; all where there are fewer.
        network: The network.
    """
    count = min(most, len(images))
    chosen = (torch.arange(count) * len(images) // count).split(CHUNK)
    device = next(network.parameters()).device
    with evaluating(network):
        codes = [network.encoder(images.batch(part).to(device)).flatten(1) for part in chosen]
    return torch.cat(codes)
