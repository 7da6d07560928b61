"""Real images and their features, and the measures of other images against them."""

__all__ = ["Reference", "default_net"]

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ign.core import random, terminal
from ign.core.deprecated import renamed_method
from ign.core.statistics import diversity, ratio
from ign.data import ImageSet, to_float
from ign.evaluate.features import FeatureNet, feature_net, feature_nets
from ign.evaluate.frechet import frechet_distance
from ign.evaluate.inception import Net, inception_score, load_net
from ign.evaluate.kernel import kernel_distance
from ign.evaluate.neighbours import manifold, nearest
from ign.evaluate.outputs import NetOutputs, as_uint8, cached_outputs, digest, net_outputs
from ign.model import BATCH

if TYPE_CHECKING:
    from rich.progress import Progress

QUERIES = 1000
"""The number of images whose nearest training image and diversity are measured."""
SHOWN = 12
SUBSETS, SUBSET = 100, 1000
SPLITS = 10


class Reference:
    """Real images and their features, to measure any other images against.

    Args:
        real: Held-out images: an image set, or (N, C, H, W) in [-1, 1].
        train: The training images; None to skip the measures that need them.
        net: The feature net, or a name for :func:`ign.evaluate.load_net`; None for
            :func:`default_net`.
        neighbours: k of :func:`ign.evaluate.manifold`.
        seed: The seed of the subsets of the kernel distance, and of random subsets of images.
        cache: The folder for cached features; None for ``IGN_CACHE`` or ``~/.cache/ign``.
        batch_size: The number of images in one pass through the net.
        bar: The progress bar.

    Raises:
        ValueError: Images have values outside [-1, 1] or different shapes, or are too few.
        ModelError: The net does not exist or cannot be loaded.
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
        bar: "Progress | None" = None,
    ):
        self.real = as_uint8(real, "real images")
        self.train = None if train is None else as_uint8(train, "training images")
        shape = tuple(self.real.shape[1:])
        if self.train is not None and self.train.shape[1:] != shape:
            raise ValueError(f"real images are {shape}, others {tuple(self.train.shape[1:])}")
        net = default_net(shape) if net is None else net
        self.net = load_net(net) if isinstance(net, str | Path) else net
        self.neighbours, self.seed, self.cache = neighbours, seed, cache
        self.batch_size, self.bar = batch_size, bar or terminal.progress(shown=False)
        self.real_outputs = self.outputs(self.real, "features of real images", fixed=True)
        chosen = self.real[self.subset(len(self.real), QUERIES)]
        self._diversity = diversity(to_float(chosen))
        self._distance, self.repeated = 0.0, 0
        if self.train is not None:
            distance, _ = nearest(chosen, self.train)
            self.repeated = int((distance == 0).sum())
            if self.repeated:
                distance, _ = nearest(chosen, self.train, skip_equal=True)
            self._distance = distance.median().item()

    some = renamed_method("Reference.some", "subset")
    advancing = renamed_method("Reference.advancing", "task")
    observe = renamed_method("Reference.observe", "outputs")
    alone = renamed_method("Reference.alone", "image_statistics")
    copied = renamed_method("Reference.copied", "nearest_training")

    def subset(self, n: int, count: int) -> Tensor:
        """The indices of ``count`` of n images, drawn by the seed; all n if there are fewer."""
        return random.permutation(n, self.seed, 0)[:count].sort().values

    def task(self, what: str, total: int) -> Callable[[int], None]:
        """Add a task to the progress bar and return the function that advances it."""
        task = self.bar.add_task(what, total=total)
        return lambda count: self.bar.advance(task, count)

    def outputs(self, images: Tensor, what: str, fixed: bool = False) -> NetOutputs:
        """Run the net on images, (N, C, H, W) uint8; the outputs of a fixed set are cached."""
        advance = self.task(what, len(images))
        if fixed:
            return cached_outputs(self.net, images, self.cache, self.batch_size, advance)
        return net_outputs(self.net, images, self.batch_size, advance)

    def measure(self, images: Tensor, what: str = "images", fixed: bool = False) -> dict[str, Any]:
        """Measure images against the real images.

        Args:
            images: (N, C, H, W) uint8, rounded as by :func:`ign.data.to_uint8`.
            what: The name of the images in the progress bar and in error messages.
            fixed: Whether to cache their features.

        Returns:
            ``images`` (their number), ``frechet``, ``kernel`` and ``kernel_std``, ``precision``,
            ``recall``, ``density``, ``coverage``, and the values of :meth:`image_statistics`.

        Raises:
            ValueError: The images are not uint8, or too few for ``neighbours``.
        """
        if images.dtype != torch.uint8:
            raise ValueError(f"{what} are {images.dtype}; give uint8, as ign.data.to_uint8 rounds")
        outputs = self.outputs(images, f"features of {what}", fixed)
        advance = self.task(f"distances of {what}", 3)
        real = self.real_outputs.features
        row: dict[str, Any] = {"images": len(images)}
        row["frechet"] = frechet_distance(outputs.features, real)
        advance(1)
        kernel = kernel_distance(outputs.features, real, SUBSETS, SUBSET, self.seed)
        row["kernel"], row["kernel_std"] = kernel
        advance(1)
        row |= manifold(real, outputs.features, self.neighbours)._asdict()
        row |= self.image_statistics(images, outputs)
        advance(1)
        return row

    def image_statistics(self, images: Tensor, outputs: NetOutputs) -> dict[str, Any]:
        """Measure images without the features of the real images.

        Args:
            images: (N, C, H, W) uint8.
            outputs: The outputs of the net on these images.

        Returns:
            ``diversity``, the ratio to the diversity of the real images, or None if the real
            images are all equal. For a net with classes also ``inception_score`` and
            ``inception_score_std``, and for a :class:`FeatureNet` with classes ``classes``, the
            share of each class, and ``class_distance``, the total variation of these shares.
        """
        chosen = images[self.subset(len(images), QUERIES)]
        row: dict[str, Any] = {"diversity": ratio(diversity(to_float(chosen)), self._diversity)}
        if outputs.probabilities is None:
            return row
        splits = min(SPLITS, len(images))
        score = inception_score(outputs.probabilities, splits)
        row["inception_score"], row["inception_score_std"] = score
        if isinstance(self.net, FeatureNet):
            shares = self._shares(outputs)
            off = (shares - self._shares(self.real_outputs)).abs().sum().item() / 2
            row |= {"classes": shares.tolist(), "class_distance": off}
        return row

    def nearest_training(self, images: Tensor) -> tuple[float | None, Tensor]:
        """Compare the distances to the training images of samples and of held-out images.

        Held-out images that are equal to a training image count with their distance to the
        nearest training image that differs from them.

        Args:
            images: (N, C, H, W) uint8; the first 1,000 are used.

        Returns:
            The median distance to the nearest training image, divided by the median distance of
            the held-out images; None if that is 0 or there is no other training image. And the
            first images with the nearest training image of each, (2, n, C, H, W).
        """
        assert self.train is not None
        queries = images[:QUERIES]
        distance, place = nearest(queries, self.train)
        found = ratio(distance.median().item(), self._distance)
        return found, torch.stack([queries[:SHOWN], self.train[place[:SHOWN]]])

    def warnings(self) -> list[str]:
        """What is unusual about the real images, one sentence each."""
        found = []
        looked_up = min(QUERIES, len(self.real))
        if self.repeated:
            found.append(
                f"{self.repeated:,} of {looked_up:,} held-out images are equal to a training image:"
                " these numbers flatter a model that copies"
            )
        if self.train is not None and ratio(1, self._distance) is None:
            found.append(
                "all training images are equal to the held-out images, so there is no nearest ratio"
            )
        if ratio(1, self._diversity) is None:
            found.append("the held-out images are all equal, so there is no diversity ratio")
        return found

    def facts(self) -> dict[str, Any]:
        """The settings that define the numbers."""
        net: dict[str, Any] = {"name": self.net.name, "sha256": self.net.hash}
        net["dimensions"] = self.real_outputs.features.shape[1]
        if isinstance(self.net, FeatureNet) and self.real_outputs.probabilities is not None:
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
    def _shares(outputs: NetOutputs) -> Tensor:
        assert outputs.probabilities is not None
        n, classes = outputs.probabilities.shape
        return outputs.probabilities.argmax(1).bincount(minlength=classes).double() / n


def default_net(shape: tuple[int, ...]) -> str:
    """Find the packaged feature net for images of this shape, (C, H, W).

    Only the shape is considered. For images of other subjects than digits and faces, choose a net
    by name.

    Raises:
        ValueError: No packaged net is for this shape.
    """
    forms = {}
    for name in feature_nets():
        net = feature_net(name)
        forms[name] = (net.channels, net.size, net.size)
        if forms[name] == tuple(shape):
            return name
    known = ", ".join(f"{name} for {form}" for name, form in forms.items())
    raise ValueError(
        f"there is no packaged feature net for images of {tuple(shape)} ({known}); choose a net by"
        " name, such as inception"
    )


def _identity(images: Tensor) -> dict[str, Any]:
    return {"images": len(images), "sha256": digest([images])}
