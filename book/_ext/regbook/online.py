"""A source that is online is one step away from where it is cited, not two.

A citation leads to the list of references; beside it stands a link to the source itself.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

#: A citation, whose title is the entry in the list.
CITED = re.compile(
    r'<a class="reference internal" href="[^"]*#[^"]*" title="(?P<entry>[^"]*)">(?P<name>.*?)</a>'
)
ADDRESS = re.compile(r"(?P<kind>doi:|URL: )(?P<place>\S+?)\.?(?:\s|$)")
TAG = re.compile(r"<[^>]*>")


def with_sources(body: str) -> str:
    """Return a page on which each citation of what is online is followed by a link to it.

    Examples
    --------
    >>> cited = '<a class="reference internal" href="r#id1" title="A. Ng. 2004. doi:1/2.">Ng</a>'
    >>> with_sources(cited).removeprefix(cited)[:71]
    '<a class="source-online" href="https://doi.org/1/2" aria-label="Ng onli'
    """
    return CITED.sub(lambda cited: cited[0] + _link(cited["entry"], cited["name"]), body)


def _link(entry: str, name: str) -> str:
    found = ADDRESS.search(entry)
    if found is None:
        return ""
    address = ("https://doi.org/" if found["kind"] == "doi:" else "") + found["place"]
    return (
        f'<a class="source-online" href="{address}" aria-label="{TAG.sub("", name)} online">'
        '<i class="fa-solid fa-arrow-up-right-from-square" aria-hidden="true"></i></a>'
    )


def add_links(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Put the links into a page."""
    if "body" in context:
        context["body"] = with_sources(context["body"])


def setup(app: Sphinx) -> None:
    """Add links to pages that are about to be written."""
    app.connect("html-page-context", add_links)
