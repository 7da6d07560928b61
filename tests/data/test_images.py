import numpy as np
import pytest
import torch

from ign.data import ImageSet, to_float, to_uint8

LEVELS = torch.arange(256, dtype=torch.uint8)


def some(n: int = 5) -> ImageSet:
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (n, 3, 4, 6), np.uint8))
    return ImageSet(images, torch.arange(n), [str(i) for i in range(n)], "test")


def test_levels_survive_the_way_to_float_and_back():
    x = to_float(LEVELS)
    assert x.dtype == torch.float32
    assert (x[0], x[-1]) == (-1, 1)
    assert torch.equal(to_uint8(x), LEVELS)


def test_levels_survive_half_precision_to_within_one():
    back = to_uint8(to_float(LEVELS).half())
    assert (back.int() - LEVELS.int()).abs().max() <= 1


def test_to_uint8_rounds_and_clamps():
    x = torch.tensor([-3.0, -1.0, 0.6 / 127.5 - 1, 0.4 / 127.5 - 1, 254.6 / 127.5 - 1, 1.0, 9.0])
    assert to_uint8(x).tolist() == [0, 0, 1, 0, 255, 255, 255]


def test_conversions_leave_their_input_alone():
    x, levels = torch.zeros(3), LEVELS.clone()
    to_uint8(x)
    to_float(levels)
    assert torch.equal(x, torch.zeros(3))
    assert torch.equal(levels, LEVELS)


@pytest.mark.parametrize(("convert", "x"), [(to_float, torch.zeros(2)), (to_uint8, LEVELS)])
def test_conversions_refuse_the_other_type(convert, x):
    with pytest.raises(ValueError, match="takes"):
        convert(x)


def test_batch_gathers_and_mirrors():
    images = some()
    index, flip = torch.tensor([4, 0, 4]), torch.tensor([True, False, False])
    batch = images.batch(index, flip)
    assert batch.shape == (3, *images.shape)
    assert torch.equal(batch[1:], to_float(images.images[[0, 4]]))
    assert torch.equal(batch[0], to_float(images.images[4]).flip(-1))
    assert torch.equal(images.batch(index), to_float(images.images[index]))


def test_set_tells_its_shape_and_moves():
    images = some()
    moved = images.to("meta")
    assert (images.shape, len(images)) == ((3, 4, 6), 5)
    assert moved.images.device.type == moved.labels.device.type == "meta"
    assert images.images.device.type == "cpu"
    assert moved.names == images.names


def test_the_fingerprint_counts_every_pixel_and_the_order(monkeypatch):
    images = some(50)
    first = images.fingerprint()
    assert first == "98542f61821db90fbbd4d8c93461da26"
    monkeypatch.setattr("ign.data.images.HASHED", 100)
    assert images.fingerprint() == first
    for change in (
        lambda x: x.flip(0),
        lambda x: x[:-1],
        lambda x: x.reshape(50, 3, 6, 4),
        lambda x: torch.cat([x[:-1], x[-1:] ^ (torch.arange(72).view(1, 3, 4, 6) == 71).byte()]),
    ):
        assert ImageSet(change(images.images), None, [], "x").fingerprint() != first
    assert ImageSet(images.images.clone(), None, [], "elsewhere").fingerprint() == first


def test_images_are_read_by_their_number():
    images = some()
    assert torch.equal(images[3], to_float(images.images[3]))
    assert images[-1].shape == (3, 4, 6)
    assert torch.equal(images[1:3], to_float(images.images[1:3]))
    assert torch.equal(images[torch.tensor([4, 0])], images.batch(torch.tensor([4, 0])))
    assert len(list(images)) == 5
    with pytest.raises(IndexError):
        images[5]


def test_a_data_loader_reads_a_set_as_it_is():
    images = some(7)
    batches = list(torch.utils.data.DataLoader(images, batch_size=3))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert torch.equal(torch.cat(batches), images.batch(torch.arange(7)))
