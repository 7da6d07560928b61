"""The diagrams are legible, state the method, and the network's is that of the module."""

import runpy
import sys
from itertools import combinations
from pathlib import Path

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image
from torch import nn

from ign.figures import diagrams
from ign.nn import DCGANAutoencoder, RoleBatchNorm2d

SIZES = {
    (3, 64, 64): ["3×64×64", "64×32×32", "128×16×16", "256×8×8", "512×4×4", "512×1×1"],
    (1, 28, 32): ["1×28×28", "32×14×14", "64×7×7", "128×4×4", "256×1×1"],
    (1, 10, 64): ["1×10×10", "64×5×5", "128×3×3", "256×1×1"],
}


class Shaped(nn.Sequential):
    shape = (1, 8, 8)


def texts(figure):
    """The words of a figure with the place that each takes, from left to right."""
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    found = [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()]
    places = [(t.get_text().replace("\\,", ""), t.get_window_extent()) for t in found]
    return sorted(places, key=lambda place: place[1].x0 + place[1].x1)


def words(figure):
    return [word for word, _ in texts(figure)]


def networks():
    for channels, size, width in SIZES:
        for norm in ("batch", "none") if size == 10 else ("group",):
            yield DCGANAutoencoder(channels, size, width, norm)
    yield DCGANAutoencoder(3, 256, 8)
    yield DCGANAutoencoder(1, 8, 1)


def test_the_command_writes_whole_files_the_same_each_time(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["figures", str(tmp_path / "a")])
    runpy.run_module("ign.figures", run_name="__main__")
    first = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert first == [tmp_path / "a" / f"{name}.svg" for name in ("idea", "objective", "network")]
    assert sorted(first) == sorted((tmp_path / "a").iterdir())
    assert "3×64×64" in (tmp_path / "a/network.svg").read_text(encoding="utf-8"), (
        "Table 1 unless told otherwise"
    )
    for one, two in zip(first, diagrams.write(tmp_path / "b"), strict=True):
        assert one.read_bytes() == two.read_bytes()
    for draw in (diagrams.idea, diagrams.objective):
        picture = Image.open(diagrams.save(draw(), tmp_path / "drawn.png")).convert("L")
        assert picture.getextrema()[0] < 60
        assert picture.getextrema()[1] == picture.getpixel((0, 0)) == 255


def test_no_words_overlap_or_leave_the_page():
    drawn = [diagrams.idea(), diagrams.objective(), *map(diagrams.network, networks())]
    for figure in drawn:
        places, page = texts(figure), figure.bbox
        for word, box in places:
            assert page.x0 <= box.x0 < box.x1 <= page.x1, word
            assert page.y0 <= box.y0 < box.y1 <= page.y1, word
        for (one, box), (two, other) in combinations(places, 2):
            assert not box.overlaps(other), f"{one} and {two}"


def test_the_idea_and_the_objective_state_the_method():
    idea = " ".join(words(diagrams.idea()))
    for equation in ("$f(x) = x$", "$f(f(z)) = f(z)$", r"$\delta(y) = D(f(y), y)$"):
        assert equation in idea
    objective = words(diagrams.objective())
    assert {
        r"$L_\mathrm{rec} = D(f(x), x)$",
        r"$L_\mathrm{idem} = D(F(f(z)), f(z))$",
        r"$L_\mathrm{tight} = -D(f(y), y)$",
        "$y = f(z)$",
    } <= set(objective)
    total = [r"$L \;=$", r"$w_r L_\mathrm{rec}$", r"$w_i L_\mathrm{idem}$"]
    total += [r"$w_t L_\mathrm{tight}$"]
    assert [word for word in objective if word in total] == total
    assert objective.count("$+$") == 2


@pytest.mark.parametrize("config", SIZES)
def test_the_volumes_are_those_of_the_module(config):
    encoder = SIZES[config]
    found = [word for word in words(diagrams.network(DCGANAutoencoder(*config))) if "×" in word]
    assert [word for word in found if word.count("×") == 2] == encoder + encoder[-2::-1]


@pytest.mark.parametrize("norm", ["batch", "role", "group", "none"])
def test_the_cards_are_those_of_the_module(norm):
    network = DCGANAutoencoder(1, 28, 8, norm).train()
    before = [p.clone() for p in network.parameters()]
    found = words(diagrams.network(network))
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert [w for w in found if w.count("×") == 1] == [
        "{}×{}".format(*m.kernel_size) for m in convolutions
    ]
    assert [w for w in found if w.startswith("stride")] == [
        f"stride {m.stride[0]}" for m in convolutions
    ]
    norms = (nn.BatchNorm2d, nn.GroupNorm, RoleBatchNorm2d)
    count = sum(isinstance(m, norms) for m in network.modules())
    assert found.count(f"{norm} norm") == count == (0 if norm == "none" else 5)
    assert found.count("LeakyReLU") == found.count("ReLU") == 3
    assert found.count("Tanh") == found.count("bottleneck") == 1
    stated = [int(w.split()[0].replace(",", "")) for w in found if w.endswith("parameters")]
    halves = (network.encoder, network.decoder)
    assert stated[0] + stated[1] == sum(p.numel() for half in halves for p in half.parameters())
    assert network.training
    assert not any(m._forward_hooks for m in network.modules())
    assert all(map(torch.equal, before, network.parameters()))


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nn.Linear(2, 2), "no shape"),
        (Shaped(nn.Flatten(), nn.Linear(64, 64)), "consist of convolutions"),
        (Shaped(nn.Conv2d(1, 1, 3, padding=1)), "consist of convolutions"),
        (Shaped(nn.ConvTranspose2d(1, 2, 2, 2), nn.Conv2d(2, 1, 2, 2)), "consist of convolutions"),
        (Shaped(nn.Conv2d(1, 2, 2, 2), nn.ConvTranspose2d(2, 1, 4, 4)), "consist of convolutions"),
        (Shaped(nn.Conv2d(3, 2, 2, 2), nn.ConvTranspose2d(2, 3, 2, 2)), "does not take"),
    ],
)
def test_another_kind_of_network_is_refused_in_one_line(network, message, tmp_path):
    with pytest.raises(ValueError, match=message) as error:
        diagrams.write(tmp_path / "out", network)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_network_of_another_make_is_drawn():
    made = Shaped(nn.Conv2d(1, 2, 2, 2), nn.ReLU(), nn.ConvTranspose2d(2, 1, 2, 2))
    found = words(diagrams.network(made))
    assert [word for word in found if word.count("×") == 2] == ["1×8×8", "2×4×4", "1×8×8"]
