"""The figures in docs/app.md are those of the tests and of the code."""

from pathlib import Path

import test_attacks as attacks

from ign.app import gate, reading, requests, sessions, uploads

DOCS = Path(__file__).resolve().parents[2] / "docs" / "app.md"


def cases(test) -> int:
    """How many cases a test has."""
    count = 1
    for mark in test.pytestmark:
        count *= len(mark.args[1]) if mark.name == "parametrize" else 1
    return count


def test_the_attacks_are_as_many_as_the_docs_say():
    text = " ".join(DOCS.read_text(encoding="utf-8").split())
    kinds, ways, places = len(attacks.FORGED), len(attacks.KEYS), len(attacks.PLACES)
    for sentence in (
        f"{kinds} kinds of forged paths, {ways} ways each, in {places} jobs:"
        f" {kinds * ways * places} jobs",
        f"{len(attacks.HOSTS)} host names, {len(attacks.ORIGINS)} origins;",
        f"{len(attacks.WRONG)} wrong values in each number of {len(attacks.NUMBERS)} jobs,"
        f" {len(attacks.OTHER)} others, {len(attacks.JOBS)} bodies that are not jobs",
        f"{cases(attacks.test_the_page_needs_no_other_path)} paths to get,"
        f" {cases(attacks.test_nothing_else_can_be_posted)} to post to",
    ):
        assert sentence in text, sentence


def test_the_limits_are_those_of_the_code():
    text = " ".join(DOCS.read_text(encoding="utf-8").split())
    for sentence in (
        f"at most {reading.FILE // 2**20} MB and a picture at most {reading.PIXELS // 10**6} mega",
        f"At most {reading.IMAGES} pictures are scored at once, of at most"
        f" {reading.BYTES_TOTAL // 10**6} MB and {reading.PIXELS_TOTAL // 10**6} megapixels",
        f"after {reading.SECONDS:.0f} seconds no further picture",
        f"at most {uploads.VISITOR // 10**6} MB at a time, and all uploads together at most"
        f" {uploads.TOTAL // 10**9} GB",
        f"At most {gate.UPLOADS} uploads of a visitor",
        f"{requests.IDLE:.0f} seconds without a byte, or if it is slower than"
        f" {requests.SPEED // 1000} kB/s after its first {requests.PATIENCE:.0f} seconds",
        f"At most {sessions.UNREAD} results of a page and {sessions.UNREAD_TOTAL} of all pages",
        f"of at most {sessions.SESSIONS} pages",
    ):
        assert sentence in text, sentence
    assert uploads.STALE * 5 / 4 < 7 * 60
