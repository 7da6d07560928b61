"""Models as files: saved, loaded, pushed to the Hub."""

__all__ = ["Saved"]

import json
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import torch
from safetensors.torch import save_file
from torch import nn

from ign.anomaly import Calibration
from ign.core.files import atomic
from ign.io import hub
from ign.io.packaged import (
    CONFIG,
    FORMAT,
    WEIGHTS,
    ModelError,
    form,
    locate,
    read_config,
    read_weights,
    shape_in,
)
from ign.nn import NETWORKS, find_network
from ign.noise import NOISES, Noise
from ign.objective.distance import Distance, distance_name


class Saved(nn.Module):
    """The part of :class:`ign.IGN` that is about files.

    The methods are those of ``huggingface_hub.ModelHubMixin`` under the same names. It is not
    derived from: ``import ign`` would import the Hub's client, and its configuration is the
    arguments of ``__init__``, which are modules here.
    """

    network: nn.Module
    noise: Noise
    distance: str | Distance
    about: dict[str, Any]
    calibration: Calibration | None
    shape: Any

    def facts(self) -> dict[str, Any]:
        """What the network, its noise and its training were, by name; texts and numbers."""
        found = {
            "network": type(self.network).__name__,
            **vars(self.network).get("config", {}),
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
        """Save as ``config.json`` and ``model.safetensors``, each written whole or not at all.

        Args:
            folder: Where; made when missing.
            dtype: The type of the parameters in the file, such as ``torch.float16``; statistics
                stay as they are, since a variance can exceed what that type holds.
            push_to_hub: Whether to push what was saved too, with a card.
            repo_id: Where to, ``owner/name``; None for the user's own, named like the folder.
            **options: As in :meth:`push_to_hub`.

        Raises:
            ModelError: The network is not one of :data:`ign.nn.NETWORKS`, or the push failed.
        """
        kind = type(self.network).__name__
        if NETWORKS.get(kind) is not type(self.network):
            raise ModelError(
                f"a {kind} cannot be saved; networks that can be: {', '.join(NETWORKS)}"
                " (put its class into ign.nn.NETWORKS, or save its state_dict yourself)"
            )
        config = {
            "format": FORMAT,
            "network": {"name": kind, **vars(self.network)["config"]},
            "noise": {"name": self.noise.name},
            **form(self.shape),
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
            file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
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
            repo_id: ``owner/name``; the repository is made where it is missing.
            commit_message: The commit's message.
            private: Whether a new repository is private; None for what the owner's settings say.
            token: The user's token; None for the one of ``hf auth login`` or ``HF_TOKEN``.
            branch: The branch, made where it is missing; None for the main one.
            create_pr: Whether to open a pull request instead.
            dtype: As in :meth:`save_pretrained`.
            model_card_kwargs: Arguments of :func:`ign.evaluate.card.write`, such as ``results``.

        Returns:
            The address of the commit.

        Raises:
            ModelError: The network cannot be saved, the Hub cannot be reached, or it refuses.
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

        Nothing in the files is executed: the configuration is JSON whose names are looked up
        in fixed tables, the weights are safetensors. From the Hub these two files are fetched
        and nothing else, both of one commit.

        Args:
            name: A folder with ``config.json`` and ``model.safetensors``, or a run that holds
                such a folder as ``model``; the name of a packaged model; or a Hub id, on wish
                with its revision, ``owner/name@revision``.
            device: Where the model shall live.
            revision: A branch, tag or commit on the Hub; None for the main branch.
            cache_dir: The Hub's cache; None for its own place (``HF_HOME``).
            token: The user's token; None for the one of ``hf auth login`` or ``HF_TOKEN``.
            local_files_only: Whether to look into the cache alone.
            force_download: Whether to fetch what is in the cache again.

        Raises:
            ModelError: The model is not found, or its files are damaged or not what they say.
        """
        folder = locate(
            name, revision, cache_dir=cache_dir, token=token,
            local_files_only=local_files_only, force_download=force_download,
        )  # fmt: skip
        try:
            return cls._load(folder).to(device)
        except ModelError as error:
            if Path(name).exists() or not hub.parse_name(str(name)):
                raise
            advice = f"in Python: force_download=True; else delete {folder.parent.parent}"
            raise ModelError(f"{error}; {advice}") from None

    @classmethod
    def _load(cls, folder: Path) -> Self:
        config = read_config(folder / CONFIG)
        try:
            shape = shape_in(config)
            options = dict(config["network"])
            with torch.device("meta"):
                network = find_network(options.pop("name"))(**options)
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
        weights = read_weights(folder / WEIGHTS, model)
        model.to_empty(device="cpu").load_state_dict(weights)
        return model.eval().requires_grad_(True)
