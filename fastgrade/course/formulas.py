"""Formulas of a submission as MathML, which a browser shows without any script."""

from __future__ import annotations

import html
import re
import secrets

from bs4 import BeautifulSoup
from latex2mathml.converter import convert

from fastgrade.course.harmless_html import words

__all__ = ["Formulas", "mathml"]

_MATH_TAGS = words(
    "math menclose mfrac mi mn mo mover mpadded mphantom mroot mrow ms mspace msqrt mstyle msub",
    "msubsup msup mtable mtd mtext mtr munder munderover",
)
_MATH_ATTRIBUTES = words(
    "accent accentunder columnalign columnlines columnspacing depth display displaystyle fence",
    "form height linebreak linethickness lspace mathsize mathvariant maxsize minsize movablelimits",
    "notation rowlines rowspacing rspace scriptlevel separator stretchy symmetric width xmlns",
)
_LONGEST_FORMULA = 5_000


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


class Formulas:
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
