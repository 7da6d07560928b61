"""Request every address in the README and the docs; needs a network.

python tools/links.py
"""

import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = re.compile(r"https?://[^\s)\]>\"'`]+")
SECONDS = 20


def pages() -> Iterator[Path]:
    """The README and every page of the docs."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))


def addresses() -> dict[str, Path]:
    """Every address, and the first page that contains it."""
    found: dict[str, Path] = {}
    for page in pages():
        for address in ADDRESS.findall(page.read_text(encoding="utf-8")):
            found.setdefault(address.rstrip(".,;"), page)
    return found


def problem(address: str) -> str:
    """The error of a request to an address, or an empty string."""
    try:
        with urlopen(Request(address, headers={"User-Agent": "Mozilla/5.0"}), timeout=SECONDS):
            return ""
    except HTTPError as error:  # the site exists but refuses scripts
        return "" if error.code in (403, 405, 429) else str(error)
    except OSError as error:
        return str(error)


def main() -> int:
    found = addresses()
    with ThreadPoolExecutor(8) as pool:
        problems = dict(zip(found, pool.map(problem, found), strict=True))
    bad = {address: text for address, text in problems.items() if text}
    for address, text in bad.items():
        print(f"{found[address].relative_to(ROOT)}: {address}: {text}")
    print(f"{len(found)} addresses, {len(bad)} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
