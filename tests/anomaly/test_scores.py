"""Scores on models whose answers are known, and the promise of the threshold."""

import json

import pytest
import torch
from projectors import Half, Projector, images, model

from ign import IGN, ModelError, nn, noise
from ign.anomaly import SCORES, Calibration, score, score_map
from ign.anomaly.calibration import LEVELS


def test_scores_are_the_formulas():
    y = images()
    assert torch.allclose(score(Half(), y), y.abs().flatten(1).mean(1) / 2)
    assert torch.allclose(score(Half(), y, "residual"), y.abs().flatten(1).mean(1) / 4)
    wanted = (y / 2).square().flatten(1).mean(1)
    assert torch.allclose(score(Half(), y, "displacement", "l2"), wanted)
    assert torch.allclose(score(Projector(), y, "residual"), torch.zeros(5), atol=1e-7)
    with pytest.raises(ValueError, match="choose displacement or residual"):
        score(Half(), y, "drift")


@pytest.mark.parametrize(("kind", "part"), [("displacement", 2), ("residual", 4)])
def test_maps_show_where_and_average_to_the_score(kind, part):
    y = images(3, 3, 4, 6)
    found = score_map(Half(), y, kind)
    assert torch.allclose(found, y.abs().mean(1) / part)
    m = model(Half(), 3, 4, 6)
    assert torch.allclose(m.score_map(y, kind, batch_size=2), found)
    assert torch.allclose(found.flatten(1).mean(1), m.score(y, kind))


def scores(n, seed=0):
    drawn = torch.rand(2, n, generator=torch.Generator().manual_seed(seed))
    return dict(zip(SCORES, drawn, strict=True))


def test_the_threshold_is_the_order_statistic():
    found = scores(99)
    made = Calibration.fit(found, 0.05, "clean")
    assert (made.rate, made.images, made.data) == (0.05, 99, "clean")
    for kind in SCORES:
        wanted = found[kind].sort().values[94].item()  # ceil(100 * 0.95) = 95, the 95th
        assert made.thresholds[kind] == pytest.approx(wanted)
        flags = made.flag(found[kind], kind)
        assert flags.sum() == 4
    assert made.flag(torch.tensor([float("nan"), 0.0])).tolist() == [True, False]


def test_the_rate_of_false_positives_is_kept():
    """Of 4,000 draws of 39 clean scores and one more, about 1 in 10 flags the last."""
    flagged = 0
    for seed in range(4000):
        drawn = scores(40, seed)["displacement"]
        made = Calibration.fit(dict.fromkeys(SCORES, drawn[:39]), 0.1)
        flagged += int(made.flag(drawn[39:]))
    assert 0.085 < flagged / 4000 < 0.115


def test_percentiles_count_the_clean_images_below():
    clean = torch.arange(2000) / 2000
    made = Calibration.fit(dict.fromkeys(SCORES, clean))
    asked = torch.tensor([-1.0, 0.0, 0.25, 0.5, 0.999, 2.0])
    found = made.percentile(asked)
    assert torch.allclose(found, torch.tensor([0, 0, 25, 50, 99.9, 100]), atol=0.15)
    assert len(made.quantiles["residual"]) == LEVELS


@pytest.mark.parametrize(
    ("values", "rate", "words"),
    [
        (scores(18), 0.05, "18 clean images are too few for a rate of 0.05; give at least 19"),
        (scores(98), 0.01, "give at least 99"),
        (scores(50), 0.0, "above 0 and below 1"),
        (scores(50), 1.0, "above 0 and below 1"),
        (dict.fromkeys(SCORES, torch.tensor([1.0, float("nan")] * 30)), 0.1, "not finite"),
    ],
)
def test_calibration_that_cannot_be_is_told(values, rate, words):
    with pytest.raises(ValueError, match=words):
        Calibration.fit(values, rate)


def test_the_least_number_of_images_that_is_told_will_do():
    for rate in (0.5, 0.3, 0.1, 0.05, 0.01):
        least = next(n for n in range(1, 200) if _fits(n, rate))
        with (
            pytest.raises(ValueError, match=f"; give at least {least}") if least > 1 else _nothing()
        ):
            Calibration.fit(scores(max(1, least - 1)), rate)


def _fits(n, rate):
    try:
        return Calibration.fit(scores(n), rate) is not None
    except ValueError:
        return False


def _nothing():
    from contextlib import nullcontext

    return nullcontext()


def saved(tmp_path):
    torch.manual_seed(0)
    made = IGN(nn.DCGANAutoencoder(1, 8, 4, "group"), noise.GaussianNoise((1, 8, 8)))
    made.calibration = Calibration.fit(scores(50), 0.1, "clean")
    return made, made.save_pretrained(tmp_path / "model")


def test_a_calibration_travels_with_the_model(tmp_path):
    made, folder = saved(tmp_path)
    again = IGN.from_pretrained(folder).calibration
    assert again == made.calibration
    made.calibration = None
    made.save_pretrained(folder)
    assert IGN.from_pretrained(folder).calibration is None
    assert "calibration" not in json.loads((folder / "config.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: c.pop("rate"),
        lambda c: c.update(extra=1),
        lambda c: c["thresholds"].pop("residual"),
        lambda c: c["quantiles"].update(displacement=[0.0]),
        lambda c: c["thresholds"].update(residual=float("nan")),
        lambda c: c.update(quantiles=None),
        lambda c: c.update(thresholds={"displacement": "high", "residual": 0}),
    ],
)
def test_a_damaged_calibration_is_refused_in_one_line(tmp_path, damage):
    _, folder = saved(tmp_path)
    file = folder / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    damage(config["calibration"])
    file.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match=r"config.json: .*calibration") as caught:
        IGN.from_pretrained(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", SCORES)
def test_one_trajectory_tells_the_same_bits(kind):
    """Score, map and projection, and every kind of score, of no more applications than needed."""
    torch.manual_seed(0)
    network = nn.DCGANAutoencoder(1, 8, 4, "role")
    for p in network.parameters():
        p.data *= 8
    m, y, calls = IGN(network, noise.GaussianNoise((1, 8, 8))), images(5, 1, 8, 8), []
    network.register_forward_hook(lambda *_: calls.append(1))
    seen = m.analyze(y, kind)
    assert len(calls) == SCORES[kind][0]
    every = m.scores(y)
    assert len(calls) == SCORES[kind][0] + 2
    assert torch.equal(seen.score, m.score(y, kind))
    assert torch.equal(every[kind], m.score(y, kind))
    assert torch.equal(seen.map, m.score_map(y, kind))
    assert torch.equal(seen.projected, m.project(y))
    with pytest.raises(ValueError, match="is unknown"):
        m.analyze(y, "novelty")


def test_flags_do_not_depend_on_the_batch_size():
    """Thirty times one image: all have the score of the threshold, but for its last bits."""
    m = IGN.from_pretrained("digits")
    y = m.sample(1, seed=3).expand(30, -1, -1, -1)
    found = {
        kind: torch.stack([m.score(y, kind, size) for size in range(1, 31)]) for kind in SCORES
    }
    assert any((values != values[0]).any() for values in found.values()), "no last bits to test"
    for kind, values in found.items():
        for fitted in (1, 4):
            made = Calibration.fit({k: v[fitted] for k, v in found.items()}, 0.05)
            assert not made.flag(values, kind).any()
            assert made.percentile(values.flatten(), kind).eq(100).all()
            assert made.flag(values + 1e-5, kind).all()


def test_scores_far_above_1_are_compared_relative_to_their_size():
    made = Calibration.fit(dict.fromkeys(SCORES, torch.full((30,), 1000.0)), 0.1)
    assert made.flag(torch.tensor([1000.0005, 1000.01])).tolist() == [False, True]


def test_former_names_warn_and_are_the_new_ones():
    from ign import anomaly

    for former, new in {"Seen": "Analysis", "look": "analyze", "words": "table_rows"}.items():
        with pytest.warns(
            DeprecationWarning, match=f"ign.anomaly.{former} is now ign.anomaly.{new}"
        ):
            assert getattr(anomaly, former) is getattr(anomaly, new)
    m = model(Half())
    with pytest.warns(DeprecationWarning, match=r"IGN\.look is now IGN\.analyze"):
        assert torch.equal(m.look(images()).score, m.score(images()))
    with pytest.raises(AttributeError, match=r"module 'ign.anomaly' has no attribute 'nothing'"):
        _ = anomaly.nothing
