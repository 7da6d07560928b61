"""The 1,797 handwritten digits of 8x8 pixels that come with scikit-learn."""

__all__ = ["load_digits"]

import numpy as np
from numpy.typing import NDArray

from ign.data.errors import DataError
from ign.data.splits import select_split


def load_digits(split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[int]]:
    """Load the images, (N, 8, 8), their labels, (N,), and their indices in the whole data set.

    The test split contains every fifth image of each class, beginning with the first.

    Raises:
        DataError: scikit-learn is not installed.
    """
    try:
        from sklearn import datasets
    except ImportError:
        raise DataError("data 'digits' comes with scikit-learn: pip install scikit-learn") from None
    values, labels = datasets.load_digits(return_X_y=True)
    images = np.rint(values * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8)
    test = np.zeros(len(labels), bool)
    for label in range(10):
        test[np.flatnonzero(labels == label)[::5]] = True
    parts = {"train": np.flatnonzero(~test).tolist(), "test": np.flatnonzero(test).tolist()}
    places = list(range(len(labels))) if split == "all" else select_split(parts, split, "digits")
    return images[places], labels[places].astype(np.uint8), places
