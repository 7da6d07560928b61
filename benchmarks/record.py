"""Record the page as a person uses it: a GIF of its tabs, and a screenshot of a phone.

    python benchmarks/record.py [--model mnist] [--out docs/pictures]

It starts `ign app` and drives it in Chromium (`apt-get install chromium`): a drawn seven is made
real, samples are generated, a hole is painted, the way between two samples is gone. Nothing is
curated: seeds are those that the page begins with.
"""

import argparse
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

WINDOW, PHONE, WIDTH, LIMIT = (1120, 800), (390, 844), 640, 3e6
NAMES = ("chromium", "chromium-browser", "google-chrome")
SEVEN = [(0.3, 0.22), (0.7, 0.2), (0.55, 0.5), (0.42, 0.82)]


class Film:
    """Pictures of a page, and how long each is shown, in milliseconds."""

    def __init__(self, page):
        self.page, self.frames, self.times = page, [], []

    def show(self, time: int = 120) -> None:
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        size = (WIDTH, round(shot.height * WIDTH / shot.width))
        self.frames.append(shot.resize(size, Image.Resampling.LANCZOS))
        self.times.append(time)

    def save(self, path: Path) -> None:
        every = Image.fromarray(np.concatenate([np.asarray(f) for f in self.frames]))
        palette = every.quantize(128)
        frames = [f.quantize(palette=palette, dither=Image.Dither.NONE) for f in self.frames]
        frames[0].save(
            path, save_all=True, append_images=frames[1:], duration=self.times, loop=0,
            optimize=True,
        )  # fmt: skip
        if path.stat().st_size > LIMIT:
            raise SystemExit(f"{path}: {path.stat().st_size / 1e6:.1f} MB, over {LIMIT / 1e6:.0f}")
        print(f"{path}: {len(frames)} pictures, {path.stat().st_size / 1e6:.2f} MB")


def draw(film: Film, points: list[tuple[float, float]], board: str) -> None:
    """Move the mouse along the points with its button down, a picture for each stroke."""
    page = film.page
    box = page.locator(f"{board} canvas.layer").bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for one in at[1:]:
        page.mouse.move(*one, steps=8)
        page.wait_for_timeout(700)
        film.show(500)
    page.mouse.up()


def tour(film: Film) -> None:
    """Use the tabs, one after the other."""
    from playwright.sync_api import expect

    page = film.page
    draw(film, SEVEN, "#real-board")
    expect(page.locator("#real-out figure")).to_have_count(5)
    page.wait_for_timeout(1500)
    film.show(1800)
    for seed in "12":
        page.get_by_label("Seed").first.fill(seed)
        page.keyboard.press("Tab")
        page.wait_for_timeout(2000)
        film.show(1000)
    page.get_by_role("tab", name="Generate").click()
    page.wait_for_timeout(1500)
    film.show(1600)
    page.get_by_role("tab", name="Edit").click()
    page.get_by_role("button", name="Take a sample").click()
    expect(page.locator("#edit-board .hint")).to_be_hidden()
    page.wait_for_timeout(1000)
    draw(film, [(0.3, 0.35), (0.7, 0.35), (0.3, 0.5), (0.7, 0.5)], "#edit-board")
    page.get_by_role("button", name="Paint what is masked").click()
    expect(page.locator("#edit-out figure").nth(3)).to_be_visible()
    page.wait_for_timeout(2000)
    film.show(1800)
    page.get_by_role("tab", name="Explore").click()
    expect(page.locator("#explore-way figure").first).to_be_visible()
    slider = page.locator("#explore-t input[type=range]")
    slider.focus()
    for _ in range(5):
        for _ in range(2):
            page.keyboard.press("ArrowRight")
        page.wait_for_timeout(900)
        film.show(350)


def main() -> None:
    from playwright.sync_api import expect, sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="mnist")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    options = parser.parse_args()
    words = ["app", options.model, "--port", "0", "--no-browser"]
    served = subprocess.Popen(
        [sys.executable, "-m", "ign", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        found = re.search(r"http://\S+", served.stdout.readline())
        chromium = next(filter(None, map(shutil.which, NAMES)), None)
        if found is None or chromium is None:
            raise SystemExit("no page, or no Chromium: apt-get install chromium")
        expect.set_options(timeout=60_000)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for size in (WINDOW, PHONE):
                page = browser.new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
                page.goto(found.group())
                expect(page.locator("#real-board canvas.layer")).to_be_visible()
                page.wait_for_timeout(1000)
                film = Film(page)
                if size == WINDOW:
                    film.show(800)
                    tour(film)
                    film.save(options.out / "app.gif")
                else:
                    draw(film, SEVEN, "#real-board")
                    expect(page.locator("#real-out figure")).to_have_count(5)
                    page.wait_for_timeout(1500)
                    page.screenshot(path=options.out / "app-phone.png", full_page=True)
            browser.close()
    finally:
        served.terminate()
        served.wait()


if __name__ == "__main__":
    main()
