"""The page in a browser: generate, make real, edit, explore, score.

The work of a tab is a function from pictures and numbers to pictures (:mod:`ign.app.real`,
:mod:`ign.app.tasks`), which needs no gradio; :mod:`ign.app.blocks` connects them.
:mod:`ign.app.gate` stands before gradio and decides what reaches it.
"""
