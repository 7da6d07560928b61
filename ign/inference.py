"""Inference with a network and its noise: sampling, projection and scores, batch by batch."""

__all__ = ["BATCH", "Inference"]

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ign import anomaly
from ign.core import random
from ign.core.errors import ModelError
from ign.core.inputs import to_batch, whole, whole_numbers
from ign.noise import Noise
from ign.objective.distance import DISTANCES, Distance
from ign.project import applied, device_of, project, trajectory

BATCH = 64
"""The default number of images in one pass through the network."""


class Inference(nn.Module):
    """The methods of :class:`ign.IGN` that run the network, in evaluation mode without gradients.

    Attributes:
        network: The network f.
        noise: The noise, whose shape is the shape of a sample.
        distance: D of the drift, or its name.
        last_seed: The seed of the last samples, or None.
    """

    network: nn.Module
    noise: Noise
    distance: str | Distance
    last_seed: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image, (C, H, W), or of any other sample."""
        return self.noise.shape

    @property
    def device(self) -> torch.device:
        return device_of(self.network)

    @property
    def dtype(self) -> torch.dtype:
        """The type of the network's parameters, in which inference computes."""
        return next((p.dtype for p in self.network.parameters()), torch.float32)

    @property
    def projects(self) -> bool:
        """Whether the network accepts images, unlike a generator without encoder."""
        return getattr(self.network, "projects", True)

    @torch.no_grad()
    def sample(
        self, n: int, applications: int = 1, seed: int | None = 0, batch_size: int = BATCH
    ) -> Tensor:
        r"""Generate images :math:`f^k(z_i)`; the noise :math:`z_i` is a function of seed and i.

        Args:
            n: The number of images, at least 1.
            applications: k, at least 1.
            seed: The seed; the images do not depend on n and the batch size. None draws a new
                seed, which is then in :attr:`last_seed`.
            batch_size: The number of images that pass through the network at a time.

        Returns:
            (n, C, H, W) in [-1, 1] on the model's device.

        Raises:
            ValueError: A number is below 1.
            TypeError: A number is not an integer.
            ModelError: The network gives NaN or infinity.
        """
        return self.sample_trajectory(n, [applications], seed, batch_size)[0]

    @torch.no_grad()
    def sample_trajectory(
        self,
        n: int,
        applications: Sequence[int],
        seed: int | None = 0,
        batch_size: int = BATCH,
        start: int = 0,
    ) -> list[Tensor]:
        """Same as :meth:`sample` for several k, from sample number ``start`` on.

        Returns:
            (n, C, H, W) in [-1, 1] for each k.
        """
        n, start, ks = (
            whole(n, "n", 1),
            whole(start, "start", 0),
            whole_numbers(applications, "applications", 1),
        )
        index = torch.arange(start, start + n).split(whole(batch_size, "batch_size", 1))
        seed = self._seed(seed)
        noise = (self.latents(i, seed) for i in index)
        names = [applied(k, "z") for k in ks]
        return self._run(lambda z: trajectory(self.network, z, ks, True), noise, names, start)

    def latents(self, index: Tensor, seed: int | None = 0) -> Tensor:
        """The noise of the samples with these numbers, (B,) to (B, C, H, W); drawn on the CPU."""
        keys = random.keys(self._seed(seed), "sample", 0, torch.as_tensor(index).cpu())
        return self.noise.at(keys.to(device_of(self.noise))).to(self.device)

    @torch.no_grad()
    def project(
        self,
        images: Tensor,
        applications: int = 1,
        batch_size: int = BATCH,
        tolerance: float = 0.0,
    ) -> Tensor:
        r"""Project images, of whatever kind, onto the manifold: :math:`f^k(y)`.

        Args:
            images: (B, C, H, W) or (C, H, W); values outside [-1, 1] are allowed.
            applications: k, at least 0.
            batch_size: The number of images that pass through the network at a time.
            tolerance: Stop when an application moves an image by less than this, as in
                :func:`ign.project.project`; 0 for k applications of every image.

        Returns:
            The shape of ``images``, in [-1, 1], on the model's device.

        Raises:
            ValueError: The images do not have the model's shape, or are integers but not uint8, or
                have values of [0, 255] in floating point.
            ModelError: The network gives NaN or infinity.
        """
        k = whole(applications, "applications", 0)
        return self._map(
            images, lambda y: [project(self.network, y, k, tolerance)], batch_size, applied(k, "y")
        )[0]

    @torch.no_grad()
    def trajectory(
        self,
        images: Tensor,
        applications: Sequence[int],
        batch_size: int = BATCH,
        noise: bool = False,
    ) -> list[Tensor]:
        r""":math:`f^k(y)` for each k of ``applications``, each in the shape of ``images``.

        Args:
            images: Images or noise, (B, C, H, W).
            applications: The numbers k, at least 0 (1 for noise).
            batch_size: The number of images that pass through the network at a time.
            noise: Whether ``images`` are noise, such as :meth:`latents` and combinations of them.
        """
        ks = whole_numbers(applications, "applications", int(noise))
        names = [applied(k, "z" if noise else "y") for k in ks]
        return self._map(
            images, lambda y: trajectory(self.network, y, ks, noise), batch_size, *names
        )

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
            ValueError: As in :meth:`project`; or the model's distance is neither ``l1`` nor ``l2``
                and not passed as ``distance``: a name in a file is never imported.
            ModelError: The network gives NaN or infinity.
        """
        d = self._distance(distance)
        return self._map(
            images, lambda y: [anomaly.score(self.network, y, kind, d)], batch_size, "score"
        )[0]

    @torch.no_grad()
    def scores(
        self, images: Tensor, batch_size: int = BATCH, distance: str | Distance | None = None
    ) -> dict[str, Tensor]:
        """Every kind of :meth:`score`, (B,) each, from one trajectory."""
        d, kinds = self._distance(distance), anomaly.SCORES
        found = self._map(
            images, lambda y: list(anomaly.scores(self.network, y, d).values()), batch_size, *kinds
        )
        return dict(zip(kinds, found, strict=True))

    @torch.no_grad()
    def analyze(
        self,
        images: Tensor,
        kind: str = "displacement",
        batch_size: int = BATCH,
        distance: str | Distance | None = None,
    ) -> anomaly.Analysis:
        """Score, map and projection at once, as :func:`ign.anomaly.analyze`."""
        d = self._distance(distance)
        found = self._map(
            images,
            lambda y: list(anomaly.analyze(self.network, y, kind, d)),
            batch_size,
            *anomaly.Analysis._fields,
        )
        return anomaly.Analysis(*found)

    def look(self, *args: Any, **options: Any) -> anomaly.Analysis:
        """The former name of :meth:`analyze`."""
        warnings.warn(
            "IGN.look is now IGN.analyze; the former name will be removed in 0.3",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.analyze(*args, **options)

    @torch.no_grad()
    def score_map(
        self, images: Tensor, kind: str = "displacement", batch_size: int = BATCH
    ) -> Tensor:
        """Map where the network moves each image, as :func:`ign.anomaly.score_map`, (B, H, W)."""
        return self._map(
            images, lambda y: [anomaly.score_map(self.network, y, kind)], batch_size, "score"
        )[0]

    def check(self, images: Tensor) -> Tensor:
        """The images as a batch in floating point, (B, C, H, W).

        Raises:
            ValueError: As in :meth:`project`.
        """
        return to_batch(images, self.shape).samples

    def _distance(self, given: str | Distance | None) -> str | Distance:
        if given is not None:
            return given
        if isinstance(self.distance, str) and self.distance not in DISTANCES:
            raise ValueError(f"this model's distance is {self.distance!r}; pass it as distance=...")
        return self.distance

    def _seed(self, seed: int | None) -> int:
        """Return the seed, or a random one for None, and store it in ``last_seed``."""
        drawn = int.from_bytes(os.urandom(4), "big") if seed is None else whole(seed, "seed")
        self.last_seed = drawn
        return drawn

    def _map(
        self, images: Any, function: Callable[[Tensor], list[Tensor]], size: int, *names: str
    ) -> list[Tensor]:
        """The outputs of a function of a batch, for images in any form that is accepted."""
        samples, added = to_batch(images, self.shape)
        found = self._run(function, samples.split(whole(size, "batch_size", 1)), names)
        image = samples.ndim
        return [x[(0,) * (added if x.ndim == image else min(added, 1))] for x in found]

    def _run(
        self,
        function: Callable[[Tensor], list[Tensor]],
        parts: Iterable[Tensor],
        names: Sequence[str],
        start: int = 0,
    ) -> list[Tensor]:
        """The outputs of a function of a batch, joined, each checked to be finite."""
        done: list[list[Tensor]] = []
        for part in parts:
            y = part.to(self.device, self.dtype)
            done.append(function(y))
            for name, x in zip(names, done[-1], strict=True):
                _check_finite(x, name, start, y)
            start += len(part)
        return [torch.cat(column) for column in zip(*done, strict=True)]


def _check_finite(x: Tensor, name: str, start: int, given: Tensor) -> None:
    """Refuse an output with NaN or infinity, and say whether input or model is the cause."""
    finite = x.flatten(1).isfinite().all(1) if x.ndim > 1 else x.isfinite()
    if finite.all():
        return
    bad = int(finite.logical_not().nonzero()[0])
    if not given[bad].isfinite().all():
        raise ValueError(f"image number {start + bad} holds NaN or infinity")
    raise ModelError(
        f"{name}: number {start + bad} holds NaN or infinity; the weights of this model are damaged"
        f" or too large for {str(x.dtype).removeprefix('torch.')}"
    )
