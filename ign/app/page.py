"""The page: five tabs on one model."""

__all__ = ["build", "look"]

from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from ign.app import tabs
from ign.app.intake import FILE, PIXELS
from ign.app.tasks import Tasks
from ign.model import IGN

HERE = Path(__file__).parent


def look() -> dict[str, Any]:
    """The theme and the style: the system's own fonts, nothing from elsewhere."""
    theme = gr.themes.Base(
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
    style = (HERE / "page.css").read_text(
        encoding="utf-8"
    )  # by css= gradio would put each rule under its own
    return {"theme": theme, "head": f"<style>{style}</style>", "footer_links": []}


def build(model: IGN, name: str) -> gr.Blocks:
    """The page of a model.

    Args:
        model: The model.
        name: What it is called.

    Raises:
        ValueError: Its images are not square, or neither gray nor of three channels.
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
                    tabs.real(tasks)
            with gr.Tab("Generate", id="generate", elem_id="panel-generate"):
                tabs.generate(tasks)
            if model.projects:
                with gr.Tab("Edit", id="edit", elem_id="panel-edit"):
                    tabs.edit(tasks)
            with gr.Tab("Explore", id="explore", elem_id="panel-explore"):
                tabs.explore(tasks)
            if model.projects:
                with gr.Tab("Score", id="score", elem_id="panel-score"):
                    tabs.score(tasks)
        gr.HTML(
            f"<p>Pictures up to {FILE // 2**20} MB and {PIXELS // 10**6} megapixels; what you give"
            " is deleted as soon as it is read.</p>",
            elem_id="foot",
        )
    return page


def _heading(model: IGN, name: str) -> str:
    channels, height, width = model.shape
    colours = "gray" if channels == 1 else "colour"
    data = f", trained on {escape(str(model.about['data']))}" if model.about.get("data") else ""
    return (
        "<h1>Make it real</h1><p>One network f leaves the data alone and maps anything else onto"
        f" them. Model <b>{escape(name)}</b>: {width}×{height} {colours}{data}.</p>"
    )
