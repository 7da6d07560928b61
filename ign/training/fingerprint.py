"""The images and the configuration of a checkpoint, which a resumed run must share."""

__all__ = ["Provenance", "verify_config", "verify_images"]

from pathlib import Path
from typing import Any

from lightning import Trainer
from lightning.pytorch.callbacks import Callback

from ign.data import ImageSet
from ign.training.options import CHANGEABLE, flatten


class Provenance(Callback):
    """Writes the configuration and the fingerprint of the images into each checkpoint.

    Args:
        config: The configuration, as plain values.
        images: The training images.
    """

    def __init__(self, config: dict[str, Any], images: ImageSet):
        self.config, self.fingerprint = config, images.fingerprint()

    def on_save_checkpoint(self, trainer: Trainer, module: Any, checkpoint: dict[str, Any]) -> None:
        checkpoint["config"], checkpoint["fingerprint"] = self.config, self.fingerprint


def verify_config(content: dict[str, Any], config: dict[str, Any], checkpoint: Path) -> None:
    """Refuse a configuration that differs from the one of a checkpoint.

    Args:
        content: The checkpoint. Checkpoints of version 0.1 have no configuration and are accepted.
        config: The configuration, as plain values.
        checkpoint: The path of the checkpoint, for the message.

    Raises:
        ValueError: A field differs that a resumed run cannot change.
    """
    before, now = flatten(content.get("config", {})), flatten(config)
    for name in before.keys() & now.keys():
        if before[name] != now[name] and name.partition(".")[0] not in CHANGEABLE:
            raise ValueError(
                f"{checkpoint.parent.parent / 'config.yaml'}: {name} is {now[name]}, but"
                f" {checkpoint.name} was trained with {before[name]}; set it back to"
                f" {before[name]}, or start another run with --init"
            )


def verify_images(content: dict[str, Any], images: ImageSet, source: str) -> None:
    """Refuse images that differ from the images that a checkpoint was trained on.

    Args:
        content: The checkpoint. Checkpoints of version 0.1 contain only the shape of the images.
        images: The images.
        source: The source of the images, for the message.

    Raises:
        ValueError: The shape or the pixels differ.
    """
    before, now = content["images"], list(images.images.shape)
    if before != now:
        raise ValueError(
            f"the run was trained on {before} images (number, channels, height, width), but"
            f" {source} holds {now}; give the same images with --data"
        )
    fingerprint = images.fingerprint()
    if content.get("fingerprint", fingerprint) != fingerprint:
        raise ValueError(
            f"the images in {source} are not the images that the run was trained on; give those"
            " with --data, or start another run with --init"
        )
