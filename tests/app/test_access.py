"""Who may use the server: tokens, cookies, and the names that it answers to."""

import pytest
from starlette.datastructures import Headers

from ign.app.access import Access


def refused(access: Access, host: str, origin: str = "") -> int | None:
    headers = {"host": host} | ({"origin": origin} if origin else {})
    found = access.refusal(Headers(headers))
    return found.status if found else None


def test_a_visitor_is_known_by_a_signed_cookie():
    access = Access("127.0.0.1", 7860)
    cookie = access.new_cookie().partition(";")[0]
    visitor = access.visitor(Headers({"cookie": f"other=1; {cookie}; more=2"}))
    assert visitor
    assert access.new_cookie().partition(";")[0] != cookie
    for wrong in (cookie[:-1], cookie.replace("=", "=a", 1), "ign-7860=", "ign-7860=.", "ign-7860"):
        assert access.visitor(Headers({"cookie": wrong})) is None
    assert Access("127.0.0.1", 7860).visitor(Headers({"cookie": cookie})) is None, "another process"
    assert access.session("a", "s") != access.session("b", "s")


def test_the_token_is_random_or_the_owners(monkeypatch):
    assert Access("::1", 1).token != Access("::1", 1).token
    assert len(Access("::1", 1).token) >= 32
    monkeypatch.setenv("IGN_APP_TOKEN", "0123456789abcdef")
    access = Access("::1", 1)
    assert access.admits("0123456789abcdef")
    assert not access.admits("0123456789abcdeF")
    assert not access.admits("ä")
    for bad in ("short", "", "0123456789abcde&x", "0123456789abcdef\n"):
        monkeypatch.setenv("IGN_APP_TOKEN", bad)
        with pytest.raises(ValueError, match="at least 16"):
            Access("::1", 1)


@pytest.mark.parametrize(
    ("bound", "own", "foreign"),
    [
        ("127.0.0.1", ["127.0.0.1:1", "localhost"], ["10.0.0.1", "x.example", "[::1]", ""]),
        ("::1", ["[::1]:1", "localhost"], ["127.0.0.1", "::1", "x.example", "[::1"]),
        ("0.0.0.0", ["10.0.0.1:1", "127.0.0.1", "localhost"], ["x.example", "10.0.0.1.x.example"]),
        ("::", ["[fd00::1]:1", "[::1]", "127.0.0.1"], ["x.example", "[fd00::1].x.example"]),
        ("10.0.0.1", ["10.0.0.1"], ["localhost", "10.0.0.2", "x.example"]),
    ],
)
def test_the_hosts_it_answers_to(bound, own, foreign):
    access = Access(bound, 1)
    assert [refused(access, host) for host in own] == [None] * len(own)
    assert [refused(access, host) for host in foreign] == [421] * len(foreign)


def test_further_hosts_are_named():
    access = Access("127.0.0.1", 1, ["Ign.Example.org"])
    assert refused(access, "ign.example.org") is None
    assert refused(access, "ign.example.org", "https://ign.example.org") is None
    assert refused(access, "ign.example.org", "https://other.example.org") == 403
    assert refused(access, "other.example.org") == 421
    for bad in ("http://x", "x:80", "x/y", "", "*"):
        with pytest.raises(ValueError, match="--allow-host"):
            Access("127.0.0.1", 1, [bad])


def test_two_hosts_are_none():
    headers = Headers(raw=[(b"host", b"127.0.0.1"), (b"host", b"evil.example")])
    assert Access("127.0.0.1", 1).refusal(headers).status == 421
    assert Access("127.0.0.1", 1).refusal(Headers({})).status == 421
