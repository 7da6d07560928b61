from pathlib import Path

from ign.core.paths import expand_user


def test_only_a_leading_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert expand_user("~/photos") == tmp_path / "photos"
    assert expand_user("./~/photos") == Path("~/photos")
    assert expand_user("~no-such-user/a") == Path("~no-such-user/a")
    assert expand_user(Path("a")) == Path("a")


def test_a_folder_whose_name_begins_with_a_tilde_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~root").mkdir()
    assert expand_user("~root") == expand_user("./~root") == Path("~root")


def test_no_home_folder_is_no_error(monkeypatch):
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}[0])
    assert expand_user("~/photos") == Path("~/photos")
