"""Pages: every text is escaped, whatever it holds."""

import html
import re
from urllib.parse import unquote_to_bytes

from ign.view.html import Section, write_page

HOSTILE = "<b>&\"'$|_[x]\x1b[31m\udcff\\"


def test_hostile_text_is_shown_and_not_executed(tmp_path):
    page = write_page(
        tmp_path / "index.html", HOSTILE, HOSTILE,
        [Section(HOSTILE, HOSTILE, ["a.png", "b.mp4"], table=[["", HOSTILE], [HOSTILE, "1"]])],
        {HOSTILE: HOSTILE}, HOSTILE,
    )  # fmt: skip
    text = page.read_text(encoding="utf-8")
    shown = html.escape("<b>&\"'$|_[x]\\x1b[31m\\xff\\")
    assert text.count(shown) == 13
    assert "<b>" not in text
    assert "\x1b" not in text


def test_lines_of_commands_stay_lines(tmp_path):
    page = write_page(tmp_path / "index.html", "t", "l", [], commands="one\ntwo")
    assert "<pre>one\ntwo</pre>" in page.read_text(encoding="utf-8")


def test_addresses_are_those_of_the_files(tmp_path):
    name = 'a "b"#?%\udcff.png'
    page = write_page(tmp_path / "index.html", "t", "l", [Section("s", "c", [name])])
    (address,) = re.findall(r'src="([^"]*)"', page.read_text(encoding="utf-8"))
    assert unquote_to_bytes(address) == b'a "b"#?%\xff.png'
