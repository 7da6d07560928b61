"""The page in the browser, with the tabs make real, generate, edit, explore and score.

Each tab calls functions from pictures and numbers to pictures (:mod:`ign.app.real`,
:mod:`ign.app.tasks`), which do not need gradio. :mod:`ign.app.blocks` builds the page with gradio.
:mod:`ign.app.gate` decides which requests reach gradio.
"""
