"""``{result}`name` ``: what a cell of the page has found, inserted where it is read.

A cell says ``experiments.state(name=text)``. The role works wherever Markdown does, before the
cell as well as after it; in alternative texts, which are no Markdown, the same signs do.
``{given}`0.5` `` marks a number that is no result, for the check in :mod:`regbook.typed_numbers`.
"""

from __future__ import annotations

import html
import json
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from reglib.experiments.stated import PREFIX, RESULTS

LOGGER = logging.getLogger(__name__)
IN_TEXT = re.compile(r"\{result\}`([^`]*)`")
RESULT, GIVEN = "result", "given"


class Insert(nodes.Inline, nodes.TextElement):
    """A place where a result is to stand, until the page has been read."""


class ResultRole(SphinxRole):
    """``{result}`name` ``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the place."""
        place = Insert(self.rawtext, "")
        place["result"] = self.text.strip()
        self.set_source_info(place)
        return [place], []


class GivenRole(SphinxRole):
    """``{given}`0.5` ``: a setting, or a number from elsewhere; no result of the page."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the text as it is."""
        return [nodes.inline(self.rawtext, self.text, classes=[GIVEN])], []


class Results:
    """What the cells of a page have stated, by name."""

    def __init__(self, env: BuildEnvironment, docname: str) -> None:
        self.texts: dict[str, str] = {}
        self.twice: set[str] = set()
        if not getattr(env, "nb_metadata", {}).get(docname, {}).get("glue"):
            return
        path = Path(env.mystnb_config.output_folder, f"{docname}.glue.json")
        kind = RESULTS.removeprefix(PREFIX)
        for output in json.loads(path.read_text(encoding="utf-8")).values():
            for name, text in output["data"].get(kind, {}).items():
                if name in self.texts:
                    self.twice.add(name)
                self.texts[name] = text

    def find(self, name: str, location: Any) -> str:
        """Return a result's text; where there is none, warn and return what was asked for."""
        if name in self.texts:
            return self.texts[name]
        near = get_close_matches(name, self.texts, n=3, cutoff=0.5)
        known = " or ".join(map(repr, near)) or ", ".join(sorted(self.texts)) or "none at all"
        LOGGER.warning(
            "no cell of this page states a result %r; it has %s",
            name,
            known,
            location=location,
            type="regbook",
            subtype="result",
        )
        return f"{{result}}`{name}`"

    def inserted(self, text: str, location: Any) -> str:
        """Return a plain text with its results in their places."""
        return IN_TEXT.sub(lambda found: self.find(found[1].strip(), location), text)


class InsertResults(SphinxTransform):
    """Put the results where the page asks for them, once all of it has been read."""

    default_priority = 200

    def apply(self, **_: Any) -> None:
        """Replace the places, and fill in alternative texts."""
        docname = self.env.docname
        results = Results(self.env, docname)
        for name in sorted(results.twice):
            LOGGER.warning(
                "two cells of this page state a result %r", name, location=docname, type="regbook"
            )
        for place in list(self.document.findall(Insert)):
            text = results.find(place["result"], place)
            place.replace_self(nodes.inline(place.rawsource, text, classes=[RESULT]))
        for node in self.document.findall(nodes.Element):
            alt = node.get("alt")
            if isinstance(alt, str) and IN_TEXT.search(alt):
                node["typed"] = alt
                node["alt"] = results.inserted(alt, node if node.line else docname)
                if isinstance(node, nodes.raw):
                    _rename(node, alt, node["alt"])


def _rename(drawing: nodes.raw, before: str, after: str) -> None:
    """Give a drawing that is part of the page another accessible name."""
    text = drawing.astext()
    old, new = (f'aria-label="{html.escape(text)}"' for text in (before, after))
    drawing.children = [nodes.Text(text.replace(old, new))]


def setup(app: Sphinx) -> None:
    """Register the roles and the transform."""
    app.add_role("result", ResultRole())
    app.add_role("given", GivenRole())
    app.add_transform(InsertResults)
