"""The site: it builds without a warning, holds what it should, and needs nothing from elsewhere."""

import importlib
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

pytest.importorskip("material", reason="pip install 'ign[docs]'")

from tools import links, quotes, site

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
INTERNAL = {
    "__main__", "app", "cli", "demo", "files", "page", "plots", "pretrained", "processes", "stream",
    "terminal",
}  # fmt: skip
"""Modules of the package that are no part of its interface."""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", out]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


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


def test_every_public_name_has_its_entry(built):
    """What a module of the package lists in ``__all__`` is in the reference, with a text."""
    reference = "".join(t for n, t in pages(built).items() if n.startswith("reference"))
    entries = set(re.findall(r'id="(ign\.[\w.]+)"', reference))
    modules = [m.name for m in pkgutil.iter_modules(ign.__path__, "ign.")]
    for module in modules:
        if module.removeprefix("ign.") in INTERNAL:
            continue
        assert module in entries, module
        for name in importlib.import_module(module).__all__:
            path = f"{module}.{name}"  # a function may have the name of its module
            assert {path, f"{path}.{name}"} & entries, f"{path} has no entry or no docstring"


def test_quoted_code_and_tables_are_those_of_today():
    done = subprocess.run([sys.executable, ROOT / "tools" / "quotes.py", "--check"], check=False)
    assert done.returncode == 0, "run python tools/quotes.py"


def test_a_quote_leaves_out_docstrings_and_keeps_its_lines():
    whole = quotes.source("ign.objective.tightness")
    assert '"""' not in whole
    assert whole.startswith("def tightness(") and whole.endswith("mean()")  # noqa: PT018
    part = quotes.source("ign.objective.IGNObjective.forward", "with _role", "y = network(z)")
    assert part.splitlines()[0] == 'with _role(network, "data"):'
    assert part.splitlines()[-1] == "    y = network(z)"
    with pytest.raises(ValueError, match="no lines"):
        quotes.source("ign.objective.clamp", "bound", "not there")


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
