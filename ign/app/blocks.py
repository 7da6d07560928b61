"""The page with its five tabs."""

__all__ = ["build", "theme"]

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ign.app import tabs
from ign.app.reading import FILE, PIXELS
from ign.app.tasks import Tasks
from ign.app.uploads import Uploads
from ign.model import IGN

HERE = Path(__file__).parent


def theme() -> dict[str, Any]:
    """The theme, which uses the fonts of the system and loads nothing from other servers."""
    colours = gr.themes.Base(
        primary_hue="indigo",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        body_text_color_subdued="*neutral_600",
        block_info_text_color="*neutral_600",
        block_label_text_color="*neutral_700",
        block_title_text_color="*neutral_700",
        color_accent="*primary_600",
        slider_color="*primary_600",
    )
    style = (HERE / "style.css").read_text(
        encoding="utf-8"
    )  # gradio would put each rule of css= under its own
    return {"theme": colours, "head": f"<style>{style}</style>", "footer_links": []}


def build(model: IGN, name: str, uploads: Uploads) -> gr.Blocks:
    """Build the page of a model.

    Args:
        model: The model.
        name: The name of the model in the page.
        uploads: The files that jobs may read.

    Raises:
        ValueError: The images of the model are not square, or have neither one nor three channels.
    """
    tasks = Tasks(model)
    with gr.Blocks(
        title=f"Make it real: {name}",
        analytics_enabled=False,
        fill_width=True,
    ) as page:
        gr.HTML(_heading(model, name), elem_id="heading")
        with gr.Tabs(elem_id="tabs"):
            if model.projects:
                with gr.Tab("Make it real", id="real", elem_id="panel-real"):
                    tabs.real(tasks, uploads)
            with gr.Tab("Generate", id="generate", elem_id="panel-generate"):
                tabs.generate(tasks)
            if model.projects:
                with gr.Tab("Edit", id="edit", elem_id="panel-edit"):
                    tabs.edit(tasks, uploads)
            with gr.Tab("Explore", id="explore", elem_id="panel-explore"):
                tabs.explore(tasks)
            if model.projects:
                with gr.Tab("Score", id="score", elem_id="panel-score"):
                    tabs.score(tasks, uploads)
        gr.HTML(
            f"<p>Pictures up to {FILE // 2**20} MB and {PIXELS // 10**6} megapixels. An upload is"
            " deleted as soon as it is read.</p>",
            elem_id="foot",
        )
        page.unload(
            lambda: None
        )  # with it, a page keeps a connection open that ends when it closes
    return page


def _heading(model: IGN, name: str) -> str:
    channels, height, width = model.shape
    colours = "gray" if channels == 1 else "colour"
    data = f", trained on {escape(str(model.about['data']))}" if model.about.get("data") else ""
    return (
        "<h1>Make it real</h1><p>One network f leaves the data alone and maps anything else onto"
        f" them. Model <b>{escape(name)}</b>: {width}×{height} {colours}{data}.</p>"
    )
