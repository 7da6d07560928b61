"""ign figures."""

import re

import pytest
from PIL import Image

from ign import IGN

PICTURES = {
    "fig-01.svg", "fig-03.svg", "fig-15.svg", "fig-04.png", "fig-05.png", "fig-06.png",
    "fig-07.png", "fig-08.png", "fig-09.png", "fig-10.png", "fig-11-14-a.png", "fig-11-14-b.png",
    "fig-11-14-c.png", "fig-16-a.png", "fig-16-b.png", "interpolation-f.mp4",
    "interpolation-ff.mp4", "interpolation-fff.mp4",
}  # fmt: skip


@pytest.mark.parametrize(("kind", "words"), [("gray", ("--data", "digits")), ("rgb", ())])
def test_every_figure_is_there_and_shows_something(kind, words, ign, models, tmp_path):
    out = tmp_path / "out"
    status, said, err = ign("figures", models[kind], *words, "--seed", 3, "--out", out)
    assert (status, err) == (0, "")
    assert said == f"look at {out / 'index.html'}\n"
    page = (out / "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'src="([^"]+)"', page)) == PICTURES
    assert {p.name for p in out.glob("[!.]*")} == {*PICTURES, "index.html", "interpolation-f.gif"}
    for path in out.glob("*.png"):
        low, high = Image.open(path).convert("L").getextrema()
        assert high - low > 100, path
    assert "of seed 3" in page
    assert ("held-out images" in page) == bool(words)
    assert ("samples f(z) (no images were given)" in page) != bool(words)
    assert ("gray, and as a sketch" in page) == (kind == "rgb")
    parameters = sum(p.numel() for p in IGN.from_pretrained(models[kind]).network.parameters())
    assert f"{parameters:,} parameters" in page
    assert ign("figures", models[kind], "--out", out).status == 2, "nothing is written over"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--data", "nowhere"), "no such file or folder"),
        (("--attribute", "size"), "'size' does not exist"),
        (("--split", "most"), "invalid choice"),
    ],
)
def test_mistakes_are_told_in_one_line(ign, model, tmp_path, words, told):
    status, out, err = ign("figures", model, *words, "--out", tmp_path / "out")
    assert (status, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()
