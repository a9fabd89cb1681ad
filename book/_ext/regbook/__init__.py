"""What this book adds to Jupyter Book, each part in one module.

``components``    admonitions of the course, hidden answers, theme-aware diagrams
``quiz``          questions with feedback on each option; predict-first questions
``source``        code shown from reglib's source, never retyped
``api``           the library name by name, from its docstrings
``alt_text``      a figure without alternative text fails the build
``freshness``     chapters are executed again when what they import has changed
``execute``       chapters are executed ahead, several at a time, by warm kernels
``parallel``      pages are written by several processes
``kernel``        chapters run under a profile of the book's own
``publish``       executed notebooks, exercises and MathJax are served from the site
``theme``         cures for the theme's faults
"""

from __future__ import annotations

from sphinx.application import Sphinx

from regbook import (
    alt_text,
    api,
    components,
    execute,
    freshness,
    kernel,
    markup,
    parallel,
    publish,
    quiz,
    source,
    theme,
)

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register every part with Sphinx."""
    for part in (
        markup,
        components,
        quiz,
        source,
        alt_text,
        api,
        freshness,
        kernel,
        execute,
        parallel,
        publish,
        theme,
    ):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
