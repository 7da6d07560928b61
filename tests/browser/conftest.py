"""A real browser without a window, Debian's Chromium, and what goes wrong in its pages."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from browsing import DESKTOP, watched
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.use.record import chromium

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP evil.example 127.0.0.1",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
]  # fmt: skip


def executable() -> str:
    """The browser that IGN_CHROMIUM names, else the first one on the path.

    Without one the tests are skipped; with IGN_BROWSER=required, as in CI, they fail.
    """
    found = chromium()
    if found is None:
        told = "no Chromium here: apt-get install chromium, or name one by IGN_CHROMIUM"
        if os.environ.get("IGN_BROWSER") == "required":
            pytest.fail(told)
        pytest.skip(told)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for a module: while it runs, this thread has an event loop."""
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def problems() -> list[str]:
    """Errors in the console, requests that failed or left this machine; clear what is meant."""
    return []


@pytest.fixture
def page(browser: Browser, problems: list[str]) -> Iterator[Page]:
    """A page of a fresh visitor on a desktop; the test fails if it had :func:`problems`."""
    with_downloads = browser.new_context(viewport=DESKTOP, accept_downloads=True)
    with_downloads.set_default_timeout(60_000)
    page = watched(with_downloads.new_page(), problems)
    yield page
    with_downloads.close()
    assert not problems, "\n".join(problems)


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where screenshots go: IGN_SHOTS, or the ignored folder beside this file."""
    folder = Path(os.environ.get("IGN_SHOTS") or Path(__file__).parent / "shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
