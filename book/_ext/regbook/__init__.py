"""What this book adds to Jupyter Book, each part in one module.

``titles``        a chapter's number, and no box that repeats its heading
``components``    admonitions of the course, hidden answers, theme-aware diagrams
``objectives``    where each objective is taught and tested, and a table of all
``chapters``      the first page's list of chapters
``sources``       what other courses and books teach, and what this one does
``quiz``          questions with feedback on each option; predict-first questions
``results``       what cells have found stands in the text, inserted
``typed_numbers`` a result that is typed instead stops the build
``source``        code shown from reglib's source, never retyped
``api``           the library name by name, from its docstrings
``formulas``      LaTeX becomes MathML when the book is built
``alt_text``      a figure without alternative text fails the build
``freshness``     chapters are executed again when what they import has changed
``kept_results``  experiments find their results in the book's folder
``execute``       chapters are executed ahead, several at a time, by warm kernels
``warm``          which kernels those are
``parallel``      pages are written by several processes
``garbage``       Python's collector rests meanwhile
``figures``       plots are drawn wide and narrow, on the page's ground
``inline_svg``    as SVG that is part of the page, in its colors and its font
``kernel``        chapters run under a profile of the book's own
``publish``       chapters are offered as executed notebooks
``downloads``     what students take home: the exercises, and the library's wheel
``live``          Python for the pages: what the browser fetches to run cells
``exercise_pages``  each exercise as a page on which it can be done
``live_cells``    cells of chapters that run in the page, and why others do not
``theme``         cures for the theme's faults
``online``        a citation is followed by a link to the source, if it is online
``search``        other spellings and Greek letters are found
``modes``         light and dark without a script, and light on paper
``photographs``   photographs in drawings are fetched when a reader comes near
``assets``        one style sheet and one script, of what pages use
``hosting``       canonical links, a site map, a page for what is missing, the edition
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["setup"]

PARTS = (
    "garbage",
    "markup",
    "titles",
    "components",
    "objectives",
    "chapters",
    "sources",
    "quiz",
    "results",
    "typed_numbers",
    "source",
    "formulas",
    "alt_text",
    "api",
    "freshness",
    "kernel",
    "kept_results",
    "execute",
    "parallel",
    "publish",
    "downloads",
    "live",
    "live_cells",
    "exercise_pages",
    "theme",
    "online",
    "search",
    "modes",
    "photographs",
    "assets",
    "hosting",
)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register every part with Sphinx."""
    for part in PARTS:
        # Imported here, since `warm` is asked before there is a Sphinx.
        import_module(f"regbook.{part}").setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
