"""The tabs of the page: what is on them, and which task each of their parts starts."""

__all__ = ["edit", "explore", "generate", "real", "score"]

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from ign import degrade
from ign.anomaly import SCORES
from ign.app.ground import TURNS
from ign.app.intake import FILE, IMAGES
from ign.app.parts import board, guarded, seeds, taken
from ign.app.tasks import Tasks
from ign.edit import METHODS

FREEDOM = 0.8
"""Of a drawing at first; an uploaded picture starts at 0."""
DRAW = "Draw anything, a smudge will do."
FIXED: dict[str, Any] = {
    "concurrency_id": "model",
    "concurrency_limit": 1,
    "api_visibility": "private",
}
"""One job at a time on the model, and no programming interface."""


def real(tasks: Tasks) -> None:
    plain = tasks.ground is not None
    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            canvas = board(
                "Canvas to draw on. Arrow keys move the brush, the space bar puts it down.",
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
                    info="0 keeps to the picture; more mixes in noise, of which the network makes"
                    " what it knows.",
                )  # fmt: skip
                seed = gr.Number(
                    0, label="Seed", info="of the noise", precision=0, minimum=0, maximum=2**32,
                    min_width=90,
                )  # fmt: skip
            with gr.Accordion("Spoil the picture first", open=False):
                knobs = _spoilers(tasks)
            with gr.Accordion("How it is read", open=False, visible=plain):
                turn = gr.Radio(TURNS, value="automatic", label="Swap dark and light")
                fit = gr.Checkbox(plain, label="Centre and scale the drawing as the data are")

    def run(drawing: Any, freedom: float, turn: str, fit: bool, seed: int, *values: Any) -> str:
        return tasks.real(drawing, freedom, _spoil(values), turn, fit, _whole(seed))

    inputs = [canvas, freedom, turn, fit, seed, *knobs]
    go.click(guarded(run), inputs, out, **FIXED)
    _live([canvas.input, *(one.change for one in inputs[1:])], _when_drawn(run), inputs, out)

    def look(file: str) -> tuple[dict[str, str], float]:
        return tasks.look(file), 0.0

    upload.upload(
        taken(guarded(look)), upload, [canvas, freedom], show_progress="hidden", **FIXED
    ).success(guarded(run), inputs, out, **FIXED)


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
    gray, sketch, blur, coarse, noise, pepper = values
    made: list[tuple[bool, Callable[[], degrade.Degradation]]] = [
        (gray, degrade.Grayscale),
        (sketch, lambda: degrade.Sketch(clamp=True)),
        (blur > 0, lambda: degrade.Blur(blur)),
        (coarse > 1, lambda: degrade.Downsample(int(coarse))),
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

    def run(seed: int, count: int, k: int) -> str:
        return tasks.generate(_whole(seed), _whole(count, 1, 64), _whole(k, 1, 100))

    inputs = [seed, count, k]
    go.click(guarded(run), inputs, out, **FIXED)
    other.click(seeds, None, seed, api_visibility="private").then(
        guarded(run), inputs, out, **FIXED
    )


def edit(tasks: Tasks) -> None:
    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            canvas = board(
                "Picture to mask. Arrow keys move the brush, the space bar sets it down.",
                "Take a sample or a picture first", tasks.side, "mask", target="edit-upload",
                elem_id="edit-board",
            )  # fmt: skip
            with gr.Row():
                sample = gr.Button("Take a sample", elem_id="edit-sample", min_width=120)
                upload = _upload("edit-upload")
            go = gr.Button("Paint what is masked", variant="primary", elem_id="edit-go")
        with gr.Column(scale=4, min_width=300):
            out = gr.HTML(
                _blank("Take a picture, brush over a part of it, and let the network paint it."),
                elem_id="edit-out",
            )
            with gr.Row():
                count = gr.Slider(1, 12, 6, step=1, label="Variations", elem_id="edit-count")
                k = _applications(10)
            with gr.Row():
                seed = _seed("Seed of the noise", "edit-seed")
                keep = gr.Checkbox(
                    True, label="Keep what is outside of the mask", elem_id="edit-keep"
                )

    def run(board: Any, seed: int, count: int, k: int, keep: bool) -> str:
        return tasks.paint(board, _whole(seed), _whole(count, 1, 12), _whole(k, 1, 100), keep)

    go.click(guarded(run), [canvas, seed, count, k, keep], out, **FIXED)
    sample.click(
        guarded(lambda: tasks.sample_board(seeds(), 0)),
        None,
        canvas,
        show_progress="hidden",
        **FIXED,
    )
    upload.upload(taken(guarded(tasks.seen_board)), upload, canvas, show_progress="hidden", **FIXED)


def explore(tasks: Tasks) -> None:
    gr.HTML("<h2>Between two samples</h2>")
    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            seed = _seed("Seed", "explore-seed")
            with gr.Row():
                start, end = _number("From sample", 0), _number("To sample", 1)
            t = gr.Slider(0, 1, 0.5, step=0.01, label="How far, t", elem_id="explore-t")
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

    def between(seed: int, start: int, end: int, t: float, k: int, method: str) -> str:
        return tasks.between(_whole(seed), _whole(start), _whole(end), t, _whole(k, 1, 100), method)

    def add(seed: int, base: int, plus: int, minus: int, strength: float, k: int) -> str:
        a, b, c = (_whole(n) for n in (base, plus, minus))
        return tasks.add(_whole(seed), a, b, c, strength, _whole(k, 1, 100))

    every: list[tuple[Callable[..., str], list[Any], gr.HTML]] = [
        (between, [seed, start, end, t, k, method], way),
        (add, [seed, base, plus, minus, strength, k], total),
    ]
    for run, inputs, out in every:
        _live([one.change for one in inputs], guarded(run), inputs, out)


def score(tasks: Tasks) -> None:
    with gr.Row():
        with gr.Column(scale=2, min_width=280):
            files = gr.File(
                label=f"Pictures or a zip of them, {FILE // 2**20} MB each, at most {IMAGES}",
                file_count="multiple", height=180, elem_id="score-files",
            )  # fmt: skip
            folder = gr.UploadButton("A folder", file_count="directory", elem_id="score-folder")
            kind = gr.Radio(tuple(SCORES), value="displacement", label="Score")
            gr.HTML(
                "<p>displacement: how far f moves a picture; residual: how far it moves the result"
                " once more. Small on the data. The picture, f(y), and where it was moved, from"
                " black over orange to yellow, are beside each.</p>"
            )
        with gr.Column(scale=4, min_width=300):
            out = gr.HTML(_blank("Drop pictures, a zip or a folder."), elem_id="score-out")

    def run(files: list[str] | None, kind: str) -> tuple[None, str]:
        return None, tasks.score(files or [], kind)

    for source in (files, folder):
        source.upload(taken(guarded(run)), [source, kind], [source, out], **FIXED)


def _upload(name: str) -> gr.UploadButton:
    return gr.UploadButton("Upload a picture", file_types=["image"], elem_id=name, min_width=120)


def _seed(label: str, name: str) -> gr.Number:
    return gr.Number(0, label=label, precision=0, minimum=0, maximum=2**32, elem_id=name)


def _number(label: str, value: int) -> gr.Number:
    return gr.Number(value, label=label, precision=0, minimum=0, maximum=2**32, min_width=70)


def _applications(value: int = 1) -> gr.Slider:
    return gr.Slider(1, 20, value, step=1, label="Applications, k")


def _live(triggers: list[Any], run: Callable[..., str], inputs: list[Any], out: gr.HTML) -> None:
    """Run whenever one of these happens, one run at a time, the last one with what is set then."""
    gr.on(triggers, run, inputs, out, trigger_mode="always_last", show_progress="hidden", **FIXED)


def _blank(text: str) -> str:
    return f'<p class="blank">{text}</p>'


def _whole(value: Any, least: int = 0, most: int = 2**32) -> int:
    """A whole number from the page.

    Raises:
        ValueError: It is none, or outside of the bounds.
    """
    if value is None or int(value) != value or not least <= value <= most:
        raise ValueError(f"{value!r} must be a whole number from {least} to {most}")
    return int(value)


def _when_drawn(run: Callable[..., str]) -> Callable[..., str]:
    """What a knob does: nothing to say while the canvas is blank."""

    def quiet(board: Any, *others: Any) -> str:
        if not board or not board.get("picture"):
            return _blank(DRAW)
        return guarded(run)(board, *others)

    return quiet
