"""Pages of submissions that run nothing which a submission wrote.

Feedback needs nothing but itself: no script, no request, formulas as MathML.
nbgrader's pages load MathJax from another host, so that formulas stay source code where the reader
is offline, and a written answer may bring scripts along that run in the reader's browser. In
``nbgrader_config.py``::

    c.GenerateFeedback.exporter_class = "fastgrade.course.feedback.FeedbackExporter"

The template stays nbgrader's, but for its list of cells, in whose place stands what was earned and
what to look at next. What a submission wrote, as Markdown or as a cell's output, goes
through a list of what is harmless. Formgrader shows written answers, too, to somebody who may
change grades; for its pages there is::

    c.HTMLExporter.sanitize_html = True
    c.HTMLExporter.filters = {"markdown2html": "fastgrade.course.feedback.harmless_markdown"}
"""

from __future__ import annotations

import base64
import copy
import html
from collections.abc import Iterator
from typing import Any

from bs4 import BeautifulSoup
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from traitlets import Bool

from fastgrade.course.feedback_overview import overview
from fastgrade.course.formulas import Formulas
from fastgrade.course.harmless_html import clean

__all__ = ["FeedbackExporter", "harmless_markdown"]

_SIDES = ("width", "height")
#: In the order in which a page prefers them.
_DRAWN = ("image/svg+xml", "image/png", "image/jpeg", "image/gif")
# Links and code of nbgrader's page are too pale on their gray.
_STYLE = """
math { font-size: 1.1em; }
math[display="block"] { margin: 0.6em 0; }
.panel-heading a { color: #1d4f7a; text-decoration: underline; }
div.nbgrader_cell .panel-heading a { color: inherit; }
div.rendered_html a { text-decoration: underline; }
div.input_area, .highlight, .highlight pre { background: #fff; }
.output_html img { max-width: 100%; height: auto; }
h1.feedback { font-size: 22px; margin: 0.4em 0; }
#toc { padding: 0.4em 0 0.8em; font-size: 15px; }
table.overview { width: 100%; margin: 1.2em 0 0; }
table.overview caption { color: #222; font-weight: bold; padding: 0 0 0.3em; }
table.overview td { padding: 0.45em 0.5em; border-top: 1px solid #bbb; vertical-align: top; }
table.overview td:first-child { width: 1.6em; }
table.overview td.points { text-align: right; white-space: nowrap; }
table.overview a { overflow-wrap: anywhere; }
div.rendered_html table { border-collapse: collapse; margin: 1em 0; }
div.rendered_html :is(th, td) { padding: 0.45em 0.9em; border: 1px solid #bbb; }
div.nbgrader_cell .panel-heading { height: auto; overflow: hidden; }
div.output_subarea { max-width: 100%; overflow-x: auto; }
div.output_subarea pre { white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 600px) {
  div.prompt { display: none; }
  .highlight pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  .container, .panel-body, #notebook-container { padding-left: 6px; padding-right: 6px; }
  div.cell, div.input, div.output_area { display: block; min-width: 0; max-width: 100%; }
}
"""


class _Renderer(IPythonRenderer):
    def __init__(self, formulas: Formulas, **options: Any) -> None:
        super().__init__(**options)
        self._keep = formulas.keep

    def block_math(self, body: str) -> str:
        """Keep a formula on a line of its own."""
        return self._keep(body, display=True)

    def inline_math(self, body: str) -> str:
        """Keep a formula in a line."""
        return self._keep(body, display=False)

    def latex_environment(self, name: str, body: str) -> str:
        """Keep an environment, such as ``align``."""
        bare = name.rstrip("*")
        if bare == "equation":
            return self._keep(body, display=True)
        inner = {"align": "aligned", "gather": "gathered", "eqnarray": "aligned"}.get(bare, name)
        return self._keep(f"\\begin{{{inner}}}{body}\\end{{{inner}}}", display=True)

    def _embed_image_or_attachment(self, src: str) -> str:
        name = src.removeprefix("attachment:")
        if name != src and name not in self.attachments:
            return ""  # a picture that was not handed in is no reason to have no page
        return super()._embed_image_or_attachment(src)


def _options(context: Any) -> dict[str, Any]:
    attachments = context.get("cell", {}).get("attachments", {})
    return {"escape": False, "attachments": attachments, "exclude_anchor_links": True}


@pass_context
def harmless_markdown(context: Any, source: str) -> str:
    """Return Markdown as harmless HTML, with formulas as MathJax reads them: a filter of Jinja."""
    renderer = IPythonRenderer(**_options(context))
    return clean(MarkdownWithMath(renderer=renderer).render(source))


class FeedbackExporter(HTMLExporter):
    """Write a notebook as a page of feedback that opens anywhere and runs nothing."""

    sanitize_html = Bool(
        True, help="Without effect: what a submission wrote is always cleaned here."
    ).tag(config=True)

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """Return nbconvert's filters, with ours for Markdown, HTML and formulas."""
        yield from super().default_filters()
        yield "clean_html", clean

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Return Markdown as harmless HTML; its formulas come in at the end."""
        renderer = _Renderer(self._formulas, **_options(context))
        return clean(MarkdownWithMath(renderer=renderer).render(source))

    def from_notebook_node(  # type: ignore[override]  # a page, as of every HTML exporter
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the page."""
        self._formulas = Formulas()
        # Here, as the configuration may have another filter for formgrader.
        self.register_filter("markdown2html", self.markdown2html)
        nb = copy.deepcopy(nb)
        for cell in nb.cells:
            _describe(cell)
            for output in cell.get("outputs", ()):
                data = output.get("data", {})
                if "text/latex" in data:  # Markdown has formulas, too
                    data.setdefault("text/markdown", data["text/latex"])
        page, resources = super().from_notebook_node(nb, resources, **kw)
        tree = BeautifulSoup(page, "html.parser")
        for script in tree.find_all("script"):
            script.decompose()
        if tree.html is not None:
            tree.html["lang"] = self.language_code
        if tree.head is not None:
            style = tree.new_tag("style")
            style.string = _STYLE
            tree.head.append(style)
        _begin(tree, nb)
        # The list of scores belongs to the main part of the page, too.
        content = tree.select_one("body > div.container")
        if content is not None:
            for part in tree.find_all("main"):
                part.name = "div"
            content["role"] = "main"
        self._formulas.put_back(tree)
        return str(tree), resources

    def _init_resources(self, resources: Any) -> Any:
        resources = super()._init_resources(resources)
        resources["should_sanitize_html"] = True
        return resources


def _begin(tree: BeautifulSoup, nb: NotebookNode) -> None:
    """Begin a page with what matters most, and give each id to one element only."""
    title = tree.select_one(".panel-heading h4")
    if title is not None:
        title.name, title["class"] = "h1", "feedback"
    place = tree.find(id="toc")
    if place is not None:
        late = [item.get_text() for item in place.select(".late-penalty")]
        place.clear()
        place.extend(overview(tree, nb, late))
    seen: set[str] = set()
    for element in tree.find_all(id=True):
        name = str(element["id"])
        if name in seen:
            del element["id"]
        seen.add(name)


def _describe(cell: NotebookNode) -> None:
    """Say of each picture that a cell has drawn at least which cell it was."""
    drawn = 0
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        kind = next((kind for kind in _DRAWN if kind in data), None)
        if kind is None or any(richer in data for richer in ("text/html", "text/markdown")):
            continue
        drawn += 1
        alt = f"Picture drawn by code cell {cell.get('execution_count')}"
        alt += f", number {drawn}" if drawn > 1 else ""
        content = "".join(data[kind]).strip()
        if kind == "image/svg+xml":
            content = base64.b64encode(content.encode("utf-8", "replace")).decode()
        size = output.get("metadata", {}).get(kind, {})
        sizes = [f'{side}="{int(size[side])}"' for side in _SIDES if _is_size(size, side)]
        source = f"data:{kind};base64,{html.escape(content)}"
        data["text/html"] = f'<img src="{source}" alt="{alt}" {" ".join(sizes)}>'


def _is_size(size: Any, side: str) -> bool:
    return isinstance(size, dict) and isinstance(size.get(side), int | float)
