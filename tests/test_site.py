"""The site: it builds without a warning, holds what it should, and needs nothing from elsewhere."""

import html
import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
import yaml

import ign

pytest.importorskip("material", reason="pip install 'ign-torch[docs]'")

from tools import links, quotes, site

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
INTERNAL = {"__main__", "app", "cli", "core", "inference", "io", "view"}
"""Modules and packages of ``ign`` that are not part of its public interface as a whole."""
PARTS = (
    "ign.core.random", "ign.evaluate.card", "ign.io.format", "ign.io.hub",
    "ign.objective.adversarial", "ign.objective.denoise", "ign.objective.distance",
    "ign.objective.match", "ign.objective.one_pass", "ign.objective.paper", "ign.objective.terms",
    "ign.view.pictures", "ign.view.video",
)  # fmt: skip
"""Public modules inside of packages."""


@pytest.fixture
def built(site: Path) -> Path:
    return site


def pages(built: Path) -> dict[str, str]:
    return {
        str(p.relative_to(built)): p.read_text(encoding="utf-8")
        for p in sorted(built.rglob("*.html"))
    }


def test_every_page_is_in_the_navigation_once():
    def leaves(entry):
        if isinstance(entry, str):
            return [entry]
        return [x for part in (entry.values() if isinstance(entry, dict) else entry)
                for x in leaves(part)]  # fmt: skip

    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    shown = leaves(yaml.safe_load(text)["nav"])
    assert sorted(shown) == sorted(str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md"))


def test_pages_are_whole_and_need_nothing_from_elsewhere(built):
    """No formula or role is left as text, every image is there, no page loads from another host."""
    found = pages(built)
    assert len(found) > 25
    assert "<math" in found["objective.html"]
    for name, text in found.items():
        body = re.sub(r"<(pre|script).*?</\1>|<code>.*?</code>", "", text, flags=re.DOTALL)
        assert "arithmatex" not in body, name
        assert not re.search(r":(math|func|class|meth|data|mod|attr):|\\\(|\\\[|\$\$", body), name
        loaded = re.findall(r'<(?:img|script)[^>]* src="?([^"\s>]+)', text)
        loaded += re.findall(r'<link[^>]*rel="?stylesheet"?[^>]*href="?([^"\s>]+)', text)
        loaded += re.findall(r'<link[^>]*href="?([^"\s>]+)"?[^>]*rel="?stylesheet', text)
        for target in loaded:
            assert not urlsplit(target).netloc, (name, target)
            path = built / target.lstrip("/") if target[0] == "/" else built / name / ".." / target
            assert Path(os.path.normpath(urlsplit(str(path)).path)).exists(), (name, target)


def public() -> list[str]:
    """The public modules, with their full names."""
    names = [m.name for m in pkgutil.iter_modules(ign.__path__)]
    return [f"ign.{name}" for name in names if name not in INTERNAL] + list(PARTS)


@pytest.mark.parametrize("module", public())
def test_every_public_name_has_its_entry(built, module):
    """What a public module lists in ``__all__`` is in the reference, with a docstring."""
    reference = "".join(t for n, t in pages(built).items() if n.startswith("reference"))
    entries = set(re.findall(r'id="(ign\.[\w.]+)"', reference))
    assert module in entries
    found = importlib.import_module(module)
    for name in found.__all__:
        home = getattr(getattr(found, name), "__module__", module)  # it may be re-exported
        inside = [e for e in entries if e.startswith(f"{module}.") and e.endswith(f".{name}")]
        assert inside or f"{home}.{name}" in entries, f"{module}.{name} has no entry"


def test_quoted_code_and_tables_are_those_of_today():
    done = subprocess.run([sys.executable, ROOT / "tools" / "quotes.py", "--check"], check=False)
    assert done.returncode == 0, "run python tools/quotes.py"


def test_a_quote_leaves_out_docstrings_and_keeps_its_lines():
    whole = quotes.source("tools.quotes.find")
    assert '"""' not in whole
    assert whole.startswith("def find(path: str) -> Any:\n    parts")
    assert whole.endswith("return inspect.unwrap(found)")
    part = quotes.source("tools.quotes.find", "for i, part", "import_module(")
    assert part.splitlines()[0] == "for i, part in enumerate(parts[1:], 2):"
    assert part.splitlines()[-1] == '        importlib.import_module(".".join(parts[:i]))'
    with pytest.raises(ValueError, match="no lines"):
        quotes.source("tools.quotes.find", "parts", "not there")


def test_a_page_whose_quote_cannot_be_made_is_named_and_the_others_are_updated(
    tmp_path, monkeypatch, capsys
):
    (tmp_path / "docs").mkdir()
    for name, path in {"first": "tools.quotes.nothing", "second": "tools.quotes.find"}.items():
        text = f"<!-- code {path} -->\nold\n<!-- end -->\n"
        (tmp_path / "docs" / f"{name}.md").write_text(text, encoding="utf-8")
    find = quotes.quoted
    monkeypatch.setattr(quotes, "quoted", lambda found: rooted(find, found))
    monkeypatch.setattr(quotes, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["quotes.py"])
    assert quotes.main() == 1
    assert "docs/first.md: " in capsys.readouterr().out
    assert "def find(" in (tmp_path / "docs" / "second.md").read_text(encoding="utf-8")


def rooted(function, found):
    """Call a function of quotes that needs the real folder of the project."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quotes, "ROOT", ROOT)
        return function(found)


ANSWERS = {
    "defect": "faq.html#can-it-find-a-defect-in-a-product-image",
    "conditional": "faq.html#is-there-a-conditional-model-can-i-ask-for-a-class",
    "fine-tune": "faq.html#can-i-fine-tune-a-model-on-my-images",
    "callback": "faq.html#can-i-add-a-callback",
    "notebook": "faq.html#can-i-use-it-in-a-notebook",
    "rectangular": "faq.html#does-it-work-with-rectangular-images",
    "W&B": "faq.html#how-do-i-log-to-wb-weights-biases",
}


@pytest.mark.parametrize(("word", "place"), ANSWERS.items())
def test_the_search_index_has_what_people_look_for_in_the_title_that_answers(built, word, place):
    index = json.loads((built / "search" / "search_index.json").read_text(encoding="utf-8"))
    titles = {doc["location"]: html.unescape(doc["title"]) for doc in index["docs"]}
    assert word.lower() in titles[place].lower()


def test_the_site_opens_from_disk(built):
    """Links name files, not folders, and the search index is a script."""
    assert (built / "search" / "search_index.js").read_text(encoding="utf-8").startswith("var __in")
    for name, text in pages(built).items():
        if name == "404.html":  # for servers only
            continue
        for target in re.findall(r'<a[^>]* href="?([^"\s>]+)', text):
            parts = urlsplit(html.unescape(target))
            if not parts.scheme and parts.path:
                assert parts.path.endswith((".html", ".png", ".gif", ".csv", ".json")), (
                    name,
                    target,
                )
                assert (built / name / ".." / parts.path).resolve().is_file(), (name, target)


def test_docstrings_become_markdown():
    def address(name):
        return "ign.objective.match.kernel_divergence" if "kernel" in name else None

    text = (
        "The :math:`x_i` of :func:`~ign.objective.match.kernel_divergence`,"
        " not :class:`torch.Tensor`.\n\n"
        ".. math::\n    a &= b \\\\\n    c &= d\n\nso::\n\n    code\n\n"
        "Args:\n    a: One.\n        .. math:: e^x\n\nReferences:\n    A, 2024.\n    B.\n"
    )
    found = site.markdown(text, address)
    assert r"The \(x_i\) of [`kernel_divergence`][ign.objective.match.kernel_divergence]" in found
    assert "not `torch.Tensor`." in found
    assert "\\[\na &= b \\\\\nc &= d\n\\]\n" in found
    assert "so:\n\n    code" in found
    assert "        \\[\n        e^x\n        \\]" in found
    assert "**References:**\n\nA, 2024.\nB.\n" in found


def test_formulas_become_mathml():
    assert "<mfrac>" in site.mathml(r"\frac{1}{2}", False)
    assert site.mathml(r"a &= b \\ c &= d", True).count("<mtr>") == 2
    shown = site.on_page_content('<p><span class="arithmatex">\\(a &lt; b\\)</span></p>')
    assert shown.startswith("<p><math")
    assert "arithmatex" not in shown
    with pytest.raises(Exception, match="unknown"):
        site.mathml(r"\unknown{x}", False)


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, *_):
        pass


def test_addresses_are_well_formed_and_can_be_asked():
    for address, page in links.addresses().items():
        parts = urlsplit(address)
        assert parts.scheme == "https", (page, address)
        assert re.fullmatch(r"[\w.-]+\.\w+", parts.netloc), (page, address)
    server = HTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    there = f"http://127.0.0.1:{server.server_port}"
    assert links.problem(f"{there}/200") == ""
    assert links.problem(f"{there}/403") == ""
    assert "404" in links.problem(f"{there}/404")
    server.shutdown()
    server.server_close()
    assert links.problem(there)
