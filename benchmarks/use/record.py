"""Record the pictures of docs/app.md: start `ign app`, use it in a browser, and film it.

    python -m benchmarks.use.record [--model mnist] [--out docs/pictures]

The script writes app.gif and app-phone.png. It needs Chromium from Debian and
`pip install playwright`.
"""

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

WINDOW, PHONE = {"width": 1200, "height": 740}, {"width": 390, "height": 844}
SHOWN = 0.68
"""The size of the film divided by the size of the window."""
COLOURS = 128
MOST = 3 * 10**6
"""The largest size of the film in bytes."""
SMUDGE = [(0.3, 0.3), (0.5, 0.2), (0.6, 0.4), (0.4, 0.5), (0.3, 0.35), (0.55, 0.65), (0.5, 0.8)]
SEVEN = [(0.3, 0.22), (0.68, 0.18), (0.52, 0.5), (0.44, 0.84)]
POINTER = """
const dot = document.createElement("div");
dot.style.cssText = "position:fixed;z-index:9999;width:16px;height:16px;margin:-8px;" +
  "pointer-events:none;border-radius:50%;background:#e4572e;opacity:.8;left:-50px";
document.body.append(dot);
document.addEventListener("mousemove", (e) => {
  dot.style.left = e.clientX + "px"; dot.style.top = e.clientY + "px" }, true);
"""


def chromium() -> str | None:
    """Find Chromium: the path in IGN_CHROMIUM, else the first one on PATH, else None."""
    names = (os.environ.get("IGN_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


class Film:
    """The frames of a film, each with its duration."""

    def __init__(self, page: Page):
        self.page, self.frames, self.times = page, list[Image.Image](), list[int]()

    def shoot(self, milliseconds: int) -> None:
        picture = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        size = [round(side * SHOWN) for side in picture.size]
        self.frames.append(picture.resize(size, Image.Resampling.LANCZOS))
        self.times.append(milliseconds)

    def write(self, path: Path) -> None:
        """Write the film; each frame has its own palette."""
        first, *rest = (f.quantize(COLOURS, dither=Image.Dither.NONE) for f in self.frames)
        first.save(path, save_all=True, append_images=rest, duration=self.times, loop=0)


@contextmanager
def serving(model: str) -> Iterator[str]:
    """Serve the page, and yield its address."""
    words = [sys.executable, "-m", "ign", "app", model, "--port", "0", "--no-browser"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        found = re.search(r"http://\S+", process.stdout.readline() if process.stdout else "")
        if not found:
            raise SystemExit("ign app did not start")
        yield found.group()
    finally:
        process.terminate()
        process.wait()


def draw(
    page: Page,
    points: Sequence[tuple[float, float]],
    board: str = "#real-board",
    film: Film | None = None,
) -> None:
    """Draw a stroke through points in [0, 1] of the canvas, with one frame at each step."""
    canvas = page.locator(f"{board} canvas.layer")
    canvas.hover()  # hover waits until nothing covers the canvas, such as the "Loading" of gradio
    box = canvas.bounding_box()
    assert box
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for (x, y), (u, v) in pairwise(at):
        for part in (1 / 3, 2 / 3, 1):
            page.mouse.move(x + part * (u - x), y + part * (v - y))
            if film:
                film.shoot(70)
    page.mouse.up()


def use(page: Page, film: Film) -> None:
    """Film two drawings, samples, an edit, and an interpolation between two samples."""
    film.shoot(900)
    for points in (SEVEN, SMUDGE):
        draw(page, points, "#real-board", film)
        expect(page.locator("#real-out figure")).to_have_count(5)
        page.wait_for_timeout(300)
        film.shoot(2200)
        page.get_by_role("button", name="Clear").first.click()
        expect(page.get_by_text("Draw anything, even a smudge.")).to_be_visible()
    page.get_by_role("tab", name="Generate").click()
    page.wait_for_timeout(300)
    film.shoot(1600)
    page.get_by_role("tab", name="Edit").click()
    page.get_by_role("button", name="Take a sample").click()
    expect(page.locator("#edit-board .hint")).to_be_hidden()
    page.wait_for_timeout(300)
    film.shoot(900)
    draw(page, [(0.35, 0.3), (0.65, 0.34), (0.4, 0.42), (0.66, 0.46)], "#edit-board", film)
    page.get_by_role("button", name="Paint what is masked").click()
    expect(page.locator("#edit-out figure")).to_have_count(8)
    page.wait_for_timeout(300)
    film.shoot(2500)
    page.get_by_role("tab", name="Explore").click()
    page.wait_for_timeout(300)
    film.shoot(900)
    slider = page.locator("#explore-t input[type=range]")
    for t in (0.4, 0.3, 0.2, 0.1, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1):
        slider.fill(str(t))
        expect(page.get_by_text(f"t = {t:.2f}", exact=True)).to_be_visible()
        film.shoot(140)
    film.shoot(1500)


def still(browser: Browser, address: str, path: Path) -> None:
    """Take a screenshot of the first tab on a phone, with a projected drawing."""
    page = browser.new_page(viewport=PHONE)
    page.goto(address)
    page.wait_for_selector("#real-board canvas.layer[aria-label]")
    page.wait_for_timeout(1000)
    draw(page, SEVEN, "#real-board")
    expect(page.locator("#real-out figure")).to_have_count(5)
    page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    picture.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    page.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="mnist")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    options = parser.parse_args()
    expect.set_options(timeout=60_000)
    path = chromium()
    if path is None:
        raise SystemExit("no Chromium here: apt-get install chromium")
    with serving(options.model) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-sync"]
        )
        page = browser.new_page(viewport=WINDOW)
        page.goto(address)
        page.wait_for_selector("#real-board canvas.layer[aria-label]")
        page.wait_for_timeout(1000)
        page.evaluate(POINTER)
        film = Film(page)
        use(page, film)
        film.write(options.out / "app.gif")
        still(browser, address, options.out / "app-phone.png")
        browser.close()
    size = (options.out / "app.gif").stat().st_size
    print(f"{options.out / 'app.gif'}: {len(film.frames)} frames, {size / 1e6:.2f} MB")
    if size > MOST:
        raise SystemExit(f"over {MOST / 1e6:g} MB")


if __name__ == "__main__":
    main()
