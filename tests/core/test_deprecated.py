"""The module names of version 0.1 still import, with a warning that names the new place."""

import subprocess
import sys
from importlib import import_module

import pytest

from ign.core.deprecated import MOVED


@pytest.mark.parametrize("former", sorted(MOVED))
def test_a_former_module_imports_and_names_its_new_place(former):
    sys.modules.pop(former, None)
    with pytest.warns(DeprecationWarning, match=f"{former} is now {MOVED[former]};"):
        module = import_module(former)
    new = import_module(MOVED[former])
    assert all(getattr(module, name) is getattr(new, name) for name in new.__all__)


def test_the_warning_points_at_the_user_s_own_line(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text("import ign\n\nfrom ign.distance import l1\n", encoding="utf-8")
    command = [sys.executable, "-W", "always::DeprecationWarning", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{script}:3: DeprecationWarning: ign.distance is now" in done.stderr


def test_a_former_module_is_an_attribute_of_the_package():
    import ign

    sys.modules.pop("ign.video", None)
    vars(ign).pop("video", None)
    with pytest.warns(DeprecationWarning, match="ign.video is now ign.view.video"):
        video = ign.video
    assert video.write is import_module("ign.view.video").write


def test_what_is_in_neither_place_is_an_attribute_error():
    import ign

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ign.nonsense


@pytest.mark.parametrize("owner", ["FeatureNet", "Inception", "Reference"])
def test_renamed_methods_of_the_evaluation_call_the_new_ones(owner):
    from ign import evaluate

    kind = getattr(evaluate, owner)
    old = [
        name for name in vars(kind) if name in ("some", "advancing", "observe", "alone", "copied")
    ]
    assert "observe" in old
    for name in old:
        now = {"some": "subset", "advancing": "task", "observe": "outputs",
               "alone": "image_statistics", "copied": "nearest_training"}[name]  # fmt: skip
        stub = type("Stub", (), {name: vars(kind)[name], now: lambda self, x: x + 1})()
        with pytest.warns(DeprecationWarning, match=f"{owner}.{name} is now {now}"):
            assert getattr(stub, name)(1) == 2
        assert callable(getattr(kind, now))
