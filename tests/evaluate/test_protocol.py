"""The protocol: its numbers are those of the definitions, and no other images slip in."""

import json
import re

import pytest
import torch

from ign import IGN, evaluate, nn, noise
from ign.data import to_float, to_uint8
from ign.evaluate import (
    FeatureNet,
    Reference,
    default_net,
    frechet_distance,
    inception_score,
    kernel_distance,
    manifold,
    report,
)
from ign.evaluate.alarms import alarms
from ign.evaluate.comparison import bars, compare, scatter
from ign.evaluate.sampling import draw_samples


def small(kind="classes", seed=0):
    torch.manual_seed(seed)
    net = FeatureNet(["a", "b", "c"], kind, 1, 8, [(4, 2), (6, 2)], 5).eval()
    net.name, net.hash = "small", f"{kind}{seed}"
    return net


@pytest.fixture(scope="module")
def found(model, digits, tmp_path_factory):
    real, train = digits
    return evaluate.evaluate(
        model, real, train, samples=400, features=small(), seed=3, tolerance=0.1,
        cache=tmp_path_factory.mktemp("cache"),
    )  # fmt: skip


def row(found, name):
    return next(row for row in found.results["rows"] if row["name"] == name)


def test_samples_are_the_model_s_rounded_and_in_evaluation_mode(found, model):
    for k in (1, 2):
        wanted = to_uint8(model.sample(400, k, seed=3))
        assert (found.samples[k].int() - wanted.int()).abs().max() <= 1
        assert (found.samples[k] != wanted).double().mean() < 1e-3


def test_measures_of_samples_are_those_of_their_features(found, digits):
    net, real = small(), digits[0]
    x = net.features(to_float(real.images))
    y = net.features(to_float(found.samples[2]))
    p = net.logits(to_float(found.samples[2])).softmax(1)
    measured = row(found, "f(f(z))")
    assert measured["images"] == 400
    assert measured["frechet"] == pytest.approx(frechet_distance(y, x), rel=1e-4)
    kernel = kernel_distance(y, x, 100, 1000, 3)
    assert (measured["kernel"], measured["kernel_std"]) == pytest.approx(kernel, rel=1e-3)
    for name, value in manifold(x, y)._asdict().items():
        assert measured[name] == pytest.approx(value, abs=0.01)
    score = measured["inception_score"], measured["inception_score_std"]
    assert score == pytest.approx(inception_score(p), rel=1e-4)
    shares = p.argmax(1).bincount(minlength=3) / 400
    assert measured["classes"] == pytest.approx(shares.tolist(), abs=0.006)
    others = row(found, "held-out images")["classes"]
    off = sum(abs(a - b) for a, b in zip(measured["classes"], others, strict=True)) / 2
    assert measured["class_distance"] == pytest.approx(off)


def test_drifts_are_mean_absolute_differences(found, model, digits):
    z = model.latents(torch.arange(400), 3)
    one, two, three = model.sample_trajectory(400, [1, 2, 3], seed=3)

    def l1(a, b):
        return (a - b).abs().flatten(1).mean(1)

    real = to_float(digits[0].images)
    wanted = {
        "noise": l1(one, z), "f(z)": l1(two, one), "f(f(z))": l1(three, two),
        "held-out images": l1(model.project(real), real),
    }  # fmt: skip
    for name, drift in wanted.items():
        assert torch.allclose(found.drifts[name], drift, atol=1e-5)
        still = (drift < 0.1).double().mean().item()
        assert row(found, name)["drift"] == pytest.approx(drift.mean().item(), rel=1e-4)
        assert row(found, name)["still"] == pytest.approx(still, abs=0.01)


def test_training_images_stand_beside_the_samples(found):
    training, samples = row(found, "training images"), row(found, "f(z)")
    assert training["images"] == samples["images"]
    assert training["frechet"] < samples["frechet"] / 10
    assert training["precision"] > samples["precision"]
    assert training["diversity"] == pytest.approx(1, abs=0.05)
    assert "nearest_ratio" not in training


def test_copies_are_the_first_samples_and_their_neighbours(found, digits):
    samples, nearest = found.copies[1]
    assert torch.equal(samples, found.samples[1][:12])
    table = torch.cdist(
        to_float(samples).flatten(1).double(), to_float(digits[1].images).flatten(1).double()
    )
    assert torch.equal(nearest, digits[1].images[table.argmin(1)])


def test_results_say_what_defines_them(found, model, digits):
    results = json.loads(json.dumps(found.results, allow_nan=False))
    protocol = results["protocol"]
    assert protocol["features"] == {
        "name": "small", "sha256": "classes0", "dimensions": 5, "classes": ["a", "b", "c"],
    }  # fmt: skip
    assert (protocol["samples"], protocol["seed"], protocol["neighbours"]) == (400, 3, 5)
    assert protocol["kernel"] == {"subsets": 100, "size": 1000}
    assert protocol["real"]["images"] == len(digits[0])
    assert len(protocol["real"]["sha256"]) == len(results["model"]["sha256"]) == 64
    assert [row["name"] for row in results["rows"]] == [
        "f(z)", "f(f(z))", "training images", "held-out images", "noise",
    ]  # fmt: skip
    assert results["about"].keys() >= {"processor", "cores", "device", "torch", "ign", "command"}
    (warning,) = results["warnings"]
    assert warning.startswith(f"400 samples and {len(digits[0])} real images: under 2,048")


def test_without_training_images_and_classes(model, digits):
    found = evaluate.evaluate(
        model, to_float(digits[0].images), samples=50, applications=[3],
        features=small("attributes"),
    )  # fmt: skip
    assert [r["name"] for r in found.results["rows"]] == [
        "f(f(f(z)))", "held-out images", "noise",
    ]  # fmt: skip
    assert "classes" not in found.results["protocol"]["features"]
    assert not found.copies
    assert (
        found.results["rows"][0].keys().isdisjoint({"nearest_ratio", "classes", "inception_score"})
    )


def test_the_same_again(found, model, digits):
    again = evaluate.evaluate(
        model, *digits, samples=400, features=small(), seed=3, tolerance=0.1, batch_size=37
    )
    for before, after in zip(found.results["rows"], again.results["rows"], strict=True):
        assert after.keys() == before.keys()
        for key in before.keys() & {"frechet", "kernel", "drift", "diversity"}:
            assert after[key] == pytest.approx(before[key], rel=1e-2, abs=1e-6)
    assert again.results["protocol"] == found.results["protocol"]


def test_real_images_against_themselves(digits):
    reference = Reference(digits[0], digits[0], small())
    measured = reference.measure(digits[0].images[torch.randperm(len(digits[0]))])
    assert measured["frechet"] < 1e-9
    assert (measured["precision"], measured["recall"], measured["coverage"]) == (1, 1, 1)
    assert measured["class_distance"] == 0
    assert measured["diversity"] == pytest.approx(1, abs=0.05)


def test_copies_and_their_ratio(digits):
    real, train = digits
    reference = Reference(real, train, small())
    assert reference.nearest_training(train.images[:300])[0] == 0
    assert reference.nearest_training(real.images)[0] == pytest.approx(1)


@pytest.mark.parametrize("repeated", [0.5, 1.0])
def test_copies_raise_the_alarm_when_held_out_images_repeat_training_images(digits, repeated):
    """The ratio is to the nearest image that differs, and the repetition is reported."""
    real, train = digits
    count = int(repeated * len(real))
    held_out = torch.cat([train.images[:count], real.images[count:]])
    reference = Reference(to_float(held_out), train, small())
    ratio = reference.nearest_training(train.images[500:800])[0]
    assert ratio == 0
    assert reference.nearest_training(real.images)[0] == pytest.approx(1, abs=0.15)
    (warning,) = reference.warnings()
    assert warning.startswith(f"{count:,} of {len(real):,} held-out images are equal to a training")
    row = {"diversity": 1.0, "nearest_ratio": ratio}
    assert any(alarm.startswith("copies") for alarm in alarms(row, {"diversity": 1}))
    assert not Reference(real, train, small()).warnings()


def test_constant_images_have_no_ratios(digits):
    """Nothing is divided by zero, and the results say which ratio is missing."""
    constant = torch.zeros(20, 1, 8, 8) - 0.5
    reference = Reference(constant, constant, small())
    assert reference.nearest_training(digits[0].images)[0] is None
    row = reference.measure(digits[0].images)
    assert row["diversity"] is None
    assert not alarms({**row, "nearest_ratio": None}, row, ["a", "b", "c"])[1:]
    joined = "\n".join(reference.warnings())
    assert "20 of 20 held-out images are equal to a training image" in joined
    assert "no nearest ratio" in joined
    assert "no diversity ratio" in joined


def test_a_drift_at_the_tolerance_does_not_depend_on_its_last_bits(model, digits):
    """The tolerance is the drift of an image itself, once rounded up and once down."""
    drift = model.drift(to_float(digits[0].images[:1]), 1, "l1").double().item()
    shares = []
    for tolerance in (drift * (1 - 1e-7), drift, drift * (1 + 1e-7), drift * (1 + 1e-3)):
        found = evaluate.evaluate(
            model, to_float(digits[0].images[:1]).expand(6, -1, -1, -1), samples=20,
            features=small(), neighbours=3, tolerance=tolerance,
        )  # fmt: skip
        shares.append(row(found, "held-out images")["still"])
    assert shares == [0, 0, 0, 1]


MISTAKES = {
    "real images in [0, 1]": (lambda x: {"real": to_float(x) / 2 + 0.5}, r"in \[-1, 1\]"),
    "bytes": (lambda x: {"real": x}, "real images are torch.uint8"),
    "NaN": (lambda x: {"real": to_float(x) * torch.nan}, "number 0 holds NaN"),
    "another shape": (lambda x: {"real": torch.zeros(9, 3, 8, 8) - 1}, r"\(3, 8, 8\); this model"),
    "another for training": (lambda x: {"train": torch.zeros(9, 1, 9, 9) - 1}, "training images"),
    "fewer samples than k": (lambda x: {"samples": 5}, "neighbours 5 must be .* 5 samples"),
    "fewer real images": (lambda x: {"real": to_float(x[:4])}, "4 real images"),
    "no tolerance": (lambda x: {"tolerance": 0}, "tolerance 0 must be above 0"),
    "no application": (lambda x: {"applications": [0]}, "applications must be 1 or more"),
    "no net of this form": (lambda x: {"features": None}, r"images of \(1, 8, 8\) \(faces for"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_refused(model, digits, mistake):
    change, words = MISTAKES[mistake]
    given = {"real": digits[0], "samples": 20, "features": small()} | change(digits[0].images)
    with pytest.raises(ValueError, match=words):
        evaluate.evaluate(model, **given)


def test_only_bytes_are_measured(digits):
    with pytest.raises(ValueError, match="give uint8"):
        Reference(digits[0], None, small()).measure(to_float(digits[0].images))


def test_samples_with_nan_are_an_error(model, digits):
    class Broken(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return x.tanh().masked_fill((x.flatten(1)[:, :1] > 2)[..., None, None], torch.nan)

    with pytest.raises(ValueError, match=r"f\(z\): number \d+ holds NaN or infinity"):
        draw_samples(IGN(Broken(), model.noise), 500)


def test_default_nets_are_for_images_of_exactly_their_form():
    assert default_net((1, 28, 28)) == "mnist"
    assert default_net((3, 64, 64)) == "faces"
    for shape in ((1, 64, 64), (3, 28, 28), (3, 128, 128)):
        with pytest.raises(
            ValueError, match=r"mnist for .*choose a net by name, such as inception"
        ):
            default_net(shape)


REAL = {"classes": [0.5, 0.3, 0.2], "diversity": 1}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"classes": [0.5, 0.3, 0.2], "diversity": 0.9, "nearest_ratio": 1.0}, None),
        ({"classes": [0.78, 0.19, 0.03], "diversity": 0.9}, None),
        ({"classes": [0.8, 0.19, 0.01], "diversity": 0.9}, r"samples of 'c' \(1.0% of 20.0%\)"),
        ({"diversity": 0.4}, "diversity is 0.40"),
        ({"diversity": 0.9, "nearest_ratio": 0.2}, "copies"),
        ({"diversity": None, "nearest_ratio": None}, None),
    ],
)
def test_alarms(row, words):
    found = alarms(row, REAL, ["a", "b", "c"])
    assert len(found) == (words is not None)
    if words:
        assert re.search(words, found[0])


def test_a_collapsed_model_raises_the_alarm(model, digits):
    class Constant(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(to_float(digits[1].images[:1]))

        def forward(self, x):
            return self.w.expand(len(x), -1, -1, -1)

    found = evaluate.evaluate(IGN(Constant(), model.noise), *digits, samples=50, features=small())
    once = [alarm for alarm in found.results["alarms"] if alarm.startswith("f(z): ")]
    assert any("collapse: hardly any samples of" in alarm for alarm in once)
    assert any("the diversity is 0.00" in alarm for alarm in once)
    assert any("copies" in alarm for alarm in once)
    assert row(found, "f(z)")["recall"] < 0.01


@pytest.mark.parametrize("applications", [[1], [2, 1, 2]])
def test_samples_are_drawn_for_each_k_once(model, applications):
    found = draw_samples(model, 10, applications, batch_size=4)
    assert sorted(found.images) == sorted(found.drifts) == sorted(set(applications))
    assert len(found.noise) == len(found.images[applications[0]]) == 10


def test_a_generator_without_encoder_has_no_drift(digits, tmp_path):
    """What it cannot be asked is left out of the numbers, the page and the plots."""
    torch.manual_seed(0)
    model = IGN(nn.Generator(1, 8, 4, "batch"), noise.GaussianNoise((1, 8, 8)))
    real, train = digits
    found = evaluate.evaluate(model, real, train, samples=40, features="mnist", neighbours=3)
    names = [row["name"] for row in found.results["rows"]]
    assert names == ["f(z)", "training images", "held-out images", "noise"]
    drifts = [row.get("drift") for row in found.results["rows"]]
    assert drifts[:3] == [None, None, None]
    assert (
        found.results["warnings"][0]
        == "this model does not accept images, so only f(z) is measured, without a drift"
    )
    report.page(found, "a generator", tmp_path)
    assert not (tmp_path / "drift.png").exists()
    compared = compare({"a": found.results})
    scatter(compared, tmp_path / "scatter.png")
    bars(compared, tmp_path / "bars.png")
