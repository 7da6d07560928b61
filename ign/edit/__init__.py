"""Editing by projection: between noises, along attributes, under masks."""

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
