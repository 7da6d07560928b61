"""The model: a network, its noise and its image format, saved and loaded as one."""

__all__ = ["IGN", "ModelError"]

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ign import anomaly, random
from ign.anomaly import Calibration
from ign.distance import DISTANCES, Distance, distance_name
from ign.files import atomic
from ign.nn import NETWORKS
from ign.noise import NOISES, Noise
from ign.pretrained import (
    CONFIG,
    FORMAT,
    WEIGHTS,
    ModelError,
    locate,
    read_config,
    read_weights,
)
from ign.project import project, trajectory

BATCH = 64


class IGN(nn.Module):
    r"""An Idempotent Generative Network ready for use: f, the noise it projects, the image format.

    Inference is in evaluation mode, in float32, and deterministic: an image does not depend
    on what else is in its batch (within 1e-5).

    Args:
        network: The network f, any module that keeps the shape (B, C, H, W). To be saved it
            must be one of :data:`ign.nn.NETWORKS`.
        noise: The noise; its shape (C, H, W) is the image format.
        distance: D of the drift, as in :class:`ign.objective.IGNObjective`.
        about: What is worth knowing of the training; saved in ``config.json``.

    :attr:`calibration` is what :func:`ign.anomaly.Calibration.fit` learnt of clean images, or
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
        self.about = dict(about or {})
        self.calibration: Calibration | None = None
        self.eval()

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one image, (C, H, W)."""
        channels, height, width = self.noise.shape
        return channels, height, width

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
        if distance is None and isinstance(self.distance, str) and self.distance not in DISTANCES:
            raise ValueError(f"this model's distance is {self.distance!r}; pass it as distance=...")
        d = self.distance if distance is None else distance
        parts = self.check(images).split(batch_size)
        return self._in_batches(lambda y: [anomaly.score(self.network, y, kind, d)], parts)[0]

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
        if images.ndim != 4 or tuple(images.shape[1:]) != self.shape or not len(images):
            shape = ", ".join(map(str, self.shape))
            raise ValueError(f"images are {tuple(images.shape)}; this model takes (B, {shape})")
        if not images.is_floating_point():
            raise ValueError(f"images are {images.dtype}; give floating point in [-1, 1]")
        return images

    def _in_batches(
        self, function: Callable[[Tensor], list[Tensor]], parts: Sequence[Tensor] | Iterator[Tensor]
    ) -> list[Tensor]:
        done = [function(part.to(self.device, torch.float32)) for part in parts]
        return [torch.cat(column) for column in zip(*done, strict=True)]

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype | None = None) -> Path:
        """Save as ``config.json`` and ``model.safetensors``, each written whole or not at all.

        Args:
            folder: Where; made when missing.
            dtype: The type of the parameters in the file, such as ``torch.float16``; statistics
                stay as they are, since a variance can exceed what that type holds.

        Raises:
            ModelError: The network is not one of :data:`ign.nn.NETWORKS`.
        """
        kind = type(self.network).__name__
        if NETWORKS.get(kind) is not type(self.network):
            raise ModelError(
                f"a {kind} cannot be saved; networks that can be: {', '.join(NETWORKS)}"
                " (save its state_dict yourself)"
            )
        config = {
            "format": FORMAT,
            "network": {"name": kind, **vars(self.network)["config"]},
            "noise": {"name": self.noise.name},
            "image": dict(zip(("channels", "height", "width"), self.shape, strict=True)),
            "value_range": [-1, 1],
            "distance": distance_name(self.distance),
            "about": self.about,
        }
        if self.calibration is not None:
            config["calibration"] = asdict(self.calibration)
        state = {k: v.detach().cpu().contiguous() for k, v in self.state_dict().items()}
        if dtype is not None:
            state |= {k: state[k].to(dtype) for k, _ in self.named_parameters()}
        folder = Path(folder)
        with atomic(folder / WEIGHTS) as file:
            save_file(state, file)
        with atomic(folder / CONFIG) as file:
            file.write_text(json.dumps(config, indent=2) + "\n")
        return folder

    @classmethod
    def from_pretrained(cls, name: str | Path, device: str | torch.device = "cpu") -> "IGN":
        """Load a model: a path, a packaged name, or ``owner/name`` on the Hub, in this order.

        Nothing in the files is executed: the configuration is JSON whose names are looked up
        in fixed tables, the weights are safetensors.

        Args:
            name: A folder with ``config.json`` and ``model.safetensors``, or a run that holds
                such a folder as ``model``; the name of a packaged model; or a Hub id.
            device: Where the model shall live.

        Raises:
            ModelError: The model is not found, or its files are damaged or not what they say.
        """
        folder = locate(name)
        return cls._load(folder).to(device)

    @classmethod
    def _load(cls, folder: Path) -> "IGN":
        config = read_config(folder / CONFIG)
        try:
            image = config["image"]
            shape = (image["channels"], image["height"], image["width"])
            options = dict(config["network"])
            with torch.device("meta"):
                network = NETWORKS[options.pop("name")](**options)
                noise = NOISES[config["noise"]["name"]](shape)
            model = cls(network, noise, str(config["distance"]), config.get("about"))
            if "calibration" in config:
                model.calibration = Calibration.read(config["calibration"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            what = f"{type(error).__name__}: {error}"
            raise ModelError(f"{folder / CONFIG}: not a model's configuration ({what})") from None
        if getattr(network, "shape", shape) != shape:
            raise ModelError(
                f"{folder / CONFIG}: the network takes {network.shape}, the images are {shape}"
            )
        model.load_state_dict(read_weights(folder / WEIGHTS, model), assign=True)
        return model.eval().requires_grad_(True)
