"""Phrases of translated English, which the docs and the code avoid: no file may gain any.

``tests/language.json`` holds how many each file may still have. A file that is not in it may have
none. After you have removed phrases, lower the numbers::

    python tests/test_language.py
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALLOWED = Path(__file__).with_name("language.json")
PHRASES = (
    "shall", "told", "that of", "those of", "of which", "in the place of", "as far as", "on wish",
    "none left out", "so many", "let go", "lets go", "go on with", "goes on with", "spoilt",
    "spoiled", "what it is called", "anew", "whose they are", "hang on", "thereof",
)  # fmt: skip
PATTERN = re.compile(rf"\b({'|'.join(PHRASES)})\b".replace(" ", r"\s+"), re.IGNORECASE)


def files() -> list[Path]:
    """The pages, and all code that users read or whose texts they see."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    code = [
        p
        for part in ("ign", "benchmarks", "examples", "tools")
        for p in (ROOT / part).rglob("*.py")
    ]
    return sorted(pages + [p for p in code if "node_modules" not in p.parts])


def texts(path: Path) -> Iterator[str]:
    """A page without its code blocks, or the strings, docstrings and comments of a module."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield re.sub(r"^```.*?^```$", "", source, flags=re.DOTALL | re.MULTILINE)
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def phrases(path: Path) -> list[str]:
    """The phrases to avoid that a file contains."""
    return [found[0] for text in texts(path) for found in PATTERN.finditer(text)]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", files(), ids=name)
def test_no_file_gains_phrases_of_translated_english(path):
    allowed = json.loads(ALLOWED.read_text(encoding="utf-8")).get(name(path), 0)
    found = phrases(path)
    assert len(found) <= allowed, f"write plain English instead of {sorted(set(found))}"


def test_the_phrases_are_found_where_a_reader_sees_them(tmp_path):
    module = tmp_path / "module.py"
    module.write_text(
        '"""What shall be done."""\ntold = 1  # as far as known\ntext = f"those\\nof {told}"\n',
        encoding="utf-8",
    )
    assert sorted(phrases(module)) == ["as far as", "shall", "those\nof"]
    page = tmp_path / "page.md"
    page.write_text("The loss is that of the data.\n\n```\ntold\n```\n", encoding="utf-8")
    assert phrases(page) == ["that of"]


def main() -> None:
    """Lower the numbers in ``tests/language.json``; never raise one."""
    before = json.loads(ALLOWED.read_text(encoding="utf-8")) if ALLOWED.exists() else None
    now = {name(path): len(phrases(path)) for path in files()}
    if before is not None:
        now = {path: min(count, before.get(path, 0)) for path, count in now.items()}
    kept = {path: count for path, count in now.items() if count}
    ALLOWED.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
