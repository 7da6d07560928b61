"""The card of a model: what it says is what the model and its evaluation are."""

import re

import pytest
import torch
import yaml
from PIL import Image

from ign import IGN, data, nn, noise
from ign.data.terms import terms_of
from ign.evaluate import card, evaluate
from ign.evaluate.comparison import MAIN
from ign.evaluate.report import save
from ign.io.packaged import CONFIG, WEIGHTS
from ign.view import pictures


def small(**about) -> IGN:
    torch.manual_seed(0)
    network = nn.DCGANAutoencoder(1, 8, 4, "role")
    for p in network.parameters():
        p.data *= 8
    return IGN(network, noise.GaussianNoise((1, 8, 8)), about=about)


def head(text: str) -> dict:
    return yaml.safe_load(text.split("---\n")[1])


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A model of digits, its results and where they are saved."""
    model, folder = small(data="digits", steps=7), tmp_path_factory.mktemp("evaluated")
    found = evaluate(
        model, data.load("digits", split="test"), samples=50, features="mnist", seed=3,
        neighbours=4, cache=folder,
    ).results  # fmt: skip
    found["protocol"]["real"] |= {"source": "/home/me/digits", "split": "test"}
    save(found, folder)
    return model, found, folder


def test_no_number_stands_without_what_defines_it(evaluated, tmp_path):
    model, results, folder = evaluated
    text = card.write(model, tmp_path, name="me/digits", results=folder).read_text(encoding="utf-8")
    assert "model-index" not in head(text), "50 samples are too few to be cited"
    net = results["protocol"]["features"]
    protocol = (
        "50 samples of seed 3 against 364 held-out images (digits test), features mnist"
        f" {net['sha256'][:8]}, k = 4"
    )
    assert f"{protocol}, by `ign evaluate`" in text
    row = results["rows"][0]
    assert re.search(rf"\| Fréchet distance ↓ \| {row['frechet']:.2f} \|", text)
    assert all(warning in text for warning in results["warnings"])
    enough = results | {"warnings": []}
    found = head(card.write(model, tmp_path, results=enough).read_text(encoding="utf-8"))[
        "model-index"
    ][0]
    found = found["results"]
    numbers = {(m["type"], m["args"]["applications"]): m for r in found for m in r["metrics"]}
    sampled = [row for row in results["rows"] if "applications" in row]
    wanted = {(key, row["applications"]): row[key] for row in sampled for key in MAIN}
    assert {key: m["value"] for key, m in numbers.items()} == wanted
    for (_, k), metric in numbers.items():
        assert metric["name"].endswith(protocol)
        assert metric["args"] == {
            "features": net["sha256"], "samples": 50, "seed": 3, "neighbours": 4, "applications": k,
        }  # fmt: skip
    assert "/home/me" not in text
    assert "FID" not in text


def test_numbers_of_another_model_are_refused(evaluated, tmp_path):
    _, results, _ = evaluated
    other = small(data="digits")
    other.network.decoder[0].weight.data += 1
    with pytest.raises(ValueError, match="results belong to another model"):
        card.write(other, tmp_path, results=results)
    with pytest.raises(ValueError, match=r"results\.json"):
        card.write(other, tmp_path, results=tmp_path)
    assert not (tmp_path / "README.md").exists()


def test_pictures_are_the_first_samples_and_images(tmp_path):
    model, images = small(data="digits"), torch.rand(9, 1, 8, 8) * 2 - 1
    text = card.write(model, tmp_path, images=images, source="images of mine").read_text(
        encoding="utf-8"
    )
    for k in (1, 2):
        wanted = pictures.grid(model.sample(64, k))
        assert Image.open(tmp_path / f"samples-f{k}.png").tobytes() == wanted.tobytes()
    rows = Image.open(tmp_path / "projections.png")
    x = Image.open(pictures.save(pictures.sheet([("x", images[:8])]), tmp_path / "x.png"))
    part = rows.crop((rows.width - 100, 0, rows.width, 50))
    assert part.tobytes() == x.crop((x.width - 100, 0, x.width, 50)).tobytes()
    assert "x: the first 8 images of mine, without selection" in text
    assert set(re.findall(r"!\[\w+\]\((.*?)\)", text)) == {
        path.name for path in tmp_path.glob("*.png") if path.name != "x.png"
    }
    assert "as no images were given" in card.write(model, tmp_path).read_text(encoding="utf-8")


def test_code_of_a_card_runs(tmp_path, monkeypatch):
    model = small(data="digits")
    folder = model.save_pretrained(tmp_path / "mine")
    text = card.write(model, folder).read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict = {"images": torch.rand(2, 1, 8, 8)}
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], names)
    assert torch.equal(names["samples"], model.sample(16))
    assert names["restored"].shape == (2, 1, 8, 8)
    facts = dict(re.findall(r"^\| ([\w ]+) \| (.*) \|$", text, re.MULTILINE))
    count = sum(p.numel() for p in model.network.parameters())
    assert facts["parameters"] == f"{count:,}"
    assert facts["norm"] == "role"


def test_training_is_told_without_the_author_s_folders(tmp_path):
    config = {"data": "/home/me/mnist", "steps": 3, "network": {"width": 4}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    text = card.write(small(data="mnist"), tmp_path, run=tmp_path).read_text(encoding="utf-8")
    shown = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1]
    assert yaml.safe_load(shown) == config | {"data": "mnist"}
    assert "/home/me" not in text
    with pytest.raises(ValueError, match=r"no config\.yaml of a run"):
        card.write(small(), tmp_path, run=tmp_path / "nothing")


@pytest.mark.parametrize(
    ("name", "licence", "words"),
    [
        ("mnist", "cc-by-sa-3.0", "Yann LeCun and Corinna Cortes"),
        ("digits", "cc-by-4.0", "BSD 3-Clause"),
        ("fashion-mnist", "mit", "Zalando"),
        ("celeba64-train.zip", "other", "non-commercial research only"),
        ("holidays", "unknown", "To the author: state here"),
    ],
)
def test_the_data_s_terms_are_told_or_asked_for(name, licence, words, tmp_path):
    text = card.write(small(data=name), tmp_path).read_text(encoding="utf-8")
    front = head(text)
    assert front["license"] == licence
    assert front["library_name"] == "ign"
    assert front["pipeline_tag"] == "unconditional-image-generation"
    assert front.get("datasets", []) == [x for x in [terms_of(name).dataset] if x]
    assert ("license_link" in front) == (licence == "other")
    assert words in text
    chosen = card.write(small(data=name), tmp_path, licence="apache-2.0").read_text(
        encoding="utf-8"
    )
    assert head(chosen)["license"] == "apache-2.0"
    assert "`apache-2.0`, which their author chose" in chosen
    assert words in chosen


def test_a_card_of_the_author_s_own(tmp_path):
    (tmp_path / "mine.md").write_text("my words", encoding="utf-8")
    folder = small().save_pretrained(tmp_path / "model")
    assert (
        card.write(small(), folder, readme=tmp_path / "mine.md").read_text(encoding="utf-8")
        == "my words"
    )
    assert {path.name for path in folder.iterdir()} == {
        CONFIG, WEIGHTS, "README.md", "projections.png", "samples-f1.png", "samples-f2.png",
    }  # fmt: skip


def test_a_baseline_is_called_one_and_a_generator_projects_nothing(tmp_path):
    torch.manual_seed(0)
    model = IGN(nn.Generator(1, 8, 4), noise.GaussianNoise((1, 8, 8)), about={"method": "dcgan"})
    text = card.write(model, tmp_path).read_text(encoding="utf-8")
    assert "A baseline for Idempotent Generative Networks" in text
    assert "leaves the data unchanged" not in text
    assert "project" not in text.replace("projects spoilt", "").split("## Uses")[0]
    assert {path.name for path in tmp_path.glob("*.png")} == {"samples-f1.png"}
