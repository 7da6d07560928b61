"""The model: a network, its noise and its image format, saved and loaded as one."""

__all__ = ["BATCH", "IGN", "ModelError"]

import math
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import torch
from torch import Tensor, nn

from ign.anomaly import Calibration
from ign.core.errors import ModelError
from ign.inference import BATCH, Inference
from ign.io import format, hub, packaged, weights
from ign.noise import Noise
from ign.objective.distance import Distance, distance_name


class IGN(Inference):
    r"""An Idempotent Generative Network: f, the noise that it projects, and the image format.

    ``model(x)`` is f(x), in the mode and with the gradients of any module. The other methods are
    inference: they run in evaluation mode, without gradients, on the model's device and in its
    dtype. An image does not depend on the rest of its batch (within 1e-5 in float32).

    Where a method takes images, it takes (B, C, H, W) or one image (C, H, W) in [-1, 1], or (H, W)
    if C is 1, as a tensor or a NumPy array; also a PIL image or a list of images. Images of uint8
    are converted from [0, 255] to [-1, 1]. For one image, the result has no batch dimension.

    Args:
        network: The network f, any module that keeps the shape (B, C, H, W). To be saved, its
            class must be in :data:`ign.nn.NETWORKS`.
        noise: The noise; its shape (C, H, W) is the image format. Another shape, such as (D,),
            makes a model of such samples instead of images.
        distance: D of the drift, as in :class:`ign.objective.IGNObjective`.
        about: Facts about the training, which are saved in ``config.json``.

    Attributes:
        last_seed: The seed of the last samples; with ``seed=None`` a new one is drawn.

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
        self.last_seed: int | None = None
        self._calibration: Calibration | None = None
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        """f(x), (B, C, H, W) to the same: the network as it is, in training or evaluation mode."""
        y: Tensor = self.network(x)
        return y

    @property
    def value_range(self) -> tuple[float, float] | None:
        """The values that are black and white in images of more than 8 bits; None to find them.

        It is the range of the training images (:func:`ign.data.load`), saved in ``about``.
        """
        found = self.about.get("value_range")
        if not isinstance(found, list | tuple) or len(found) != 2:
            return None
        if not all(isinstance(v, int | float) and math.isfinite(v) for v in found):
            return None
        low, high = map(float, found)
        return (low, high) if low < high else None

    @property
    def load_options(self) -> dict[str, Any]:
        """The arguments of :func:`ign.data.load` with which it gives images of the model's form."""
        channels, _, width = self.shape
        return {"size": width, "gray": channels == 1, "value_range": self.value_range}

    @property
    def calibration(self) -> Calibration | None:
        """The result of :meth:`ign.anomaly.Calibration.fit` on clean images, saved with the model.

        Setting the calibration binds it to the current weights.

        Raises:
            ValueError: The calibration was made with other weights.
        """
        return self._calibration

    @calibration.setter
    def calibration(self, value: Calibration | None) -> None:
        if value is not None:
            found = weights.fingerprint(self.state_dict())
            if value.weights not in ("", found):
                raise ValueError("this calibration was made with other weights; fit it again")
            value = replace(value, weights=found)
        self._calibration = value

    def facts(self) -> dict[str, Any]:
        """The network, its noise and its training as names with numbers and strings."""
        config = getattr(self.network, "config", {})
        found = {
            "network": type(self.network).__name__,
            **(config if isinstance(config, dict) else {}),
            "parameters": sum(p.numel() for p in self.network.parameters()),
            "noise": self.noise.name,
            "distance": distance_name(self.distance),
            **self.about,
        }
        if known := self.calibration:
            found["calibration"] = f"{known.rate:.1%} of {known.images:,} images of {known.data}"
        return found

    def save_pretrained(
        self,
        folder: str | Path,
        dtype: torch.dtype | None = None,
        *,
        push_to_hub: bool = False,
        repo_id: str | None = None,
        **options: Any,
    ) -> Path:
        """Save as ``config.json`` and ``model.safetensors``, as :func:`ign.io.format.save`.

        Args:
            folder: The folder, which is created if it does not exist.
            dtype: The type of the parameters in the file, such as ``torch.float16``.
            push_to_hub: Whether to also push the model to the Hub, with a card.
            repo_id: The repository, ``owner/name``; None for your own, named like the folder.
            **options: As in :meth:`push_to_hub`.

        Returns:
            The folder.

        Raises:
            ModelError: The network cannot be saved, or the push failed.
        """
        parts = format.Parts(self.network, self.noise, self.distance, self.about, self.calibration)
        folder = format.save(folder, parts, dtype)
        if push_to_hub:
            self.push_to_hub(repo_id or folder.resolve().name, dtype=dtype, **options)
        return folder

    def push_to_hub(
        self,
        repo_id: str,
        *,
        commit_message: str = "Push model using ign",
        private: bool | None = None,
        token: str | bool | None = None,
        branch: str | None = None,
        create_pr: bool | None = None,
        dtype: torch.dtype | None = None,
        model_card_kwargs: dict[str, Any] | None = None,
    ) -> str:
        """Push the model to the Hub in one commit: its two files, ``README.md`` and its pictures.

        Args:
            repo_id: ``owner/name``; the repository is created if it does not exist.
            commit_message: The commit's message.
            private: Whether a new repository is private; None for the owner's default.
            token: The user's token; None for the one of ``hf auth login`` or ``HF_TOKEN``.
            branch: The branch, which is created if it does not exist; None for the main branch.
            create_pr: Whether to open a pull request instead.
            dtype: As in :meth:`save_pretrained`.
            model_card_kwargs: Arguments of :func:`ign.evaluate.card.write`, such as ``results``.

        Returns:
            The address of the commit.

        Raises:
            ModelError: The network cannot be saved, or the Hub cannot be reached or refuses the
                push.
        """
        with TemporaryDirectory() as name:
            folder = self.save_pretrained(Path(name) / "model", dtype)
            given = {"name": repo_id} | (model_card_kwargs or {})
            import_module("ign.evaluate.card").write(self, folder, **given)
            try:
                return hub.upload(
                    folder, repo_id, commit_message, private, token, branch, create_pr
                )
            except hub.HubError as error:
                raise ModelError(f"push to {repo_id!r}: {error}") from None

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        device: str | torch.device = "cpu",
        *,
        revision: str | None = None,
        cache_dir: str | Path | None = None,
        token: str | bool | None = None,
        local_files_only: bool = False,
        force_download: bool = False,
    ) -> Self:
        """Load a model: a path, a packaged name, or ``owner/name`` on the Hub, in this order.

        Nothing in the files is executed, as described in :mod:`ign.io.format`. From the Hub, the
        two files are fetched and nothing else, both of one commit.

        Args:
            name: A folder with ``config.json`` and ``model.safetensors``, or a run that holds
                such a folder as ``model``; the name of a packaged model; or an id on the Hub,
                with or without a revision, ``owner/name@revision``.
            device: The device to load the model to.
            revision: A branch, tag or commit on the Hub; None for the main branch.
            cache_dir: The Hub's cache; None for the default (``HF_HOME``).
            token: The user's token; None for the one of ``hf auth login`` or ``HF_TOKEN``.
            local_files_only: Whether to use the cache only.
            force_download: Whether to download files again that are in the cache.

        Raises:
            ModelError: The model is not found, or its files are damaged or do not fit together.

        Warns:
            UserWarning: The file's calibration was made with other weights, and is ignored.
        """
        folder = packaged.locate(
            name, revision, cache_dir=cache_dir, token=token,
            local_files_only=local_files_only, force_download=force_download,
        )  # fmt: skip
        try:
            parts = format.load(folder)
        except ModelError as error:
            if Path(name).exists() or not hub.parse_name(str(name)):
                raise
            advice = f"in Python: force_download=True; otherwise delete {folder.parent.parent}"
            raise ModelError(f"{error}; {advice}") from None
        model = cls(parts.network, parts.noise, parts.distance, parts.about)
        model._calibration = parts.calibration
        return model.to(device)
