"""Load training images from any source as one uint8 array, and shuffle them reproducibly."""

__all__ = [
    "Attributes",
    "DataError",
    "ImageSet",
    "check_range",
    "load",
    "load_attributes",
    "load_splits",
    "order",
    "read_image",
    "to_float",
    "to_uint8",
]

from ign.data.attributes import Attributes, load_attributes
from ign.data.decode import read_image
from ign.data.errors import DataError
from ign.data.images import ImageSet, check_range, to_float, to_uint8
from ign.data.loading import load, load_splits
from ign.data.sampling import order
