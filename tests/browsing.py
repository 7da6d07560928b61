"""Windows of two sizes, and what goes wrong in a page."""

from urllib.parse import urlsplit

from playwright.sync_api import Page

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def watched(page: Page, problems: list[str]) -> Page:
    """Note what goes wrong in a page."""

    def request(one):
        address = urlsplit(one.url)
        if address.scheme.startswith("http") and address.hostname not in ("127.0.0.1", "localhost"):
            problems.append(f"asks the network for {one.url}")

    def failed(one):
        # A stream that the page itself closes is no failure.
        if one.failure != "net::ERR_ABORTED":
            problems.append(f"{one.method} {one.url}: {one.failure}")

    def console(message):
        if message.type == "error":
            problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    page.on("request", request)
    page.on("requestfailed", failed)
    page.on("console", console)
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.on(
        "response",
        lambda r: problems.append(f"{r.status} {r.url}") if r.status >= 400 else None,
    )
    return page
