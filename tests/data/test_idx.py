import gzip

import numpy as np
import pytest

from ign import data
from ign.data.idx import read_idx


def idx(values: np.ndarray) -> bytes:
    return (
        bytes((0, 0, 8, values.ndim)) + np.array(values.shape, ">u4").tobytes() + values.tobytes()
    )


def write(folder, stem="train", n=12, size=(6, 6), labels=True, pack=True):
    folder.mkdir(parents=True, exist_ok=True)
    images = np.random.default_rng(n).integers(0, 256, (n, *size), np.uint8)
    for name, values in (("images-idx3", images), ("labels-idx1", np.arange(n, dtype=np.uint8))):
        if labels or name.startswith("images"):
            path = folder / f"{stem}-{name}-ubyte{'.gz' * pack}"
            path.write_bytes(gzip.compress(idx(values)) if pack else idx(values))
    return images


@pytest.mark.parametrize("pack", [True, False])
def test_a_folder_of_idx_files_has_its_splits(tmp_path, pack):
    train = write(tmp_path, "train", 12, pack=pack)
    test = write(tmp_path, "t10k", 5, pack=pack)
    images = data.load(tmp_path)
    assert (images.images.numpy()[:, 0] == train).all()
    assert images.labels.tolist() == list(range(12))
    assert images.names[:2] == ["00000", "00001"]
    assert (data.load(tmp_path, split="val").images.numpy()[:, 0] == test).all()
    assert data.load(tmp_path, split="all").labels.tolist() == [*range(12), *range(5)]
    assert len(data.load(tmp_path, limit=3).labels) == 3


def test_a_folder_called_raw_and_dotted_names_are_found(tmp_path):
    write(tmp_path / "raw", labels=False)
    (tmp_path / "raw/train-images-idx3-ubyte.gz").rename(
        tmp_path / "raw/train-images.idx3-ubyte.gz"
    )
    assert data.load(tmp_path).labels is None


def test_images_need_not_be_square(tmp_path):
    write(tmp_path, size=(4, 6))
    assert data.load(tmp_path).shape == (1, 4, 6)
    assert data.load(tmp_path, size=8, gray=False).shape == (3, 8, 8)


def test_a_split_that_is_not_there_is_named(tmp_path):
    write(tmp_path, "train")
    with pytest.raises(data.DataError, match="has no split 'test'; it has train, all"):
        data.load(tmp_path, split="test")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda b: gzip.compress(b)[:-20], "truncated"),
        (lambda b: gzip.compress(b[:-1]), "announces 12 x 6 x 6 bytes and 431 follow"),
        (lambda b: gzip.compress(b + b"x"), "and more follow"),
        (lambda b: gzip.compress(b[:9]), "truncated or damaged"),
        (lambda b: gzip.compress(b"\0\0\x0d\x03" + b[4:]), "does not hold bytes"),
        (lambda b: gzip.compress(b)[:30] + bytes(30) + gzip.compress(b)[60:], "damaged"),
        (lambda b: b, "cannot be read"),
        (lambda b: b"", "does not hold bytes"),
        (lambda b: gzip.compress(idx(np.zeros((0, 6, 6), np.uint8))), "holds no images"),
    ],
)
def test_damaged_files_are_named_with_a_reason(tmp_path, spoil, why):
    content = idx(write(tmp_path))
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(spoil(content))
    with pytest.raises(data.DataError, match=why) as caught:
        data.load(tmp_path)
    assert str(path) in str(caught.value)


def test_labels_must_be_as_many_as_images(tmp_path):
    write(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.zeros(9, np.uint8))))
    with pytest.raises(data.DataError, match="9 labels for 12 images"):
        data.load(tmp_path)


def test_dimensions_are_checked(tmp_path):
    (tmp_path / "x").write_bytes(idx(np.zeros((2, 2), np.uint8)))
    assert read_idx(tmp_path / "x", 2).shape == (2, 2)
    with pytest.raises(data.DataError, match="3 dimensions"):
        read_idx(tmp_path / "x", 3)


def test_real_mnist(real):
    train, test = data.load(real / "mnist"), data.load(real / "mnist", split="test")
    assert (train.images.shape, test.images.shape) == ((60000, 1, 28, 28), (10000, 1, 28, 28))
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert round(train.images.double().mean().item(), 2) == 33.32
