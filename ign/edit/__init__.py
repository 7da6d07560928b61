"""Editing by projection: interpolation of noise, attribute arithmetic, and inpainting."""

from ign.edit.latent import (
    METHODS,
    arithmetic,
    between,
    exemplars,
    find_exemplars,
    interpolate,
)
from ign.edit.masked import composite, inpaint

__all__ = [
    "METHODS",
    "arithmetic",
    "between",
    "composite",
    "exemplars",
    "find_exemplars",
    "inpaint",
    "interpolate",
]
