"""The page of examples/web in Chromium, with the packaged model, and no server but for files."""

import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import torch
from npm import installed

from ign import IGN
from ign.data import to_uint8
from ign.export import export


class Files(SimpleHTTPRequestHandler):
    """As ``python -m http.server``, in silence."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def model():
    return IGN.from_pretrained("mnist")


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    """The example's files, and those that its commands make."""
    source, folder = installed("web"), tmp_path_factory.mktemp("web")
    for name in ("index.html", "app.js", "style.css"):
        shutil.copy(source / name, folder)
    (folder / "node_modules").symlink_to(source / "node_modules")
    export(model, folder / "mnist.onnx", half=True)
    export(model, folder / "mnist-sampler.onnx", sampler=True, half=True)
    return folder


@pytest.fixture(scope="module")
def address(folder):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=folder))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/index.html"
    server.shutdown()
    server.server_close()


@pytest.fixture
def ready(page, address):
    page.goto(address)
    page.get_by_text("Ready.").wait_for(timeout=120_000)
    return page


def state(page):
    """What the page computed, when it has, as (1, 1, 28, 28), and whether it was from noise."""
    page.wait_for_function("() => !ign.busy()")
    found = page.evaluate(
        "() => ({noise: ign.state.noise, ...Object.fromEntries("
        "['y', 'once', 'twice'].map((k) => [k, Array.from(ign.state[k])]))})"
    )
    images = (torch.tensor(found[k]).view(1, 1, 28, 28) for k in ("y", "once", "twice"))
    return *images, found["noise"]


def drawn(page, name):
    """The levels of gray that a canvas shows, (28, 28)."""
    levels = page.evaluate(
        "(id) => { const c = document.getElementById(id);"
        " return Array.from(c.getContext('2d').getImageData(0, 0, 28, 28).data) }",
        name,
    )
    return torch.tensor(levels, dtype=torch.uint8).view(28, 28, 4)[..., 0]


def test_noise_becomes_the_digits_that_the_model_makes_of_it(ready, model, shots):
    ready.get_by_role("button", name="Generate").click()
    z, once, twice, noise = state(ready)
    assert noise
    assert 0.8 < z.std() < 1.2
    wanted = model.trajectory(z, [1, 2], noise=True)
    assert (once - wanted[0]).abs().max() < 1e-4
    assert (twice - wanted[1]).abs().max() < 1e-4
    off = drawn(ready, "once").int() - to_uint8(wanted[0])[0, 0].int()
    assert off.abs().max() <= 1
    assert drawn(ready, "once").float().std() > 30, "a digit, not an empty picture"
    assert ready.locator("#once-name").inner_text() == "f(z)"
    shown = float(ready.locator("#second").inner_text())
    assert shown == pytest.approx((twice - once).abs().mean().item(), abs=6e-4)
    ready.screenshot(path=shots / "web-desktop.png", full_page=True)


def test_a_drawing_is_projected_as_python_projects_it(ready, model):
    """By mouse, by keyboard, and with noise on it."""
    ready.get_by_role("button", name="Clear").click()
    box = ready.locator("#input").bounding_box()
    x, y, side = box["x"], box["y"], box["width"]
    ready.mouse.move(x + 0.5 * side, y + 0.2 * side)
    ready.mouse.down()
    ready.mouse.move(x + 0.5 * side, y + 0.8 * side, steps=12)
    ready.mouse.up()
    ready.locator("#input").focus()
    for key in ("ArrowLeft", " ", "ArrowLeft", "ArrowLeft", "ArrowDown", " ", "ArrowDown"):
        ready.keyboard.press(key)
    for spoil in (False, True):
        if spoil:
            ready.get_by_role("button", name="Add noise").click()
        y, once, twice, noise = state(ready)
        assert not noise
        wanted = model.trajectory(y, [1, 2])
        assert (once - wanted[0]).abs().max() < 1e-4
        assert (twice - wanted[1]).abs().max() < 1e-4
        if not spoil:
            assert (y[0, 0, 6:22, 13:15] > 0.9).all(), "the mouse's line"
            assert (y[0, 0, 14, 10:13] > 0.5).all(), "the keyboard's"
            assert (y == -1).float().mean() > 0.7


def test_a_phone_shows_all_of_it(page, address, shots):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    page.get_by_text("Ready.").wait_for(timeout=120_000)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    for button in page.get_by_role("button").all():
        assert button.bounding_box()["height"] >= 44
    page.screenshot(path=shots / "web-phone.png", full_page=True)


def test_a_file_that_is_missing_is_named_with_its_command(page, address, folder, problems):
    (folder / "mnist.onnx").rename(folder / "away")
    try:
        page.goto(address)
        page.get_by_text("ign export mnist --out examples/web/mnist.onnx").wait_for()
        assert page.get_by_role("button", name="Generate").is_disabled()
    finally:
        (folder / "away").rename(folder / "mnist.onnx")
    assert all("404" in one for one in problems)
    problems.clear()
