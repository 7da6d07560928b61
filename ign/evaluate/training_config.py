"""The section of a model card about the training."""

__all__ = ["degradations", "read_training", "training_section"]

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ign.core.text import printable
from ign.model import IGN

NAME = "config.yaml"


def read_training(run: str | Path) -> dict[str, Any]:
    """Read the configuration of a run, without the folders of its author.

    Args:
        run: The folder of the run.

    Raises:
        ValueError: The folder holds no ``config.yaml`` of a run.
    """
    import yaml

    try:
        config = yaml.safe_load((Path(run) / NAME).read_text(encoding="utf-8"))
        config["data"] = Path(config["data"]).name
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{run}: has no {NAME} of a run ({reason})") from None
    except (TypeError, KeyError, AttributeError):
        raise ValueError(f"{run}: has no {NAME} of a run (the file names no data)") from None
    return dict(config)


def degradations(model: IGN, config: Mapping[str, Any] | None) -> str:
    """State in one sentence whether the model was trained on degraded images.

    Args:
        model: The model, whose ``about`` may hold ``denoise``.
        config: The configuration of its training; None if it is not known.
    """
    level = model.about.get("denoise", None if config is None else config.get("denoise", 0))
    if not isinstance(level, int | float):
        return "The model does not record whether it was trained on such noise."
    if level > 0:
        return (
            f"The training added Gaussian noise with a standard deviation of up to {level:g} to"
            " images, and used no other degradation."
        )
    return "No degraded images were used in training."


def training_section(config: Mapping[str, Any] | None) -> str:
    """The section of the card with the command and the configuration of the training."""
    if config is None:
        return "## Training\n\nThe configuration of the training was not given with the model."
    import yaml

    text = yaml.safe_dump(dict(config), sort_keys=False).strip()
    command = f"ign train --config training.yaml --data {shlex.quote(printable(config['data']))}"
    return (
        f"## Training\n\n{fenced(command)}\n\nThe file `training.yaml`:\n\n{fenced(text, 'yaml')}"
    )


def fenced(text: str, language: str = "") -> str:
    """Format text of any content as a block of code in Markdown."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"
