"""Formulas and docstrings for the site: LaTeX to MathML, and docstrings to Markdown.

MkDocs calls :func:`on_page_content` as a hook, mkdocstrings loads :class:`Docstrings` as an
extension of Griffe (``mkdocs.yml``).
"""

__all__ = ["Docstrings", "markdown", "mathml", "on_page_content"]

import html
import re
import textwrap
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import griffe
from math_core import LatexToMathML

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
ROLE = re.compile(r":(\w+):`([^`]+)`")
DISPLAY = re.compile(
    r"^( *)\.\. math::(.*\n(?:\1[ \t]+\S.*\n?|[ \t]*\n(?=\1[ \t]+\S))*)", re.MULTILINE
)
ASIDE = re.compile(
    r"^(Shape|References?|Note):\n((?:    .*\n|\n(?=    ))+)", re.MULTILINE
)  # Griffe would show these as admonitions
CONVERTER = LatexToMathML()
DOCUMENTED = {"ign.inference.Inference": "ign.model.IGN", "ign.IGN": "ign.model.IGN"}
"""The paths in the reference of objects that docstrings name by other paths."""


def mathml(latex: str, display: bool) -> str:
    """Convert a formula to MathML, which browsers show without scripts or downloaded fonts.

    Raises:
        LatexError: The text is not a valid formula.
    """
    if display and ("&" in latex or r"\\" in latex):
        latex = rf"\begin{{aligned}}{latex}\end{{aligned}}"
    return CONVERTER.convert_with_local_state(latex.strip(), displaystyle=display)


def on_page_content(page_html: str, **_: Any) -> str:
    """Convert the formulas that ``pymdownx.arithmatex`` marked in a page to MathML."""

    def show(found: re.Match[str]) -> str:
        return mathml(html.unescape(found[2]), found[1] == "div")

    return FORMULA.sub(show, page_html)


def markdown(text: str, address: Callable[[str], str | None]) -> str:
    """Convert a docstring to Markdown, with its roles as links.

    Args:
        text: The docstring.
        address: A function from the name in a role to the path of the object, or None.
    """

    def display(found: re.Match[str]) -> str:
        lines = (found[1] + line.strip() for line in found[2].strip().splitlines())
        return "\n".join([f"{found[1]}\\[", *lines, f"{found[1]}\\]\n"])

    def role(found: re.Match[str]) -> str:
        kind, name = found.groups()
        if kind == "math":
            return rf"\({name}\)"
        path = address(name.lstrip("~"))
        shown = name[1:].rpartition(".")[2] if name.startswith("~") else name
        return f"[`{shown}`][{path}]" if path else f"`{shown}`"

    def aside(found: re.Match[str]) -> str:
        return f"**{found[1]}:**\n\n{textwrap.dedent(found[2])}\n"

    text = DISPLAY.sub(display, text if text.endswith("\n") else text + "\n")
    return re.sub(r"::$", ":", ROLE.sub(role, ASIDE.sub(aside, text)), flags=re.MULTILINE)


class Docstrings(griffe.Extension):
    """Rewrites the docstring of every object with :func:`markdown`."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value, lambda name: _address(obj, name))


def _address(obj: griffe.Object, name: str) -> str | None:
    """The reference path of an object that a docstring names by a member, a neighbour or a path."""
    path = _path(obj, name)
    if path is None or (path.startswith("ign.core.") and not path.startswith("ign.core.random")):
        return None
    with suppress(KeyError, AttributeError, griffe.AliasResolutionError):
        if not obj.modules_collection[path].has_docstring:
            return None  # it has no entry
    for home, shown in DOCUMENTED.items():
        if path == home or path.startswith(f"{home}."):
            return shown + path.removeprefix(home)
    return path


def _path(obj: griffe.Object, name: str) -> str | None:
    if name in obj.members:
        return str(obj.members[name].path)
    if name.startswith("ign."):
        return name
    try:
        path = obj.resolve(name)
    except griffe.NameResolutionError:
        return None
    return path if path.startswith("ign.") else None
