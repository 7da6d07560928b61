import pytest
import torch

from ign import data


def test_digits_are_split_by_class_and_scaled():
    whole, train, test = (data.load("digits", split=split) for split in ("all", "train", "test"))
    assert (len(whole), whole.shape, whole.names[12]) == (1797, (1, 8, 8), "00012")
    assert sorted(train.names + test.names) == whole.names
    assert whole.images.unique().tolist() == [round(v * 255 / 16) for v in range(17)]
    share = test.labels.bincount() / whole.labels.bincount()
    assert (share - 0.2).abs().max() < 0.005
    assert torch.equal(train.images[5], whole.images[int(train.names[5])])
    assert train.labels[5] == whole.labels[int(train.names[5])]


def test_digits_take_size_gray_limit_and_val():
    images = data.load("digits", split="val", size=16, gray=False, limit=10)
    assert images.images.shape == (10, 3, 16, 16)
    assert (len(images.labels), len(images.names)) == (10, 10)
    assert images.names == data.load("digits", split="test", limit=10).names


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    with pytest.raises(data.DataError, match="pip install scikit-learn"):
        data.load("digits")
