"""The model: a network, its noise and its image format, saved and loaded as one."""

__all__ = ["IGN", "ModelError"]

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ign import anomaly
from ign.anomaly import Calibration
from ign.core import random
from ign.io.format import Saved
from ign.io.packaged import ModelError
from ign.noise import Noise
from ign.objective.distance import DISTANCES, Distance
from ign.project import project, trajectory

BATCH = 64


class IGN(Saved):
    r"""An Idempotent Generative Network ready for use: f, the noise it projects, the image format.

    Inference is in evaluation mode, in float32, and deterministic: an image does not depend
    on what else is in its batch (within 1e-5).

    Args:
        network: The network f, any module that keeps the shape (B, C, H, W). To be saved it
            must be one of :data:`ign.nn.NETWORKS`.
        noise: The noise; its shape (C, H, W) is the image format. Another shape, such as (D,),
            makes a model of such samples instead of images.
        distance: D of the drift, as in :class:`ign.objective.IGNObjective`.
        about: What is worth knowing of the training; saved in ``config.json``.

    ``calibration`` is what :func:`ign.anomaly.Calibration.fit` learnt of clean images, or
    None; it is saved with the model.

    References:
        Shocher et al., Idempotent Generative Networks, 2024 (arXiv 2311.01462).
    """

    def __init__(
        self,
        network: nn.Module,
        noise: Noise,
        distance: str | Distance = "l1",
        about: dict[str, Any] | None = None,
    ):
        super().__init__()
        self.network, self.noise, self.distance = network, noise, distance
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.about = dict(about or {})
        self.calibration: Calibration | None = None
        self.eval()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image, (C, H, W), or of whatever else the noise is of."""
        return self.noise.shape

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    @property
    def projects(self) -> bool:
        """Whether images can be given to it, not only noise: not to a generator without encoder."""
        return getattr(self.network, "projects", True)

    @torch.no_grad()
    def sample(
        self, n: int, applications: int = 1, seed: int = 0, batch_size: int = BATCH
    ) -> Tensor:
        r"""Generate images: :math:`f^k(z_i)`, the noise :math:`z_i` a function of seed and i.

        Args:
            n: How many.
            applications: k, at least 1.
            seed: The seed; the same images for any n and batch size.
            batch_size: How many pass through the network at a time.

        Returns:
            (n, C, H, W) in [-1, 1] on the model's device.
        """
        return self.sample_trajectory(n, [applications], seed, batch_size)[0]

    @torch.no_grad()
    def sample_trajectory(
        self,
        n: int,
        applications: Sequence[int],
        seed: int = 0,
        batch_size: int = BATCH,
        start: int = 0,
    ) -> list[Tensor]:
        """As :meth:`sample` for several k at once, from sample number ``start`` on.

        Returns:
            (n, C, H, W) in [-1, 1] for each k.
        """
        if n < 1 or batch_size < 1:
            raise ValueError(f"n {n} and batch_size {batch_size} must be at least 1")
        index = torch.arange(start, start + n).split(batch_size)
        noise = (self.latents(i, seed) for i in index)
        return self._in_batches(lambda z: trajectory(self.network, z, applications, True), noise)

    def latents(self, index: Tensor, seed: int = 0) -> Tensor:
        """The noise of the samples with these numbers, (B,) to (B, C, H, W): drawn on the CPU."""
        return self.noise.at(random.keys(seed, "sample", 0, index.cpu())).to(self.device)

    @torch.no_grad()
    def project(
        self,
        images: Tensor,
        applications: int = 1,
        batch_size: int = BATCH,
        tolerance: float = 0.0,
    ) -> Tensor:
        r"""Project images onto the manifold: :math:`f^k(y)`, whatever they are.

        Args:
            images: (B, C, H, W) in [-1, 1]; values outside are allowed.
            applications: k, at least 0.
            batch_size: How many pass through the network at a time.
            tolerance: Where an image rests, as in :func:`ign.project.project`; 0 for never.

        Returns:
            (B, C, H, W) in [-1, 1] on the model's device.

        Raises:
            ValueError: Images that are not of the model's shape, or not floating point.
        """
        parts = self.check(images).split(batch_size)
        return self._in_batches(
            lambda y: [project(self.network, y, applications, tolerance)], parts
        )[0]

    @torch.no_grad()
    def trajectory(
        self,
        images: Tensor,
        applications: Sequence[int],
        batch_size: int = BATCH,
        noise: bool = False,
    ) -> list[Tensor]:
        r""":math:`f^k(y)` for each k of ``applications``: a list of (B, C, H, W).

        Args:
            images: (B, C, H, W), images or noise.
            applications: The numbers k, at least 0 (1 for noise).
            batch_size: How many pass through the network at a time.
            noise: Whether they are noise, such as :meth:`latents` and their combinations.
        """
        parts = self.check(images).split(batch_size)
        return self._in_batches(lambda y: trajectory(self.network, y, applications, noise), parts)

    def drift(
        self, images: Tensor, batch_size: int = BATCH, distance: str | Distance | None = None
    ) -> Tensor:
        r"""How far the network moves each image, :math:`\delta(y) = D(f(y), y)`, (B,)."""
        return self.score(images, "displacement", batch_size, distance)

    @torch.no_grad()
    def score(
        self,
        images: Tensor,
        kind: str = "displacement",
        batch_size: int = BATCH,
        distance: str | Distance | None = None,
    ) -> Tensor:
        """How far each image is from the data, as :func:`ign.anomaly.score`, (B,).

        Raises:
            ValueError: Images that are not of the model's shape, or a distance of the model's
                that is not built in: it is imported only when given here.
        """
        d, parts = self._distance(distance), self.check(images).split(batch_size)
        return self._in_batches(lambda y: [anomaly.score(self.network, y, kind, d)], parts)[0]

    @torch.no_grad()
    def scores(
        self, images: Tensor, batch_size: int = BATCH, distance: str | Distance | None = None
    ) -> dict[str, Tensor]:
        """Every kind of :meth:`score`, (B,) each, from one trajectory."""
        d, parts = self._distance(distance), self.check(images).split(batch_size)
        found = self._in_batches(lambda y: list(anomaly.scores(self.network, y, d).values()), parts)
        return dict(zip(anomaly.SCORES, found, strict=True))

    @torch.no_grad()
    def look(
        self,
        images: Tensor,
        kind: str = "displacement",
        batch_size: int = BATCH,
        distance: str | Distance | None = None,
    ) -> anomaly.Seen:
        """Score, map and projection at once, as :func:`ign.anomaly.look`."""
        d, parts = self._distance(distance), self.check(images).split(batch_size)
        seen = self._in_batches(lambda y: list(anomaly.look(self.network, y, kind, d)), parts)
        return anomaly.Seen(*seen)

    @torch.no_grad()
    def score_map(
        self, images: Tensor, kind: str = "displacement", batch_size: int = BATCH
    ) -> Tensor:
        """Where each image is moved, as :func:`ign.anomaly.score_map`, (B, H, W)."""
        parts = self.check(images).split(batch_size)
        return self._in_batches(lambda y: [anomaly.score_map(self.network, y, kind)], parts)[0]

    def check(self, images: Tensor) -> Tensor:
        """The same images, if they are of the model's form.

        Raises:
            ValueError: They are not (B, C, H, W) of the model's shape, or not floating point.
        """
        if tuple(images.shape[1:]) != self.shape or not len(images):
            shape = ", ".join(map(str, self.shape))
            raise ValueError(f"images are {tuple(images.shape)}; this model takes (B, {shape})")
        if not images.is_floating_point():
            raise ValueError(f"images are {images.dtype}; give floating point in [-1, 1]")
        return images

    def _distance(self, given: str | Distance | None) -> str | Distance:
        if given is not None:
            return given
        if isinstance(self.distance, str) and self.distance not in DISTANCES:
            raise ValueError(f"this model's distance is {self.distance!r}; pass it as distance=...")
        return self.distance

    def _in_batches(
        self, function: Callable[[Tensor], list[Tensor]], parts: Sequence[Tensor] | Iterator[Tensor]
    ) -> list[Tensor]:
        done = [function(part.to(self.device, torch.float32)) for part in parts]
        return [torch.cat(column) for column in zip(*done, strict=True)]
