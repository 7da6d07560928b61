"""The documentation in Chromium, opened from disk: no server, no network, and a search."""

import pytest

pytest.importorskip("material", reason="pip install 'ign-torch[docs]'")

QUESTIONS = {
    "defect": "Can it find a defect in a product image?",
    "conditional": "Is there a conditional model? Can I ask for a class?",
    "fine-tune": "Can I fine-tune a model on my images?",
    "callback": "Can I add a callback?",
    "notebook": "Can I use it in a notebook?",
    "rectangular": "Does it work with rectangular images?",
    "W&B": "How do I log to W&B (Weights & Biases)?",
}


def test_pages_link_to_each_other(page, problems, site):
    page.goto((site / "index.html").as_uri())
    page.get_by_role("link", name="Start in five minutes").click()
    page.get_by_role("heading", name="Five minutes").wait_for()
    assert page.url == (site / "start.html").as_uri()
    assert not problems


def test_search_finds_the_answer(page, problems, site):
    page.goto((site / "reference" / "data.html").as_uri())
    field = page.get_by_placeholder("Search")
    field.click()
    for word, question in QUESTIONS.items():
        field.fill("")
        field.press_sequentially(word)
        first = page.locator(".md-search-result__item").first
        first.get_by_role("heading", name=question, exact=True).wait_for(timeout=20_000)
        assert "faq.html" in first.locator("a").first.get_attribute("href")
    assert not problems
