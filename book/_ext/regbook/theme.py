"""Cures for the theme's faults: templates of our own, and tables that a screen reader can use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

EMPTY_HEADER = re.compile(r'<th class="head[^"]*">\s*<p>\s*</p>\s*</th>')
TEMPLATES = Path(__file__).parent / "templates"


def use_templates(app: Sphinx, config: Config) -> None:
    """Let our templates stand before the theme's."""
    config.templates_path.insert(0, str(TEMPLATES))


def mend_table(html: str) -> str:
    """Return a pandas table whose empty headers are cells and which the keyboard can scroll.

    Examples
    --------
    >>> mend_table('<table class="dataframe"><tr><th></th><th>loss</th></tr></table>')[-45:]
    '<tr><td></td><th>loss</th></tr></table></div>'
    """
    html = html.replace("<th></th>", "<td></td>")
    html = html.replace("<table", '<div class="table-scroll" tabindex="0"><table')
    return html.replace("</table>", "</table></div>")


def mend_tables(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Mend the tables among a page's outputs."""
    for raw in doctree.findall(nodes.raw):
        text = raw.astext()
        if 'class="dataframe"' in text and "table-scroll" not in text:
            raw.children = [nodes.Text(mend_table(text))]


def mend_body(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Give references the role of a list's items, summaries their words, empty headers a cell."""
    if "body" in context:
        body = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')
        # MyST-NB hides what a summary says behind words of its own.
        body = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")
        context["body"] = EMPTY_HEADER.sub("<td></td>", body)


def name_toggles(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Give a name to what opens a part of the table of contents in the sidebar."""
    generate = context.get("generate_toctree_html")
    if generate is None:
        return

    def generate_with_names(*arguments: Any, **options: Any) -> Any:
        tree = generate(*arguments, **options)
        for summary in [] if isinstance(tree, str) else tree.select("li > details > summary"):
            link = summary.parent.parent.find("a")
            summary["aria-label"] = f"Pages below {link.get_text().strip()}"
        return tree

    context["generate_toctree_html"] = generate_with_names


def setup(app: Sphinx) -> None:
    """Register the templates and the mending."""
    # Jupyter Book sets this one even where its extension is left out.
    app.add_config_value("comments_config", {}, "html")
    app.connect("config-inited", use_templates)
    app.connect("doctree-resolved", mend_tables)
    app.connect("html-page-context", mend_body)
    # The theme puts its function there at 500.
    app.connect("html-page-context", name_toggles, priority=600)
