"""The recurring parts of a chapter: admonitions with fixed titles, hidden answers, diagrams."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from regbook.alt_text import fault
from regbook.markup import Markup
from regbook.titles import fill_title


class _Box(SphinxDirective):
    """An admonition whose title says what kind of part it is, then the author's own words."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    title: ClassVar[str]
    kind: ClassVar[str]

    def run(self) -> list[nodes.Node]:
        """Return the admonition."""
        self.assert_has_content()
        box = nodes.admonition("", self.heading(), classes=[self.kind])
        self.set_source_info(box)
        box += self.parse_content_to_nodes()
        return [box]

    def heading(self) -> nodes.Element:
        """Return the title."""
        return fill_title(nodes.title(), self.title, self.own_words())

    def own_words(self) -> list[nodes.Node]:
        """Return the author's own words, with a capital letter."""
        words = "".join(self.arguments)
        return self.parse_inline(words[:1].upper() + words[1:])[0]


class RenamedBox(_Box):
    """A box whose author may give it another title."""

    def heading(self) -> nodes.Element:
        """Return the title, or the author's own."""
        if self.arguments:
            return nodes.title("", "", *self.own_words())
        return super().heading()


class Recall(_Box):
    """``{recall} chapter``: an idea from two chapters back."""

    title, kind = "Do you remember?", "recall"


class FindTheBug(_Box):
    """``{find-the-bug}``: code that is wrong, for the reader to say where."""

    title, kind = "Find the bug", "find-the-bug"


class InPractice(RenamedBox):
    """``{in-practice}``: what goes wrong outside the textbook."""

    title, kind = "What goes wrong in practice", "in-practice"


class Answer(SphinxDirective):
    """``{answer} summary``: hidden until the reader asks; open without a script."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return a ``details`` element."""
        self.assert_has_content()
        title, _ = self.parse_inline(self.arguments[0] if self.arguments else "Show the answer")
        text = Markup("div", self.parse_content_to_nodes(), class_="answer-text")
        return [
            Markup(
                "details",
                [Markup("summary", [nodes.inline("", "", *title)]), text],
                class_="answer",
            )
        ]


class Diagram(SphinxDirective):
    """``{diagram} file.svg``: a picture of our own that takes the page's colors.

    The SVG becomes part of the page, so ``currentColor`` and the book's custom properties
    (``var(--book-accent)``) follow light and dark mode.
    """

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = {
        "alt": directives.unchanged_required,
        "narrow": directives.path,
        "name": directives.unchanged,
        "class": directives.class_option,
    }

    def run(self) -> list[nodes.Node]:
        """Return a figure with the drawing and the content as its caption."""
        alt = " ".join(self.options.get("alt", "").split())
        if problem := fault(alt, self.arguments[0]):
            raise self.error(f"diagram: `:alt:` {problem}; say in it what the picture shows")
        files = [self.arguments[0]]
        if "narrow" in self.options:
            files.append(self.options["narrow"])
        try:
            figure = picture(alt, *(self.drawing(file) for file in files))
        except ValueError as error:
            raise self.error(f"diagram: cannot use {' or '.join(files)}: {error}") from error
        figure["classes"] += self.options.get("class", [])
        self.set_source_info(figure)
        if self.content:
            blocks = self.parse_content_to_nodes()
            if len(blocks) != 1 or not isinstance(blocks[0], nodes.paragraph):
                raise self.error("diagram: its caption is one paragraph")
            figure += nodes.caption("", "", *blocks[0].children)
        self.add_name(figure)
        return [figure]

    def drawing(self, argument: str) -> str:
        """Return a file's text."""
        relative, path = self.env.relfn2path(argument)
        self.env.note_dependency(relative)
        try:
            return Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise self.error(f"diagram: cannot use {argument}: {error}") from error


def picture(alt: str, wide: str, narrow: str | None = None) -> nodes.figure:
    """Return a figure with a drawing of our own, and with another one for narrow screens.

    Raises
    ------
    ValueError
        If a text holds no ``<svg>`` element.
    """
    figure = nodes.figure("", classes=["diagram"])
    figure += nodes.raw("", inline_svg(wide, alt, "diagram-wide"), format="html", alt=alt)
    if narrow is not None:
        figure["classes"].append("diagram-responsive")
        drawing = inline_svg(narrow, alt, "diagram-narrow")
        figure += nodes.raw("", drawing, format="html", alt=alt)
    return figure


def inline_svg(svg: str, alt: str, kind: str) -> str:
    """Return the drawing as an element of the page with an accessible name.

    Parameters
    ----------
    svg : str
        The file's text.
    alt : str
        What the picture shows.
    kind : str
        Class of the element.

    Raises
    ------
    ValueError
        If the text holds no ``<svg>`` element.
    """
    start = svg.find("<svg")
    if start < 0:
        raise ValueError("the file holds no <svg> element")
    svg = re.sub(r"<!--.*?-->", "", svg[start:], flags=re.DOTALL).strip()
    label = html.escape(alt)
    return svg.replace("<svg", f'<svg class="{kind}" role="img" aria-label="{label}"', 1)


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("recall", Recall)
    app.add_directive("find-the-bug", FindTheBug)
    app.add_directive("in-practice", InPractice)
    app.add_directive("answer", Answer)
    app.add_directive("diagram", Diagram)
