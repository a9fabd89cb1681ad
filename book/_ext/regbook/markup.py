"""One node for any HTML element, so that a directive needs no node class of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

INLINE = frozenset({"label", "span", "a"})
VOID = frozenset({"input", "br", "hr", "img"})


class Markup(nodes.General, nodes.Element):
    """An HTML element; writers of other formats see only its children.

    Parameters
    ----------
    tag : str
        Name of the element.
    children : iterable of nodes
        What stands inside.
    **attributes
        Attributes of the element: ``True`` stands for one without a value, ``None`` for none
        at all, and an underscore in a name for a hyphen (``class_`` for ``class``).
    """

    def __init__(
        self, tag: str = "div", children: Iterable[nodes.Node] = (), **attributes: Any
    ) -> None:
        super().__init__("", *children)
        self["tag"] = tag
        self["html"] = {
            name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()
        }

    def copy(self) -> Markup:
        """Return the element without its children."""
        copy = Markup(self["tag"])
        copy["html"] = dict(self["html"])
        copy.source, copy.line = self.source, self.line
        return copy


def _visit_html(translator: Any, node: Markup) -> None:
    attributes = "".join(
        f" {name}" if value is True else f' {name}="{translator.attval(str(value))}"'
        for name, value in node["html"].items()
        if value is not None and value is not False
    )
    translator.body.append(f"<{node['tag']}{attributes}>")


def _depart_html(translator: Any, node: Markup) -> None:
    if node["tag"] not in VOID:
        end = "" if node["tag"] in INLINE else "\n"
        translator.body.append(f"</{node['tag']}>{end}")


def _pass(translator: Any, node: Markup) -> None:
    """Say nothing of the element itself."""


def setup(app: Sphinx) -> None:
    """Register the node."""
    app.add_node(
        Markup,
        html=(_visit_html, _depart_html),
        text=(_pass, _pass),
        latex=(_pass, _pass),
        man=(_pass, _pass),
        texinfo=(_pass, _pass),
    )
