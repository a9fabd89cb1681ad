"""A figure without alternative text, or with a file's name for one, fails the build.

MyST-NB writes the file's name where an author gave nothing, which checkers of accessibility
let pass.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
SHORTEST = 12
FILE_NAME = re.compile(r"^\S+\.(png|jpe?g|svg|gif|webp)$|^[0-9a-f]{32,}$", re.IGNORECASE)
#: Where a plot, and a figure that moves, the work of reglib.moving, have their names.
NAMED = re.compile(r'(<div class="(?:moving-st\w+|plot diagram-\w+)" role="\w+" aria-label=")[^"]*')
PLACEHOLDERS = {"alt", "figure", "image", "photo", "picture", "plot"}


def fault(alt: str | None, uri: str = "") -> str | None:
    """Return what is wrong with a picture's alternative text, or None.

    Examples
    --------
    >>> fault("Validation loss falls, then rises again after epoch 40.")
    >>> fault("loss.png")
    "is a file's name"
    """
    text = " ".join((alt or "").split())
    if not text:
        return "is missing"
    if FILE_NAME.match(text) or text == uri or text == PurePosixPath(uri).name:
        return "is a file's name"
    if text.lower().strip(".") in PLACEHOLDERS or len(text) < SHORTEST:
        return "says nothing"
    return None


class NameFigures(SphinxTransform):
    """Give plots and figures that move the alternative text of their cells, as images have it."""

    default_priority = 190  # before results are inserted

    def apply(self, **_: Any) -> None:
        """Write it into the figure."""
        for cell in self.document.findall(nodes.container):
            if "cell_metadata" not in cell:
                continue
            own = cell["cell_metadata"].get("mystnb", {})
            for raw in cell.findall(nodes.raw):
                if NAMED.search(raw.astext()):
                    raw["alt"] = own.get("image", {}).get("alt", "")
                    name = escape(raw["alt"])
                    html = NAMED.sub(lambda found, name=name: found[1] + name, raw.astext())
                    raw.children = [nodes.Text(html)]


def check_images(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Warn of every picture of a page that a blind reader is told nothing of."""
    moving = (raw for raw in doctree.findall(nodes.raw) if "alt" in raw)
    for image in (*doctree.findall(nodes.image), *moving):
        problem = fault(image.get("alt"), image.get("uri", ""))
        if problem:
            LOGGER.warning(
                "alternative text of a picture %s (got %r): say in `alt` what there is to see",
                problem,
                image.get("alt"),
                location=_place(image, docname),
                type="regbook",
                subtype="alt",
            )


def _place(node: nodes.Node, docname: str) -> nodes.Node | str:
    """Return the nearest node that knows its line; outputs of cells often do not."""
    while node is not None:
        if node.line is not None and node.source:
            return node
        node = node.parent
    return docname


def setup(app: Sphinx) -> None:
    """Check when a page is about to be written, after outputs have become pictures."""
    app.add_transform(NameFigures)
    app.connect("doctree-resolved", check_images)
