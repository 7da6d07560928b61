"""The real set as a net sees it, and every measure of images against it."""

__all__ = ["Reference", "default_net"]

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from torch import Tensor

from ign.core import random
from ign.data import ImageSet
from ign.evaluate.features import FeatureNet, feature_net, feature_nets
from ign.evaluate.frechet import frechet_distance
from ign.evaluate.idempotence import diversity
from ign.evaluate.inception import Net, inception_score, load_net
from ign.evaluate.kernel import kernel_distance
from ign.evaluate.neighbours import manifold, nearest
from ign.evaluate.observed import Observed, as_uint8, digest, observe, observe_cached
from ign.model import BATCH

QUERIES = 1000
"""How many images of a set are looked up among the training images, and paired for diversity."""
SHOWN = 12
SUBSETS, SUBSET = 100, 1000
SPLITS = 10


class Reference:
    """The real set, as a net sees it, and the measures of any images against it.

    Args:
        real: Held-out images: a set, or (N, C, H, W) in [-1, 1].
        train: The images that were trained on; None to leave out what needs them.
        net: The net, or a name of :func:`ign.evaluate.load_net`; None for :func:`default_net`.
        neighbours: k of :func:`ign.evaluate.manifold`.
        seed: Of the subsets of the kernel distance, and of images that stand for a larger set.
        cache: Where features are kept, instead of ``IGN_CACHE`` or ``~/.cache/ign``.
        batch_size: How many images pass through the net at a time.
        bar: Shows what is being done.

    Raises:
        ValueError: Images of another range than [-1, 1], of two shapes, or too few.
        ModelError: There is no such net.
    """

    def __init__(
        self,
        real: ImageSet | Tensor,
        train: ImageSet | Tensor | None = None,
        net: Net | str | Path | None = None,
        *,
        neighbours: int = 5,
        seed: int = 0,
        cache: str | os.PathLike[str] | None = None,
        batch_size: int = BATCH,
        bar: Progress | None = None,
    ):
        self.real = as_uint8(real, "real images")
        self.train = None if train is None else as_uint8(train, "training images")
        shape = tuple(self.real.shape[1:])
        if self.train is not None and self.train.shape[1:] != shape:
            raise ValueError(f"real images are {shape}, others {tuple(self.train.shape[1:])}")
        net = default_net(shape) if net is None else net
        self.net = load_net(net) if isinstance(net, str | Path) else net
        self.neighbours, self.seed, self.cache = neighbours, seed, cache
        self.batch_size, self.bar = batch_size, bar or Progress(disable=True)
        self.seen = self.observe(self.real, "features of real images", fixed=True)
        self._distance = torch.tensor(torch.nan)
        if self.train is not None:
            chosen = self.real[self.some(len(self.real), QUERIES)]
            self._distance = nearest(chosen, self.train)[0].median()
        self._diversity = diversity(self.real[self.some(len(self.real), QUERIES)])

    def some(self, n: int, count: int) -> Tensor:
        """The places of ``count`` of n images, drawn by the seed; all where there are fewer."""
        return random.permutation(n, self.seed, 0)[:count].sort().values

    def advancing(self, what: str, total: int) -> Callable[[int], None]:
        """A bar, and the function that moves it on."""
        task = self.bar.add_task(what, total=total)
        return lambda count: self.bar.advance(task, count)

    def observe(self, images: Tensor, what: str, fixed: bool = False) -> Observed:
        """What the net sees in images, (N, C, H, W) uint8; of a fixed set it is kept."""
        advance = self.advancing(what, len(images))
        if fixed:
            return observe_cached(self.net, images, self.cache, self.batch_size, advance)
        return observe(self.net, images, self.batch_size, advance)

    def measure(self, images: Tensor, what: str = "images", fixed: bool = False) -> dict[str, Any]:
        """Every measure of images against the real set, but the drift, which is a model's.

        Args:
            images: (N, C, H, W) uint8: round as :func:`ign.data.to_uint8` does, never truncate.
            what: What they are, for the bar.
            fixed: Whether they are a fixed set, whose features are worth keeping.

        Returns:
            ``images`` (how many), ``frechet``, ``kernel`` and ``kernel_std``, ``precision``,
            ``recall``, ``density``, ``coverage``, and those of :meth:`alone`.

        Raises:
            ValueError: Not bytes, or too few for the neighbours.
        """
        if images.dtype != torch.uint8:
            raise ValueError(f"{what} are {images.dtype}; give uint8, as ign.data.to_uint8 rounds")
        seen = self.observe(images, f"features of {what}", fixed)
        advance = self.advancing(f"distances of {what}", 3)
        real = self.seen.features
        row: dict[str, Any] = {"images": len(images)}
        row["frechet"] = frechet_distance(seen.features, real)
        advance(1)
        kernel = kernel_distance(seen.features, real, SUBSETS, SUBSET, self.seed)
        row["kernel"], row["kernel_std"] = kernel
        advance(1)
        row |= manifold(real, seen.features, self.neighbours)._asdict()
        row |= self.alone(images, seen)
        advance(1)
        return row

    def alone(self, images: Tensor, seen: Observed) -> dict[str, Any]:
        """The measures that need no features of the real set.

        Returns:
            ``diversity``, as a ratio to that of the real set; of nets with classes
            ``inception_score`` and ``inception_score_std``, and of :class:`FeatureNet` with
            classes ``classes``, the share of each, and ``class_distance``, their total variation.
        """
        chosen = images[self.some(len(images), QUERIES)]
        row: dict[str, Any] = {"diversity": diversity(chosen) / max(self._diversity, 1e-12)}
        if seen.probabilities is None:
            return row
        splits = min(SPLITS, len(images))
        score = inception_score(seen.probabilities, splits)
        row["inception_score"], row["inception_score_std"] = score
        if isinstance(self.net, FeatureNet):
            shares = self._shares(seen)
            off = (shares - self._shares(self.seen)).abs().sum().item() / 2
            row |= {"classes": shares.tolist(), "class_distance": off}
        return row

    def copied(self, images: Tensor) -> tuple[float, Tensor]:
        """Are images copies of training images?

        Args:
            images: (N, C, H, W) uint8; the first 1,000 are looked up.

        Returns:
            The median distance to the nearest training image over that of the real images, and
            the first images with the nearest training image under each, (2, n, C, H, W).
        """
        assert self.train is not None
        queries = images[:QUERIES]
        distance, place = nearest(queries, self.train)
        ratio = (distance.median() / self._distance.clamp(min=1e-12)).item()
        return ratio, torch.stack([queries[:SHOWN], self.train[place[:SHOWN]]])

    def facts(self) -> dict[str, Any]:
        """What defines the numbers."""
        net: dict[str, Any] = {"name": self.net.name, "sha256": self.net.hash}
        net["dimensions"] = self.seen.features.shape[1]
        if isinstance(self.net, FeatureNet) and self.seen.probabilities is not None:
            net["classes"] = self.net.names
        return {
            "features": net,
            "real": _identity(self.real),
            "train": None if self.train is None else _identity(self.train),
            "seed": self.seed,
            "neighbours": self.neighbours,
            "kernel": {"subsets": SUBSETS, "size": SUBSET},
            "looked_up": QUERIES,
        }

    @staticmethod
    def _shares(seen: Observed) -> Tensor:
        assert seen.probabilities is not None
        n, classes = seen.probabilities.shape
        return seen.probabilities.argmax(1).bincount(minlength=classes).double() / n


def default_net(shape: tuple[int, ...]) -> str:
    """The packaged net that looks at images of exactly this form, (C, H, W).

    The form alone decides; what the images show it cannot tell: name a net for other subjects
    than digits and faces.

    Raises:
        ValueError: None does.
    """
    forms = {}
    for name in feature_nets():
        net = feature_net(name)
        forms[name] = (net.channels, net.size, net.size)
        if forms[name] == tuple(shape):
            return name
    known = ", ".join(f"{name} for {form}" for name, form in forms.items())
    raise ValueError(
        f"no packaged feature net is for images of {tuple(shape)} ({known}); name one, such as"
        " inception"
    )


def _identity(images: Tensor) -> dict[str, Any]:
    return {"images": len(images), "sha256": digest([images])}
