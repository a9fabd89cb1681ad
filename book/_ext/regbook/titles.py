"""What stands above a text, once: a chapter's number, and no box that repeats its heading."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

NUMBER = re.compile(r"chapters/0*(\d+)-")
#: A title's attribute: the headings below which its standard words are left out.
SAID_BY = "said_by"
#: A class of those words.
STANDARD = "standard-title"


def chapter_number(docname: str) -> str | None:
    """Return a chapter's number, which is that of its file.

    Examples
    --------
    >>> chapter_number("chapters/02-l2")
    '2'
    >>> chapter_number("chapters/review")
    """
    found = NUMBER.match(PurePosixPath(docname).as_posix())
    return found[1] if found else None


def fill_title(
    title: nodes.Element, standard: str, own: Iterable[nodes.Node] = (), also: tuple[str, ...] = ()
) -> nodes.Element:
    """Return a box's title filled with the kind of box and the author's own words.

    Parameters
    ----------
    title : docutils.nodes.Element
        The empty title.
    standard : str
        What every box of this kind is called.
    own : iterable of nodes
        The author's words.
    also : tuple of str
        Other headings that say what ``standard`` says.
    """
    own = list(own)
    words = f"{standard}{'' if standard.endswith('?') else ':'} " if own else standard
    title += nodes.inline("", words, classes=[STANDARD])
    title += own
    title[SAID_BY] = [standard, *also]
    return title


class SayOnce(SphinxTransform):
    """Leave out of a box's title what the heading above it says, and the title if nothing is left.

    The author's own words stay.
    """

    default_priority = 500

    def apply(self, **_: Any) -> None:
        """Change the page."""
        for title in list(self.document.findall(lambda node: SAID_BY in _attributes(node))):
            said = title.attributes.pop(SAID_BY)
            if _heading_above(title) not in said:
                continue
            for words in title.findall(nodes.inline):
                if STANDARD in words["classes"]:
                    words.parent.remove(words)
                    break
            if not title.astext().strip():
                title.parent.remove(title)


class NumberChapter(SphinxTransform):
    """Put a chapter's number before its title, wherever that is shown but in references to it."""

    default_priority = 500

    def apply(self, **_: Any) -> None:
        """Change the page."""
        number = chapter_number(self.env.docname)
        title = next(iter(self.document.findall(nodes.title)), None)
        if number is not None and title is not None:
            # Sphinx leaves raw text out of what `{ref}` shows.
            title.insert(0, nodes.raw("", f"{number}. ", format="html"))


def _attributes(node: nodes.Node) -> dict[str, Any]:
    return node.attributes if isinstance(node, nodes.Element) else {}


def _heading_above(node: nodes.Node) -> str:
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    return node[0].astext() if node is not None else ""


def setup(app: Sphinx) -> None:
    """Register both when a page has been read."""
    app.add_transform(SayOnce)
    app.add_transform(NumberChapter)
