r"""Formulas become MathML when the book is built: browsers draw it, and a page needs no script.

What cannot be converted stops the build. ``formula_macros`` in the configuration names the macros
of the book, as in ``norm: "\\lVert #1 \\rVert"``.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

LOGGER = logging.getLogger(__name__)


@cache
def converter(macros: tuple[tuple[str, str], ...]) -> LatexToMathML:
    """Return a converter that knows some macros, by name and body."""
    return LatexToMathML(macros=dict(macros), fancy_error=False)


def mathml(source: str, display: bool = False, macros: dict[str, str] | None = None) -> str:
    r"""Return a formula in LaTeX as a ``math`` element.

    Raises
    ------
    LatexError
        If the source is not LaTeX, or no browser could draw it.

    Examples
    --------
    >>> mathml("x^2")
    '<math><msup><mi>x</mi><mn>2</mn></msup></math>'
    >>> mathml(r"\R", macros={"R": r"\mathbb{R}"})
    '<math><mi>ℝ</mi></math>'
    """
    known = tuple(sorted((macros or {}).items()))
    return converter(known).convert_with_local_state(source, displaystyle=display)


def _append(translator: Any, node: nodes.Element, display: bool) -> None:
    source = node.astext()
    try:
        element = mathml(source, display, translator.config.formula_macros)
    except LatexError as error:
        LOGGER.warning("formula %r: %s", source, error, location=node)
        element = f"<code>{translator.encode(source)}</code>"
    translator.body.append(element)


def visit_inline(translator: Any, node: nodes.math) -> None:
    """Write a formula that stands in a line."""
    _append(translator, node, display=False)
    raise nodes.SkipNode


def visit_display(translator: Any, node: nodes.math_block) -> None:
    """Write a formula that stands alone, with its number if it has one."""
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, _("Link to this equation"))
        translator.body.append("</span>")
    _append(translator, node, display=True)
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Draw formulas this way, and know the book's macros."""
    app.add_config_value("formula_macros", {}, "html", dict)
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
