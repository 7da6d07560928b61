"""What the tabs do, without a page: the same as the library, shown."""

import base64
import csv
import io
import re

import numpy as np
import pytest
import torch
from drawings import seven, untrained
from PIL import Image

from ign import degrade, edit, nn, noise
from ign.anomaly import SCORES, Calibration
from ign.app.markup import data_url
from ign.app.tasks import Tasks
from ign.data import read_image, to_float, to_uint8
from ign.model import IGN


def shown(html: str) -> list[torch.Tensor]:
    """The images of a piece of the page, (C, H, W) uint8."""
    found = []
    for content in re.findall(r'<img[^>]*src="data:image/png;base64,([^"]*)"', html):
        array = np.array(Image.open(io.BytesIO(base64.b64decode(content))))
        found.append(torch.tensor(array[None] if array.ndim == 2 else array.transpose(2, 0, 1)))
    return found


def saved(html: str) -> tuple[str, bytes]:
    """The name and the content behind the link that saves."""
    name, content = re.search(r'download="([^"]*)" href="data:[^,]*,([^"]*)"', html).groups()
    return name, base64.b64decode(content)


def same(images: list[torch.Tensor], wanted: torch.Tensor) -> bool:
    return torch.equal(torch.stack(images), to_uint8(wanted))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [8, 13, 32])
def test_generate_shows_the_samples(channels, size):
    tasks = Tasks(untrained(channels, size))
    html = tasks.generate(3, 5, 2)
    assert same(shown(html), tasks.model.sample(5, 2, seed=3))
    name, content = saved(html)
    assert name == "samples-seed3-k2.png"
    assert Image.open(io.BytesIO(content)).width > 2 * 56


def test_real_shows_the_projection_of_what_is_seen(gray, drawing):
    tasks = Tasks(gray)
    html = tasks.real(drawing, 0, [], "never", False)
    x, once, twice, _ = shown(html)
    seen = to_float(x)[None]
    assert same([once], gray.project(seen))
    assert same([twice], gray.project(seen, 2))
    assert "f changed each pixel by" in html


def test_real_spoils_first_and_shows_the_noise(rgb, photo):
    tasks = Tasks(rgb)
    board = tasks.load(photo)
    x = to_float(torch.tensor(read_image(photo, 8, False)))[None]
    plain, *_ = shown(tasks.real(board, 0, []))
    assert (plain.int() - to_uint8(x[0]).int()).abs().float().mean() < 12, "resized in two steps"
    spoilt, *others = shown(tasks.real(board, 0.5, [degrade.Grayscale()]))
    assert torch.equal(spoilt[0], spoilt[1])
    assert len(others) == 4


def test_edit_paints_under_the_mask_only(rgb):
    tasks = Tasks(rgb)
    board = tasks.load_sample(4, 2)
    mask = Image.new("L", (tasks.side,) * 2)
    mask.paste(255, (0, 0, tasks.side // 2, tasks.side))
    board["mask"] = data_url(mask)
    html = tasks.paint(board, 7, 3, 2, True)
    before, _, *found = shown(html)
    image = to_float(before)[None]
    assert same([before], rgb.trajectory(rgb.latents(torch.tensor([2]), 4), [2], noise=True)[0])
    holes = torch.zeros(8, 8, dtype=torch.bool)
    holes[:, :4] = True
    assert same(found, edit.inpaint(rgb, image.expand(3, -1, -1, -1), holes, 2, 7, True))
    for one in found:
        assert torch.equal(one[..., 4:], before[..., 4:])
    assert len({one.numpy().tobytes() for one in found}) == 3, "variations differ"
    free = shown(tasks.paint(board, 7, 3, 2, False))[2:]
    assert not torch.equal(free[0][..., 4:], before[..., 4:])


def test_edit_needs_a_picture_and_a_mask(gray, drawing):
    with pytest.raises(ValueError, match="nothing is drawn"):
        Tasks(gray).paint(None, 0, 1, 1, True)
    with pytest.raises(ValueError, match="nothing is masked"):
        Tasks(gray).paint(drawing, 0, 1, 1, True)


def test_explore_goes_from_one_sample_to_another(gray):
    tasks = Tasks(gray)
    ends = gray.sample(6, 2, seed=1)[[2, 5]]
    for t, wanted in ((0.0, ends[0]), (1.0, ends[1])):
        a, here, b, *way = shown(tasks.between(1, 2, 5, t, 2, "linear"))
        assert same([a, b], ends)
        assert same([here], wanted[None])
        assert same([way[0], way[-1]], ends)
    assert len(way) == 8
    a, b = gray.latents(torch.tensor([2, 5]), 1)[:, None]
    half = edit.interpolate(gray, a, b, 3, 2, "spherical")[0][1:2]
    assert same([shown(tasks.between(1, 2, 5, 0.5, 2, "spherical"))[1]], half)


def test_explore_adds(gray):
    z = gray.latents(torch.tensor([0, 3, 4]), 2)
    wanted = edit.arithmetic(gray, z[:1], z[1], z[2], 1, 0.5)
    assert same(shown(Tasks(gray).add(2, 0, 3, 4, 0.5, 1))[3:], wanted)


@pytest.mark.parametrize("kind", SCORES)
def test_score_is_the_models_and_the_highest_comes_first(kind, rgb, tmp_path):
    for n, level in enumerate((0, 90, 255)):
        Image.new("RGB", (20, 20), (level, 0, level)).save(tmp_path / f"{n}.png")
    files = [str(tmp_path / f"{n}.png") for n in range(3)]
    html = Tasks(rgb).score(files, kind)
    images = torch.stack([to_float(torch.tensor(read_image(f, 8, False))) for f in files])
    scores = rgb.score(images, kind)
    name, content = saved(html)
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert name == "scores.csv"
    assert [row["file"] for row in rows] == ["0.png", "1.png", "2.png"]
    assert [float(row["score"]) for row in rows] == pytest.approx(scores.tolist(), rel=1e-4)
    order = re.findall(r'<th scope="row">([^<]*)</th>', html)
    assert order == [f"{i}.png" for i in scores.argsort(descending=True).tolist()]
    assert same(shown(html)[1::3], rgb.project(images)[scores.argsort(descending=True)])
    assert "ign calibrate" in html


def test_a_calibrated_model_tells_percentiles(photo):
    model = untrained(3)
    model.calibration = Calibration.fit(dict.fromkeys(SCORES, torch.rand(50) * 1e-6), 0.1)
    html = Tasks(model).score([photo], "displacement")
    row = next(csv.DictReader(io.StringIO(saved(html)[1].decode())))
    assert (row["percentile"], row["flag"]) == ("100.0", "1")
    assert "<td>flagged</td>" in html
    assert html.count('<tr class="marked">') == 1
    assert "Percentile" in html


def test_names_of_files_are_text(rgb, tmp_path):
    name = "<img src=x onerror=alert(1)>.png"
    Image.new("RGB", (9, 9)).save(tmp_path / name)
    (tmp_path / "<b>.png").write_text("no", encoding="utf-8")
    html = Tasks(rgb).score([str(tmp_path / name), str(tmp_path / "<b>.png")], "displacement")
    assert "<img src=x" not in html
    assert "<b>" not in html
    assert "&lt;img src=x onerror" in html


def test_nothing_to_score_is_told(rgb, tmp_path):
    (tmp_path / "a.png").write_text("no", encoding="utf-8")
    with pytest.raises(ValueError, match=r"a.png: not an image"):
        Tasks(rgb).score([str(tmp_path / "a.png")], "displacement")
    with pytest.raises(ValueError, match="no pictures"):
        Tasks(rgb).score([], "displacement")


def test_a_model_of_another_form_is_refused():
    network = nn.DCGANAutoencoder(2, 8, 4, "group")
    with pytest.raises(ValueError, match="square ones of 1 or 3 channels"):
        Tasks(IGN(network, noise.GaussianNoise((2, 8, 8))))


def test_an_uploaded_drawing_is_edited_as_the_network_sees_it(tmp_path):
    seven(True).save(tmp_path / "seven.png")
    tasks = Tasks(IGN.from_pretrained("mnist"))
    board = tasks.load_preprocessed(str(tmp_path / "seven.png"))
    x, messages = tasks.preprocess(board, "automatic", True)
    assert messages == [], "it is what the data are already"
    assert x[0, 0, 0].max() == -1
    assert x.max() > 0.9
