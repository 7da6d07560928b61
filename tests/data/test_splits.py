import pytest

from ign.data import DataError
from ign.data.files import File
from ign.data.splits import by_folder, held_out, select_split, split_of


def files(*names):
    return [File(name, name, 0, 0) for name in names]


@pytest.mark.parametrize(
    ("n", "least", "most"), [(1, 0, 0), (2, 1, 1), (1000, 30, 75), (30000, 1000, 1000)]
)
def test_five_percent_are_held_out_but_one_at_least_and_a_thousand_at_most(n, least, most):
    assert least <= len(held_out([f"{i}.png" for i in range(n)])) <= most


def test_what_is_held_out_stays_so_when_files_are_added():
    out = {n: held_out([f"{i}.png" for i in range(n)]) for n in (100, 300, 1000, 4000)}
    for n, names in out.items():
        assert names == {name for name in out[4000] if int(name[:-4]) < n}


def test_folders_named_after_splits_are_the_splits():
    found = files("d/train/1.png", "d/train/x/2.png", "d/valid/3.png", "d/Test/4.png", "d/5.png")
    parts = by_folder(found)
    assert {part: [file.name[-5] for file in of] for part, of in parts.items()} == {
        "train": ["1", "2"], "val": ["3"], "test": ["4"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "names", [("train/1.png", "train/2.png"), ("a.png", "train/1.png"), ("a/1.png",)]
)
def test_one_folder_called_train_is_no_split(names):
    assert by_folder(files(*names)) is None


def test_val_and_test_stand_for_each_other_where_there_is_one():
    parts = {"train": [1, 2], "val": [], "test": [3]}
    assert select_split(parts, "val", "x") == select_split(parts, "test", "x") == [3]
    assert select_split(parts, "all", "x") == [1, 2, 3]
    with pytest.raises(DataError, match="'x' has no split 'train'; it has val, all"):
        select_split({"train": [], "val": [1]}, "train", "x")
    with pytest.raises(DataError, match="it contains no images"):
        select_split({"train": [], "val": []}, "all", "x")


def test_the_last_word_of_a_zip_name_counts():
    found = [
        split_of(stem) for stem in ("celeba64-train", "latest-train", "MyVal", "test_1", "faces")
    ]
    assert found == ["train", "train", "val", "test", None]
