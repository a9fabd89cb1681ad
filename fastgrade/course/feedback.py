"""Pages of submissions that run nothing which a submission wrote.

Feedback needs nothing but itself: no script, no request, formulas as MathML.
nbgrader's pages load MathJax from another host, so that formulas stay source code where the reader
is offline, and a written answer may bring scripts along that run in the reader's browser. In
``nbgrader_config.py``::

    c.GenerateFeedback.exporter_class = "fastgrade.course.feedback.FeedbackExporter"

The template stays nbgrader's. What a submission wrote, as Markdown or as a cell's output, goes
through a list of what is harmless. Formgrader shows written answers, too, to somebody who may
change grades; for its pages there is::

    c.HTMLExporter.sanitize_html = True
    c.HTMLExporter.filters = {"markdown2html": "fastgrade.course.feedback.harmless_markdown"}
"""

from __future__ import annotations

import base64
import copy
import html
import re
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import bleach
from bs4 import BeautifulSoup
from jinja2 import pass_context
from latex2mathml.converter import convert
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from traitlets import Bool

__all__ = ["FeedbackExporter", "clean", "harmless_markdown", "mathml"]


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


_TAGS = _words(
    "a abbr b blockquote br caption code dd del details div dl dt em figcaption figure h1 h2 h3",
    "h4 h5 h6 hr i img kbd li ol p pre q s samp small span strong sub summary sup table tbody td",
    "tfoot th thead tr u ul",
)
#: Their text is no text to read.
_WITH_CONTENT = _words(
    "applet embed frame head iframe math noscript object script style svg template title"
)
_ATTRIBUTES = {"class", "id", "title", "lang", "dir"}
_OWN_ATTRIBUTES = {
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "type"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "details": {"open"},
}
_PROTOCOLS = {"http", "https", "mailto", "data"}
_LINK = re.compile(r"(https?://|mailto:|#|[\w./-]+(#|$))")
_PICTURES = ("data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/svg+xml;")

_SIDES = ("width", "height")
#: In the order in which a page prefers them.
_DRAWN = ("image/svg+xml", "image/png", "image/jpeg", "image/gif")

_MATH_TAGS = _words(
    "math menclose mfrac mi mn mo mover mpadded mphantom mroot mrow ms mspace msqrt mstyle msub",
    "msubsup msup mtable mtd mtext mtr munder munderover",
)
_MATH_ATTRIBUTES = _words(
    "accent accentunder columnalign columnlines columnspacing depth display displaystyle fence",
    "form height linebreak linethickness lspace mathsize mathvariant maxsize minsize movablelimits",
    "notation rowlines rowspacing rspace scriptlevel separator stretchy symmetric width xmlns",
)
_LONGEST_FORMULA = 5_000
# Links and code of nbgrader's page are too pale on their gray.
_STYLE = """
math { font-size: 1.1em; }
math[display="block"] { margin: 0.6em 0; }
.panel-heading a { color: #1d4f7a; text-decoration: underline; }
div.nbgrader_cell .panel-heading a { color: inherit; }
div.rendered_html a { text-decoration: underline; }
div.input_area, .highlight, .highlight pre { background: #fff; }
.output_html img { max-width: 100%; height: auto; }
"""


def mathml(source: str, display: bool = False) -> str:
    r"""Return a formula in LaTeX as MathML, or as its source where that cannot be had.

    Parameters
    ----------
    source : str
        The formula without delimiters; nobody trusts it.
    display : bool
        Whether it stands on a line of its own.

    Examples
    --------
    >>> mathml("x").count("<mi>x</mi>")
    1
    >>> mathml(r"\text{<script>}")
    '<code>\\text{&lt;script&gt;}</code>'
    """
    shown = f"<code>{html.escape(source)}</code>"
    if not source.strip() or len(source) > _LONGEST_FORMULA:
        return shown
    try:
        written = convert(source, display="block" if display else "inline")
    except Exception:  # whatever a student's formula makes of a parser
        return shown
    formula = BeautifulSoup(written, "html.parser")
    for element in formula.find_all(True):
        if element.name not in _MATH_TAGS:
            return shown
        element.attrs = {k: v for k, v in element.attrs.items() if k in _MATH_ATTRIBUTES}
    if formula.math is None:
        return shown
    # A reader of the source, or a program that reads it aloud, may want what was written.
    formula.math["alttext"] = " ".join(source.split())
    return str(formula)


def clean(source: str | bytes) -> str:
    """Return HTML with what is harmless in it: no script, no style, nothing from another host.

    Examples
    --------
    >>> clean('<b onclick="x()">bold</b><script>alert(1)</script><img src="http://a.b/c.png">')
    '<b>bold</b><img>'
    """
    text = source.decode("utf-8", "replace") if isinstance(source, bytes) else str(source)
    tree = BeautifulSoup(text, "html.parser")
    for element in tree.find_all(list(_WITH_CONTENT)):
        element.decompose()
    return bleach.clean(
        str(tree), tags=_TAGS, attributes=_is_harmless, protocols=_PROTOCOLS, strip=True
    )


def _is_harmless(tag: str, name: str, value: str) -> bool:
    if name == "href":
        return re.match(_LINK, value) is not None
    if name == "src":
        return tag == "img" and (value.startswith(_PICTURES) or _is_beside(value))
    return name in _ATTRIBUTES or name in _OWN_ATTRIBUTES.get(tag, ())


def _is_beside(address: str) -> bool:
    """Tell whether an address names a file that is handed out beside the page."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    outside = parts.scheme or parts.netloc or address.startswith(("/", "\\"))
    return not outside and ".." not in parts.path


class _Formulas:
    """The formulas of a page, kept apart while the text around them is cleaned."""

    def __init__(self) -> None:
        # Nobody who writes an answer can know it.
        self._marks = re.compile(rf"formula-{secrets.token_hex(8)}-(\d+)\.")
        self._kept: list[tuple[str, bool]] = []

    def keep(self, source: str, display: bool) -> str:
        """Return what stands for a formula until `put_back`."""
        self._kept.append((source, display))
        return self._marks.pattern.replace(r"(\d+)\.", f"{len(self._kept) - 1}.")

    def put_back(self, tree: BeautifulSoup) -> None:
        """Write the formulas into the text of a page, and their sources into its attributes."""
        for text in tree.find_all(string=self._marks):
            # Split by a pattern with one group: text and numbers by turns.
            for position, part in enumerate(self._marks.split(str(text))):
                if position % 2:
                    formula = BeautifulSoup(mathml(*self._kept[int(part)]), "html.parser")
                    text.insert_before(*list(formula.children))
                elif part:
                    text.insert_before(part)
            text.extract()
        for element in tree.find_all(True):
            for name, value in element.attrs.items():
                if isinstance(value, str) and self._marks.search(value):
                    element[name] = self._marks.sub(lambda m: self._kept[int(m[1])][0], value)


class _Renderer(IPythonRenderer):
    def __init__(self, formulas: _Formulas, **options: Any) -> None:
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

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return the page."""
        self._formulas = _Formulas()
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
