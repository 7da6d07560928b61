"""The tabs of the page: their parts, and the job that each part starts."""

__all__ = ["edit", "explore", "generate", "real", "score"]

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from ign import degrade
from ign.anomaly import SCORES
from ign.app.background import TURNS
from ign.app.components import canvas, explained, random_seed
from ign.app.reading import FILE, IMAGES
from ign.app.tasks import Tasks
from ign.app.uploads import Uploads
from ign.app.values import choice, flag, number, whole
from ign.edit import METHODS

FREEDOM = 0.8
"""The initial freedom of a drawing; an uploaded picture starts at 0."""
DRAW = "Draw anything, even a smudge."
PICTURE = "Take a picture, brush over a part of it, and let the network paint that part."
MOST_K = 20
FIXED: dict[str, Any] = {
    "concurrency_id": "model",
    "concurrency_limit": 1,
    "api_visibility": "private",
    "preprocess": False,
}
"""Options that run one job at a time on the model and disable gradio's programming interface.

Each job validates its own inputs, which come from the client, and returns error messages as text.
"""


def real(tasks: Tasks, uploads: Uploads) -> None:
    plain = tasks.background is not None
    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            board = canvas(
                "Canvas to draw on. Arrow keys move the brush; the space bar sets it down.",
                "Draw here, or drop a picture", tasks.side, colours=not tasks.gray,
                target="real-upload", elem_id="real-board",
            )  # fmt: skip
            go = gr.Button("Make it real", variant="primary", elem_id="real-go")
            upload = _upload("real-upload")
        with gr.Column(scale=4, min_width=300):
            out = gr.HTML(_blank(DRAW), elem_id="real-out")
            with gr.Row():
                freedom = gr.Slider(
                    0, 1, FREEDOM, step=0.05, label="Freedom", elem_id="freedom", scale=3,
                    info="0 projects the picture itself; higher values mix in noise and give the"
                    " network more freedom.",
                )  # fmt: skip
                seed = gr.Number(
                    0, label="Seed", info="of the noise", precision=0, minimum=0, maximum=2**32,
                    min_width=90,
                )  # fmt: skip
            with gr.Accordion("Degrade the picture first", open=False):
                knobs = _spoilers(tasks)
            with gr.Accordion("Preprocessing", open=False, visible=plain):
                turn = gr.Radio(TURNS, value="automatic", label="Swap dark and light")
                fit = gr.Checkbox(plain, label="Centre and scale the drawing like the data")

    def run(drawing: Any, freedom: Any, turn: Any, fit: Any, seed: Any, *values: Any) -> str:
        return tasks.real(
            drawing, number("freedom", freedom, 0, 1), _spoil(values),
            choice("swap dark and light", turn, TURNS), flag("centre and scale", fit),
            whole("seed", seed),
        )  # fmt: skip

    def run_upload(file: Any, *values: Any) -> tuple[dict[str, str], float, str]:
        drawing = _loaded(uploads, file, tasks.load)
        return drawing, 0.0, run(drawing, 0.0, *values)

    settings = [freedom, turn, fit, seed, *knobs]
    go.click(explained(run), [board, *settings], out, **FIXED)
    triggers = [board.input, *(one.change for one in settings)]
    _live(triggers, _when_drawn(explained(run)), [board, *settings], out)
    upload.upload(
        explained(run_upload, 2), [upload, *settings[1:]], [board, freedom, out],
        show_progress="hidden", **FIXED,
    )  # fmt: skip


def _spoilers(tasks: Tasks) -> list[Any]:
    """The sliders that :func:`_spoil` reads."""
    return [
        gr.Checkbox(False, label="Gray", visible=not tasks.gray),
        gr.Checkbox(False, label="Sketch"),
        gr.Slider(0, 5, 0, step=0.25, label="Blur, pixels"),
        gr.Slider(1, 8, 1, step=1, label="Coarse, pixels"),
        gr.Slider(0, 1.5, 0, step=0.05, label="Noise, standard deviation"),
        gr.Slider(0, 0.5, 0, step=0.02, label="Salt and pepper, share"),
    ]


def _spoil(values: Sequence[Any]) -> list[degrade.Degradation]:
    gray, sketch = flag("gray", values[0]), flag("sketch", values[1])
    blur, coarse = number("blur", values[2], 0, 5), whole("coarse", values[3], 1, 8)
    noise, pepper = number("noise", values[4], 0, 1.5), number("salt and pepper", values[5], 0, 0.5)
    made: list[tuple[bool, Callable[[], degrade.Degradation]]] = [
        (gray, degrade.Grayscale),
        (sketch, lambda: degrade.Sketch(clamp=True)),
        (blur > 0, lambda: degrade.Blur(blur)),
        (coarse > 1, lambda: degrade.Downsample(coarse)),
        (noise > 0, lambda: degrade.AdditiveNoise(noise)),
        (pepper > 0, lambda: degrade.SaltAndPepper(pepper)),
    ]
    return [make() for wanted, make in made if wanted]


def generate(tasks: Tasks) -> None:
    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            seed = _seed("Seed", "generate-seed")
            count = gr.Slider(1, 64, 16, step=1, label="Images", elem_id="generate-count")
            k = _applications()
            go = gr.Button("Generate", variant="primary", elem_id="generate-go")
            other = gr.Button("Another seed", elem_id="generate-other")
        with gr.Column(scale=4, min_width=300):
            out = gr.HTML(tasks.generate(0, 16, 1), elem_id="generate-out")

    def run(seed: Any, count: Any, k: Any) -> str:
        return tasks.generate(whole("seed", seed), whole("images", count, 1, 64), _k(k))

    inputs = [seed, count, k]
    go.click(explained(run), inputs, out, **FIXED)
    other.click(random_seed, None, seed, api_visibility="private", preprocess=False).then(
        explained(run), inputs, out, **FIXED
    )


def edit(tasks: Tasks, uploads: Uploads) -> None:
    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            board = canvas(
                "Picture to mask. Arrow keys move the brush; the space bar sets it down.",
                "Take a sample or a picture first", tasks.side, "mask", target="edit-upload",
                elem_id="edit-board",
            )  # fmt: skip
            with gr.Row():
                sample = gr.Button("Take a sample", elem_id="edit-sample", min_width=120)
                upload = _upload("edit-upload")
            go = gr.Button("Paint what is masked", variant="primary", elem_id="edit-go")
        with gr.Column(scale=4, min_width=300):
            out = gr.HTML(_blank(PICTURE), elem_id="edit-out")
            with gr.Row():
                count = gr.Slider(1, 12, 6, step=1, label="Variations", elem_id="edit-count")
                k = _applications(10)
            with gr.Row():
                seed = _seed("Seed of the noise", "edit-seed")
                keep = gr.Checkbox(
                    True, label="Keep the picture outside the mask", elem_id="edit-keep"
                )

    def run(drawing: Any, seed: Any, count: Any, k: Any, keep: Any) -> str:
        return tasks.paint(
            drawing, whole("seed", seed), whole("variations", count, 1, 12), _k(k),
            flag("keep", keep),
        )  # fmt: skip

    def take() -> tuple[dict[str, str], str]:
        return tasks.load_sample(random_seed(), 0), _blank(PICTURE)

    def load(file: Any) -> tuple[dict[str, str], str]:
        return _loaded(uploads, file, tasks.load_preprocessed), _blank(PICTURE)

    go.click(explained(run), [board, seed, count, k, keep], out, **FIXED)
    sample.click(explained(take, 1), None, [board, out], show_progress="hidden", **FIXED)
    upload.upload(explained(load, 1), upload, [board, out], show_progress="hidden", **FIXED)


def explore(tasks: Tasks) -> None:
    gr.HTML("<h2>Between two samples</h2>")
    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            seed = _seed("Seed", "explore-seed")
            with gr.Row():
                start, end = _number("From sample", 0), _number("To sample", 1)
            t = gr.Slider(
                0, 1, 0.5, step=0.01, label="Position t between them", elem_id="explore-t"
            )
            k = _applications()
            method = gr.Radio(METHODS, value=METHODS[0], label="Way")
        with gr.Column(scale=4, min_width=300):
            way = gr.HTML(tasks.between(0, 0, 1, 0.5, 1, METHODS[0]), elem_id="explore-way")
    gr.HTML("<h2>Arithmetic</h2>")
    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            with gr.Row():
                base, plus, minus = (
                    _number(text, n) for n, text in enumerate(("Sample", "Plus", "Minus"))
                )
            strength = gr.Slider(-2, 2, 1, step=0.1, label="Strength", elem_id="explore-strength")
        with gr.Column(scale=4, min_width=300):
            total = gr.HTML(tasks.add(0, 0, 1, 2, 1, 1), elem_id="explore-sum")

    def between(seed: Any, start: Any, end: Any, t: Any, k: Any, method: Any) -> str:
        return tasks.between(
            whole("seed", seed), whole("from sample", start), whole("to sample", end),
            number("t", t, 0, 1), _k(k), choice("way", method, METHODS),
        )  # fmt: skip

    def add(seed: Any, base: Any, plus: Any, minus: Any, strength: Any, k: Any) -> str:
        return tasks.add(
            whole("seed", seed), whole("sample", base), whole("plus", plus), whole("minus", minus),
            number("strength", strength, -2, 2), _k(k),
        )  # fmt: skip

    every: list[tuple[Callable[..., str], list[Any], gr.HTML]] = [
        (between, [seed, start, end, t, k, method], way),
        (add, [seed, base, plus, minus, strength, k], total),
    ]
    for run, inputs, out in every:
        _live([one.change for one in inputs], explained(run), inputs, out)


def score(tasks: Tasks, uploads: Uploads) -> None:
    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            files = gr.File(
                label=f"Pictures or a zip of them, {FILE // 2**20} MB each, at most {IMAGES}",
                file_count="multiple", height=180, elem_id="score-files",
            )  # fmt: skip
            folder = gr.UploadButton("A folder", file_count="directory", elem_id="score-folder")
            kind = gr.Radio(tuple(SCORES), value="displacement", label="Score")
            gr.HTML(
                "<p>The displacement measures how far f moves a picture. The residual measures how"
                " far f moves the result. Both are small on the data. Each row shows the picture,"
                " f(y), and a map of the change, from black over orange to yellow.</p>"
            )
        with gr.Column(scale=4, min_width=300):
            out = gr.HTML(_blank("Drop pictures, a zip or a folder."), elem_id="score-out")

    def run(given: Any, kind: Any) -> tuple[None, str]:
        paths = uploads.paths(given)
        try:
            return None, tasks.score(paths, choice("score", kind, tuple(SCORES)))
        finally:
            uploads.discard(paths)

    for source in (files, folder):
        source.upload(explained(run, 1), [source, kind], [source, out], **FIXED)


def _loaded(uploads: Uploads, file: Any, load: Callable[[str], dict[str, str]]) -> dict[str, str]:
    """Load one uploaded file, and delete it afterwards.

    Raises:
        ValueError: The file does not belong to the visitor, or cannot be read.
    """
    paths = uploads.paths(file)
    try:
        if len(paths) != 1:
            raise ValueError("give one picture")
        return load(paths[0])
    finally:
        uploads.discard(paths)


def _upload(name: str) -> gr.UploadButton:
    return gr.UploadButton("Upload a picture", file_types=["image"], elem_id=name, min_width=120)


def _seed(label: str, name: str) -> gr.Number:
    return gr.Number(0, label=label, precision=0, minimum=0, maximum=2**32, elem_id=name)


def _number(label: str, value: int) -> gr.Number:
    return gr.Number(value, label=label, precision=0, minimum=0, maximum=2**32, min_width=70)


def _applications(value: int = 1) -> gr.Slider:
    return gr.Slider(1, MOST_K, value, step=1, label="Applications, k")


def _k(value: Any) -> int:
    return whole("applications", value, 1, MOST_K)


def _live(triggers: list[Any], run: Callable[..., str], inputs: list[Any], out: gr.HTML) -> None:
    """Run a job on each event, one at a time; the last run uses the latest values."""
    gr.on(triggers, run, inputs, out, trigger_mode="always_last", show_progress="hidden", **FIXED)


def _blank(text: str) -> str:
    return f'<p class="blank">{text}</p>'


def _when_drawn(run: Callable[..., str]) -> Callable[..., str]:
    """Wrap a job so that it does nothing while the canvas is blank."""

    def quiet(drawing: Any, *others: Any) -> str:
        if not isinstance(drawing, dict) or not drawing.get("picture"):
            return _blank(DRAW)
        return run(drawing, *others)

    return quiet
