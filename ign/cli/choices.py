"""The names that help texts show, so that showing help need not import PyTorch.

A test compares them with the objects that they name.
"""

__all__ = [
    "DATA",
    "DEGRADATIONS",
    "EXPORT_FORMATS",
    "INTERPOLATIONS",
    "MASKS",
    "SCORES",
    "SPLITS",
    "TOPS",
    "packaged_models",
]

from pathlib import Path

MODELS = Path(__file__).parents[1] / "models"
DATA = ("digits", "mnist", "fashion-mnist")
DEGRADATIONS = (
    "noise",
    "gray",
    "sketch",
    "blur",
    "downsample",
    "jpeg",
    "saltpepper",
    "half",
    "rectangle",
    "brush",
)
MASKS = ("half", "rectangle", "brush")
SCORES = ("displacement", "residual")
TOPS = ("max", "top", "mean")
SPLITS = ("train", "val", "test", "all")
INTERPOLATIONS = ("linear", "spherical")
EXPORT_FORMATS = {"onnx": ".onnx", "torch": ".pt2"}


def packaged_models() -> list[str]:
    """The names of the models that come with the package."""
    return sorted(path.parent.name for path in MODELS.glob("*/config.json"))
