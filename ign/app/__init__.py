"""The page in a browser: generate, make real, edit, explore, score.

What a tab does is a function from pictures and numbers to pictures (:mod:`ign.app.real`,
:mod:`ign.app.tasks`), which needs no gradio; :mod:`ign.app.page` wires them.
"""
