"""What a check says of the samples, and when they stop the run."""

from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from training.runs import TINY, main, rows

from ign.training import Failure, callbacks
from ign.training.check import Check


def checked(tmp_path, diversities, every=500, steps=10**6):
    """What a check reports of these diversities: each sentence, and whether it is always shown."""
    found = []
    images = torch.linspace(-1, 1, 4).reshape(4, 1, 1, 1).expand(4, 1, 2, 2)
    check = Check(tmp_path, images, images, None, every, lambda *said: found.append(said))
    module = SimpleNamespace(
        config=SimpleNamespace(steps=steps), method=SimpleNamespace(remedy="this")
    )
    for i, diversity in enumerate(diversities, 1):
        check._watch(diversity, i * every, module)
    return found


def test_every_check_says_how_the_samples_are(tmp_path):
    found = checked(tmp_path, [0.02, 0.021, 0.1, 0.15, 0.12, 0.5, 0.04, 0.9])
    wanted = [
        "step 500: the samples are all alike (diversity 0.02 of the data's)",
        "step 1000: the samples are still all alike (diversity 0.02 of the data's)",
        "step 1500: the samples begin to differ (diversity 0.10 of the data's, rising)",
        "step 2000: the samples begin to differ (diversity 0.15 of the data's, rising)",
        "step 2500: the samples begin to differ (diversity 0.12 of the data's, falling)",
        "step 3000: the samples differ (diversity 0.50 of the data's)",
        "step 3500: the samples are all alike (diversity 0.04 of the data's), check 1 of 3",
        "step 4000: the samples differ (diversity 0.90 of the data's)",
    ]
    assert all(text.startswith(start) for (text, _), start in zip(found, wanted, strict=True))
    assert [always for _, always in found] == [
        False, True, False, False, False, False, True, False
    ]  # fmt: skip
    assert "stops if 3 checks after step 3,000 find the same" in found[0][0]


@pytest.mark.parametrize(
    ("diversities", "count"),
    [([0.3, 0.0, 0.0, 0.0, 0.0], 4), ([0.1] + [0.0] * 20, 9), ([0.3, 0, 0, 0.06, 0, 0, 0], 7)],
)
def test_rule_is_the_documented_one(diversities, count, tmp_path):
    """Three in a row once they differed, else three in a row after step 3,000."""
    checked(tmp_path, diversities[: count - 1])
    with pytest.raises(Failure, match=f"step {500 * count}: the samples have collapsed"):
        checked(tmp_path, diversities[:count])


def test_states_are_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(callbacks, "SECONDS", 0)
    assert main("train", "digits", *TINY, f"--out={tmp_path / 'run'}") == 0
    err = capsys.readouterr().err
    assert "step 4: the samples are all alike" in err
    assert "step 8: the samples are still all alike" in err
    assert "step 12: the samples are still all alike" in err


def test_images_that_are_all_the_same_have_no_diversity(tmp_path, capsys):
    (tmp_path / "images").mkdir()
    for i in range(16):
        Image.new("L", (8, 8), 77).save(tmp_path / "images" / f"{i}.png")
    words = [*TINY, f"--data={tmp_path / 'images'}", f"--out={tmp_path / 'run'}"]
    assert main("train", "digits", *words) == 0
    assert (
        "the images are all the same, so the diversity is not measured" in capsys.readouterr().err
    )
    assert [row["diversity"] for row in rows(tmp_path / "run")] == [""] * 12
    assert rows(tmp_path / "run")[-1]["drift_train"]
