"""matplotlib's backend in the page: a figure is shown below its cell, by ``course_session``."""

from __future__ import annotations

import html
import re
from typing import Any

import regbook.figures
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas  # noqa: F401

#: Style, variant, weight and stretch, as far as they are not the usual ones; size; families.
FONT = re.compile(r'font: ((?:[\w-]+ )*)([\d.]+px) ([^;"]*)')
SIGNS = re.compile(r'<tspan style="([^"]*)" x="([^"]* [^"]*)" y="([^"]*)">([^<]*)</tspan>')


def show(*_: object, **__: object) -> None:
    """Show what pyplot holds, as ``plt.show()`` does in a notebook."""
    import course_session

    course_session.flush_figures()


def one_each(svg: str) -> str:
    """Return a drawing in which each sign of a formula has an element of its own.

    The matplotlib of the page puts those of one style together, the one that builds the book does
    not, and what brings a drawing into the page's look expects the latter.

    Examples
    --------
    >>> one_each('<tspan style="s" x="0 6.7" y="1">10</tspan>')
    '<tspan style="s" x="0" y="1">1</tspan><tspan style="s" x="6.7" y="1">0</tspan>'
    """

    def apart(found: re.Match[str]) -> str:
        style, xs, ys, signs = found[1], found[2].split(), found[3].split(), html.unescape(found[4])
        ys = ys * len(xs) if len(ys) == 1 else ys
        return "".join(
            f'<tspan style="{style}" x="{x}" y="{y}">{html.escape(sign)}</tspan>'
            for x, y, sign in zip(xs, ys, signs, strict=True)
        )

    return SIGNS.sub(apart, svg)


def spelled_out(font: re.Match[str]) -> str:
    """Return a font's size, families, style and weight, each under its own name."""
    kinds = {"italic": "font-style", "oblique": "font-style"}
    more = [f"{kinds.get(word, 'font-weight')}: {word}" for word in font[1].split()]
    return "; ".join([*more, f"font-size: {font[2]}", f"font-family: {font[3]}"])


def as_built(svg: str) -> str:
    """Return a drawing as the matplotlib that builds the book would write it."""
    return one_each(FONT.sub(spelled_out, svg))


def get_figure(artist: Any, root: bool = False) -> Any:
    """Return an artist's figure, or the one around its subfigure, as a newer matplotlib does."""
    return artist.figure.figure if root else artist.figure


Artist.get_figure = get_figure
_for_the_page = regbook.figures.for_the_page
regbook.figures.for_the_page = lambda svg, kind: _for_the_page(as_built(svg), kind)
