"""Plots show labels as they are."""

import warnings

import pytest
from PIL import Image

from ign.view.plots import drawing

HOSTILE = ["$", "a$b$", "$\\frac$", "_hidden", "a_b", "<b>", "back\\slash", "\x1b[31m", "\udcff"]


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", HOSTILE)
def test_labels_are_plain_text(name, shared, tmp_path):
    """None fails, none is a formula, and none is left out of the legend."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with drawing(tmp_path / "a.png", shared=shared) as axes:
            axes.plot([1, 2], [3, 4], label=name)
            axes.bar([1], [2], label=name)
            axes.set(title=name, xlabel=name, xscale="log")
    figure = axes.figure
    legends = figure.legends if shared else [axes.get_legend()]
    shown = {"\x1b[31m": "\\x1b[31m", "\udcff": "\\xff"}.get(name, name)
    assert [text.get_text() for text in legends[0].get_texts()] == [shown, shown]
    assert not axes.title.get_parse_math()
    assert Image.open(tmp_path / "a.png").size[0] > 1000


def test_curves_without_a_label_are_not_in_the_legend(tmp_path):
    with drawing(tmp_path / "a.png") as axes:
        axes.plot([1, 2], [3, 4])
        axes.barh([1, 2], [3, 4])
        axes.axvline(1)
        axes.fill_between([1, 2], [0, 1], [2, 3])
    assert axes.get_legend() is None


def test_ticks_of_a_logarithmic_axis_are_formulas_still(tmp_path):
    with drawing(tmp_path / "a.png") as axes:
        axes.plot([1, 1000], [1, 2])
        axes.set(xscale="log")
        axes.set_yticks([1, 2], ["$", "_x"])
    ticks = [t for t in axes.get_xticklabels() if t.get_text()]
    assert ticks
    assert all(t.get_parse_math() for t in ticks)
    assert [t.get_parse_math() for t in axes.get_yticklabels()] == [False, False]
