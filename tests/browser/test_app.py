"""The page as a person uses it: each tab, bad uploads, two visitors at once."""

import csv
import http.server
import io
import os
import re
import signal
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from browsing import DESKTOP, PHONE, watched
from drawings import seven
from forked import Forked
from PIL import Image

pytest.importorskip("gradio", reason="gradio is not installed")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from benchmarks.use.record import draw
from ign import IGN
from ign.view import pictures

expect.set_options(timeout=60_000)  # a page is quick, a machine that does other things is not
TABS = ("Make it real", "Generate", "Edit", "Explore", "Score")
APP = """
from ign.app import uploads
from ign.cli import main
uploads.STALE = 10
raise SystemExit(main())
"""
SLOW = """
import sys, time
from drawings import untrained
from ign.app import server, tasks
generate = tasks.Tasks.generate
tasks.Tasks.generate = lambda self, seed, *rest: (
    time.sleep(8 * (seed == 99)) or generate(self, seed, *rest))
server.serve(untrained(3, 16), "slow", port=0, queue=1)
"""


class Served(NamedTuple):
    """A running page: its address, and the folder that its temporary one is in."""

    address: str
    folder: Path

    @property
    def root(self) -> str:
        """The address without the token."""
        return self.address.partition("?")[0]

    def kept(self) -> list[str]:
        """The files that are left of visitors; gradio's empty ones hold nothing."""
        files = (p for p in self.folder.rglob("*") if p.is_file())
        return [p.name for p in files if p.stat().st_size]


def serving(code: str, words: list[str], folder: Path) -> Iterator[Served]:
    """A page of a process of its own, which must leave nothing when it is ended."""
    process = Forked(*words, code=code, variables={"TMPDIR": str(folder)})
    try:
        found = re.search(r"http://127.0.0.1:\d+/\?token=[\w-]+", process.line())
        assert found, process.out + process.err
        yield Served(found.group(), folder)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    finally:
        process.kill()
    assert list(folder.glob("ign-app-*")) == []


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """``ign app`` with the packaged digits."""
    words = ["app", "mnist", "--port", "0", "--no-browser"]
    yield from serving(APP, words, tmp_path_factory.mktemp("app"))


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A colour model of which seed 99 takes eight seconds, and a queue of one."""
    yield from serving(SLOW, [], tmp_path_factory.mktemp("slow"))


def opened(page: Page, app: Served, tab: str = TABS[0]) -> Page:
    page.goto(app.address)
    expect(page.locator("#real-board canvas.layer[aria-label]")).to_be_visible()  # its script ran
    if tab != TABS[0]:
        page.get_by_role("tab", name=tab).click()
    return page


SEVEN = [(0.15, 0.15), (0.5, 0.15), (0.3, 0.6)]


def captions(page: Page, out: str) -> list[str]:
    return page.locator(f"{out} figcaption").all_inner_texts()


def image(page: Page, out: str, caption: str) -> bytes:
    """The PNG over a caption."""
    figure = page.locator(f"{out} figure", has=page.get_by_text(caption, exact=True))
    return figure.locator("img").get_attribute("src")


def test_draw_a_smudge_and_see_a_digit(page, app, shots):
    opened(page, app)
    draw(page, SEVEN)
    expect(page.locator("#real-out figure")).to_have_count(5)
    text = page.locator("#real-out").inner_text()
    assert "Dark and light were inverted, since the data are light on dark." in text
    assert "centred and scaled" in text
    page.screenshot(path=shots / "real.png", full_page=True)
    before = image(page, "#real-out", "f(y)")
    turned(page.get_by_label("Seed").first, page.locator("#real-out img").nth(2), before)
    page.get_by_role("button", name="Clear").first.click()
    expect(page.get_by_text("Draw anything, even a smudge.")).to_be_visible()
    page.get_by_role("button", name="Make it real").click()
    expect(page.get_by_text("nothing is drawn yet")).to_be_visible()


def turned(knob: Locator, shown: Locator, before: str) -> None:
    """Set a knob until the image changes: one that has just appeared falls back to its value."""
    for value in ("3", "4", "5"):
        knob.fill(value)
        knob.press("Tab")
        try:
            expect(shown).not_to_have_attribute("src", before, timeout=20_000)
        except AssertionError:
            continue
        return
    pytest.fail("the image stays, whatever the knob")


def test_sliders_spoil_the_picture(page, app):
    opened(page, app)
    draw(page, SEVEN)
    expect(page.locator("#real-out figure")).to_have_count(5)
    seen = image(page, "#real-out", "Seen, x")
    page.get_by_role("button", name="Degrade the picture first").click()
    blur = page.get_by_label("number input for Blur, pixels")
    turned(blur, page.locator("#real-out img").first, seen)


def test_draw_with_the_keyboard_and_undo(page, app):
    opened(page, app)
    page.locator("#real-board canvas.layer").focus()
    page.keyboard.press("Space")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#real-board .cursor")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.locator("#real-out figure")).to_have_count(5)
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_text("Draw anything, even a smudge.")).to_be_visible()


def test_upload_a_photograph_of_a_digit(page, app, shots, tmp_path):
    seven(True).point(lambda v: 90 + v // 2).save(tmp_path / "photo.jpg")
    opened(page, app)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload a picture").first.click()
    chooser.value.set_files(tmp_path / "photo.jpg")
    expect(page.locator("#real-out figure")).to_have_count(4)
    assert "The paper was replaced by the background" in page.locator("#real-out").inner_text()
    assert captions(page, "#real-out")[0] == "Seen, y"
    page.screenshot(path=shots / "real-photo.png", full_page=True)
    assert app.kept() == []


def test_a_dropped_picture_and_the_webcam(page, app, tmp_path):
    opened(page, app)
    content = page.evaluate_handle(
        """() => { const c = document.createElement("canvas"); c.width = c.height = 50;
        const p = c.getContext("2d"); p.fillStyle = "#fff"; p.fillRect(0, 0, 50, 50);
        p.fillStyle = "#000"; p.fillRect(20, 5, 8, 40);
        const bytes = atob(c.toDataURL().split(",")[1]);
        const parcel = new DataTransfer();
        const data = Uint8Array.from(bytes, (one) => one.charCodeAt(0));
        parcel.items.add(new File([data], "one.png", { type: "image/png" })); return parcel }"""
    )
    page.dispatch_event("#real-board canvas.layer", "drop", {"dataTransfer": content})
    expect(page.locator("#real-out figure")).to_have_count(4)
    before = image(page, "#real-out", "f(y)")
    page.get_by_role("button", name="Webcam").click()
    page.get_by_role("button", name="Take the picture").click()
    expect(page.locator("#real-out img").nth(1)).not_to_have_attribute("src", before)
    expect(page.get_by_role("button", name="Webcam")).to_be_visible()
    assert app.kept() == []


def test_bad_uploads_are_told_and_the_page_goes_on(page, app, problems, shots, tmp_path):
    Image.new("1", (9000, 9000)).save(tmp_path / "huge.png")
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    (tmp_path / "heavy.jpg").write_bytes(b"\xff\xd8\xff" + os.urandom(21 * 2**20))
    opened(page, app)
    button = "#real-upload"
    for name, words in (
        ("huge.png", "huge.png: over 50 megapixels"),
        ("text.png", "text.png: not an image of a known format"),
        ("heavy.jpg", "exceed the maximum allowed size of 20.0 Mb"),
    ):
        with page.expect_file_chooser() as chooser:
            page.locator(button).click()
        chooser.value.set_files(tmp_path / name)
        expect(page.get_by_text(words).first).to_be_visible()
    page.screenshot(path=shots / "refused.png")
    problems[:] = [p for p in problems if "413" not in p]
    draw(page, SEVEN)
    expect(page.locator("#real-out figure")).to_have_count(5)
    for _ in range(60):  # what was refused on the way is swept, here after ten seconds
        if app.kept():
            page.wait_for_timeout(500)
    assert app.kept() == []


def test_generate_and_save(page, app, shots):
    opened(page, app, "Generate")
    expect(page.locator("#generate-out figure")).to_have_count(16)
    page.locator("#generate-seed input").fill("7")
    count = page.locator("#generate-count input[type=number]")
    count.fill("9")
    count.press("Tab")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator("#generate-out figure")).to_have_count(9)
    page.screenshot(path=shots / "generate.png", full_page=True)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as").click()
    assert download.value.suggested_filename == "samples-seed7-k1.png"
    wanted = pictures.grid(IGN.from_pretrained("mnist").sample(9, seed=7))
    found = np.asarray(Image.open(download.value.path())).astype(int)
    assert np.abs(found - np.asarray(wanted)).max() <= 1
    page.get_by_role("button", name="Another seed").click()
    expect(page.locator("#generate-seed input")).not_to_have_value("7")


def test_edit_paints_variations(page, app, shots):
    opened(page, app, "Edit")
    page.get_by_role("button", name="Paint what is masked").click()
    expect(page.get_by_text("nothing is drawn yet")).to_be_visible()
    page.get_by_role("button", name="Take a sample").click()
    expect(page.locator("#edit-board .hint")).to_be_hidden()
    draw(page, [(0.3, 0.5), (0.7, 0.5)], "#edit-board")
    count = page.locator("#edit-count input[type=number]")
    count.fill("4")
    count.press("Tab")
    page.get_by_role("button", name="Paint what is masked").click()
    expect(page.locator("#edit-out figure")).to_have_count(6)
    page.screenshot(path=shots / "edit.png", full_page=True)
    every = [image(page, "#edit-out", f"Variation {i}") for i in range(1, 5)]
    assert len(set(every)) > 1
    before, free = image(page, "#edit-out", "Before"), page.locator("#edit-keep input")
    free.uncheck()
    page.get_by_role("button", name="Paint what is masked").click()
    expect(page.locator("#edit-out img").nth(2)).not_to_have_attribute("src", every[0])
    assert image(page, "#edit-out", "Before") == before


def test_explore_with_the_slider(page, app, shots):
    opened(page, app, "Explore")
    expect(page.locator("#explore-way figure")).to_have_count(11)
    expect(page.locator("#explore-sum figure")).to_have_count(4)
    slider = page.locator("#explore-t input[type=range]")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text("t = 0.55", exact=True)).to_be_visible()
    page.screenshot(path=shots / "explore.png", full_page=True)
    before = image(page, "#explore-sum", "= at strength 1")
    page.get_by_label("Plus").fill("9")
    page.keyboard.press("Tab")
    expect(page.get_by_text("+ sample 9")).to_be_visible()
    assert image(page, "#explore-sum", "= at strength 1") != before


def test_score_a_zip_and_a_folder(page, app, shots, tmp_path):
    folder = tmp_path / "digits"
    folder.mkdir()
    model = IGN.from_pretrained("mnist")
    for i, one in enumerate(model.sample(3)):
        pictures.save(one, folder / f"{i}.png")
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
        archive.writestr("broken.png", b"nothing")
    opened(page, app, "Score")
    page.set_input_files("#score-files input[type=file]", tmp_path / "some.zip")
    expect(page.locator("#score-out tbody tr")).to_have_count(4)
    expect(page.locator("#score-out tbody th").first).to_have_text("noise.png")
    expect(page.get_by_text("1 cannot be read: broken.png: not an image")).to_be_visible()
    page.screenshot(path=shots / "score.png", full_page=True)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as scores.csv").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    assert {row["file"] for row in rows} == {"0.png", "1.png", "2.png", "noise.png"}
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="A folder").click()
    chooser.value.set_files(folder)
    expect(page.get_by_text("cannot be read")).to_be_hidden()
    expect(page.locator("#score-out tbody tr")).to_have_count(4)
    assert app.kept() == []


def test_two_visitors_do_not_see_each_other(browser: Browser, page, app, problems):
    other = browser.new_context(viewport=DESKTOP)
    second = watched(other.new_page(), problems)
    opened(page, app)
    opened(second, app)
    draw(page, SEVEN)
    draw(second, [(0.5, 0.2), (0.5, 0.8)])
    for one in (page, second):
        expect(one.locator("#real-out figure")).to_have_count(5)
    seen = [image(one, "#real-out", "Seen, x") for one in (page, second)]
    assert seen[0] != seen[1]
    page.reload()
    expect(page.get_by_text("Draw anything, even a smudge.")).to_be_visible()
    assert image(second, "#real-out", "Seen, x") == seen[1]
    other.close()


def test_a_full_queue_is_told(browser: Browser, page, slow, problems, shots):
    """One job runs and one waits; one of three visitors is told."""
    others = [browser.new_context() for _ in range(2)]
    pages = [page, *(watched(one.new_page(), problems) for one in others)]
    for one in pages:
        opened(one, slow, "Generate").locator("#generate-seed input").fill("99")
    for one in pages:
        one.get_by_role("button", name="Generate", exact=True).click(no_wait_after=True)
    told: list[Page] = []
    for _ in range(200):
        told = told or [one for one in pages if one.get_by_text("currently busy").count()]
        page.wait_for_timeout(0 if told else 100)
    assert told
    told[0].screenshot(path=shots / "full.png")
    page.wait_for_timeout(1000)
    done = [one for one in pages if not one.get_by_text("currently busy").count()]
    for one in done:
        expect(one.get_by_alt_text("sample 0 of seed 99")).to_be_visible()
    assert len(done) >= 1, "who came first is served"
    assert {p[:3] for p in problems} == {"503", "con"}
    problems.clear()
    for one in others:
        one.close()


def test_colours(page, slow, shots):
    opened(page, slow)
    page.locator("#real-board .colour").fill("#d02020")
    draw(page, SEVEN)
    expect(page.locator("#real-out figure")).to_have_count(5)
    page.get_by_role("button", name="Degrade the picture first").click()
    expect(page.get_by_label("Gray")).to_be_visible()
    expect(page.get_by_text("Preprocessing")).to_be_hidden()
    page.screenshot(path=shots / "colours.png", full_page=True)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility_and_layout(browser: Browser, app, problems, shots, size, scheme):
    context = browser.new_context(
        viewport=size, color_scheme=scheme, is_mobile=size is PHONE, has_touch=size is PHONE
    )
    page = opened(watched(context.new_page(), problems), app)
    name = f"{'phone' if size is PHONE else 'desktop'}-{scheme}"
    for tab in TABS:
        page.get_by_role("tab", name=tab).click()
        if tab in ("Generate", "Explore"):
            expect(
                page.locator(f"#{tab.lower()}-{'out' if tab == 'Generate' else 'way'} img").first
            ).to_be_visible()
        found = Axe().run(page).response["violations"]
        told = [f"{tab}: {v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]
        assert not told, "\n".join(told)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{tab}: {wide} pixels wider than the window"
        page.screenshot(path=shots / f"{name}-{tab.lower().replace(' ', '-')}.png", full_page=True)
    context.close()
    assert problems == []


def test_no_file_is_served(page, app, tmp_path):
    opened(page, app)
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    for path in (
        f"file={tmp_path}/secret.txt",
        "file=/etc/passwd",
        "file=../../etc/passwd",
        "info",
    ):
        assert page.request.get(f"{app.root}gradio_api/{path}").status == 404
    assert page.request.get(f"{app.root}../../etc/passwd").status == 404


def test_a_name_that_leads_here_is_refused(browser: Browser, app):
    """DNS rebinding: Chromium itself takes the page for a page of evil.example."""
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(app.address.replace("127.0.0.1", "evil.example"))
    assert answer.status == 421
    assert "--allow-host" in page.content()
    context.close()


ATTACKS = """async (root) => {
  const job = { data: [0, 1, 1], fn_index: 0, session_hash: "x" };
  const form = new FormData();
  form.append("files", new Blob(["x"]), "a.png");
  const json = { "Content-Type": "application/json" };
  const every = [
    ["gradio_api/queue/join", { method: "POST", body: JSON.stringify(job), mode: "no-cors" }],
    ["gradio_api/queue/join", { method: "POST", body: JSON.stringify(job), headers: json }],
    ["gradio_api/upload", { method: "POST", body: form, mode: "no-cors" }],
    ["config", {}], ["config", { mode: "no-cors" }], ["", { mode: "no-cors" }],
    ["gradio_api/heartbeat/x", { mode: "no-cors" }],
  ];
  const found = [];
  for (const [path, options] of every) {
    try {
      const answer = await fetch(root + path, { credentials: "include", ...options });
      found.push(answer.type === "opaque" ? "opaque" : "read");
    } catch (error) { found.push("failed"); }
  }
  const script = document.createElement("script");
  script.src = root + "config";
  const frame = document.createElement("iframe");
  frame.src = root;
  const loaded = (one) => new Promise((end) => {
    one.onload = () => end("loaded"); one.onerror = () => end("failed"); document.body.append(one);
  });
  found.push(await loaded(script));
  await loaded(frame);
  try { found.push(frame.contentDocument ? "read" : "failed"); } catch { found.push("failed"); }
  return found;
}"""


def test_another_web_page_can_do_nothing(page, app, problems):
    """It lies on another port of this machine, so that the browser sends the strict cookie."""
    opened(page, app)
    other = page.context.new_page()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Blank)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    other.goto(f"http://127.0.0.1:{server.server_port}/")
    found = other.evaluate(ATTACKS, app.root)
    server.shutdown()
    assert "read" not in found
    assert "loaded" not in found
    address = f"{app.root}gradio_api/queue/data?session_hash=x"
    assert page.request.get(address).status == 404, "no job was taken"
    assert app.kept() == []
    other.close()
    problems.clear()


class Blank(http.server.BaseHTTPRequestHandler):
    """An empty web page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title><body></body>")

    def log_message(self, *_: object) -> None:
        pass


def test_a_name_of_a_zips_member_is_text(page, app, tmp_path):
    name = "<img src=x onerror=document.title='hit'>.png"
    with zipfile.ZipFile(tmp_path / "<b>bad</b>.zip".replace("/", "_"), "w") as archive:
        archive.writestr(name, b"nothing")
    opened(page, app, "Score")
    file = next(tmp_path.glob("*.zip"))
    page.set_input_files("#score-files input[type=file]", file)
    expect(page.locator("#score-out [role=alert]")).to_contain_text(f"{name}: not an image")
    assert page.title() != "hit"
    assert page.locator("#score-out img, #score-out b").count() == 0


def test_a_message_stands_in_the_place_of_the_result(page, app):
    opened(page, app)
    for _ in range(3):
        page.get_by_role("button", name="Make it real").click()
    expect(page.locator("#real-out [role=alert]")).to_have_count(1)
    expect(page.locator(".toast-body")).to_have_count(0)
    draw(page, SEVEN)
    expect(page.locator("#real-out figure")).to_have_count(5)
    expect(page.locator("#real-out [role=alert]")).to_have_count(0)
