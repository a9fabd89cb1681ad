"""Figures that move: frames computed beforehand, one of them shown, a slider to choose it.

A :class:`Panel` draws marks as SVG; :func:`figure` puts the frames of one or more panels, a slider
and a table of the numbers into one piece of HTML. The book's script moves it. Without a script, in
print and in a notebook three of the frames stand one below the other. Colors are the book's own, by
name, and follow light and dark. A panel is as wide as a phone, so that its text is legible there;
two stand side by side on a larger screen.

Nothing but NumPy is needed, except for a region, whose outline contourpy traces.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Choice, Dict, Flag, Integer, List, Number, Text, arguments
from reglib._typing import ArrayLike
from reglib._validation import check_array

__all__ = ["COLORS", "Figure", "Panel", "figure"]

#: Names of the colors, and what each is where the book's style sheet is not.
COLORS = {
    "ink": "currentColor",
    "quiet": "#808080",
    "line": "#a0a0a0",
    "accent": "#0072b2",
    "warm": "#d55e00",
    "plum": "#a0509a",
    "good": "#2e8b57",
    "bad": "#c8443a",
}
_COLOR = Choice(*COLORS)

# Half a pixel is the unit: coordinates are whole numbers, which compress well.
_WIDTH, _HEIGHT, _TEXT = 680, 500, 26
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 656, 48, 424
_SHADES = 8
_ID = "\0"  # stands for the figure's own name until that is known
_SLACK = 1.0  # how far a simplified line may be from the true one


@dataclass(frozen=True)
class Figure:
    """A finished figure: a notebook shows its ``html``, a terminal its ``name``."""

    html: str
    name: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.name


class Panel:
    """Axes of a fixed size, whose methods return marks as SVG.

    Parameters
    ----------
    title : str
        What stands above: what the vertical axis is, if there is one.
    x, y : (float, float), optional
        Limits of the axes. Without them there are no axes, and only :meth:`cells` to draw.
    xlabel : str
        What the horizontal axis is.
    xlog : bool
        Whether the horizontal axis is logarithmic.
    xticks : mapping of float to str, optional
        What stands where below the horizontal axis, in place of round numbers.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> panel = Panel("loss", (0, 10), (0, 1))
    >>> panel.line([0, 10], [1, 0])
    '<path d="M80 48l576 376" fill="none" stroke="var(--book-accent,#0072b2)" stroke-width="4"/>'
    """

    @arguments(title=Text(), xlabel=Text(), xlog=Flag(), xticks=Dict({0.5: "half"}))
    def __init__(
        self,
        title: str,
        x: tuple[float, float] | None = None,
        y: tuple[float, float] | None = None,
        *,
        xlabel: str | None = None,
        xlog: bool = False,
        xticks: Mapping[float, str] | None = None,
    ) -> None:
        self.title, self.xlabel, self.xlog = title, xlabel, xlog
        self.limits: NDArray | None = None
        if x is None and y is None:
            return
        self.limits = np.array([_limits("x", x), _limits("y", y)])
        if xlog and self.limits[0, 0] <= 0:
            raise ValueError(f"x must be above 0 on a logarithmic axis, got {x}")
        self.xticks = _ticks(*self.limits[0], log=xlog) if xticks is None else dict(xticks)

    @arguments(
        x=Array(1, dtype=np.float64),
        y=Array(1, dtype=np.float64),
        color=_COLOR,
        width=Number("> 0"),
        dashed=Flag(),
    )
    def line(
        self,
        x: ArrayLike,
        y: ArrayLike,
        color: str = "accent",
        *,
        width: float = 2,
        dashed: bool = False,
    ) -> str:
        """Return a line through points, ``width`` pixels wide."""
        dash = ' stroke-dasharray="9 7"' if dashed else ""
        return (
            f'<path d="{_path(self._places(x, y))}" fill="none" stroke="{_paint(color)}" '
            f'stroke-width="{2 * width:g}"{dash}/>'
        )

    @arguments(
        x=Array(1, dtype=np.float64),
        y=Array(1, dtype=np.float64),
        color=_COLOR,
        size=Number("> 0"),
    )
    def dots(self, x: ArrayLike, y: ArrayLike, color: str = "accent", *, size: float = 7) -> str:
        """Return dots, ``size`` pixels wide."""
        # A line without length, with a round end, is a dot.
        path = "".join(f"M{a} {b}h0" for a, b in _whole(self._places(x, y)))
        return (
            f'<path d="{path}" stroke="{_paint(color)}" stroke-width="{2 * size:g}" '
            'stroke-linecap="round"/>'
        )

    @arguments(
        x=Array(1, dtype=np.float64),
        y=Array(1, dtype=np.float64),
        color=_COLOR,
        width=Number("> 0"),
    )
    def bars(self, x: ArrayLike, y: ArrayLike, color: str = "accent", *, width: float = 0.8) -> str:
        """Return bars from 0 to y, ``width`` wide as x counts."""
        corners = [self._places(x - width / 2, 0 * y), self._places(x + width / 2, y)]
        path = "".join(
            f"M{a} {b}h{c - a}v{d - b}h{a - c}z"
            for (a, b), (c, d) in zip(*map(_whole, corners), strict=True)
            if b != d
        )
        return f'<path d="{path}" fill="{_paint(color)}"/>'

    @arguments(resolution=Integer(">= 2"))
    def grid(self, resolution: int = 60) -> NDArray:
        """Return points that cover the panel and a rim around it, shape (resolution², 2)."""
        rim = 0.03 * np.ptp(self._axes(), axis=1)  # it is cut off, and an outline on it with it
        sides = np.linspace(self._axes()[:, 0] - rim, self._axes()[:, 1] + rim, resolution).T
        return np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)

    @arguments(z=Array(dtype=np.float64), color=_COLOR)
    def region(self, z: ArrayLike, color: str = "accent") -> str:
        """Return the region in which a function exceeds ½, from its values on :meth:`grid`."""
        from contourpy import contour_generator

        side = math.isqrt(z.size)
        if side < 2 or side**2 != z.size:
            raise ValueError(f"z must hold a value for each point of grid(), got {z.shape}")
        x, y = self.grid(side).reshape(side, side, 2).transpose(2, 0, 1)
        tracer = contour_generator(x, y, z.reshape(side, side), fill_type="OuterOffset")
        outlines = [
            points[start:end]
            for points, offsets in zip(*tracer.filled(0.5, np.inf), strict=True)
            for start, end in pairwise(offsets)
        ]
        path = "".join(_path(self._scale(outline)) + "z" for outline in outlines)
        box = (_LEFT, _TOP, _RIGHT - _LEFT, _BOTTOM - _TOP)
        inner = 'x="{}" y="{}" width="{}" height="{}" viewBox="{} {} {} {}"'.format(*box, *box)
        return (
            f'<svg {inner}><path d="{path}" fill="{_paint(color)}" fill-opacity=".22" '
            f'fill-rule="evenodd" stroke="{_paint("ink")}" stroke-width="3"/></svg>'
        )

    @arguments(values=Array(2, dtype=np.float64), color=_COLOR)
    def cells(self, values: ArrayLike, color: str = "ink") -> str:
        """Return a matrix as squares, empty at 0 and full at 1, in eight shades."""
        rows, columns = values.shape
        side = min(_WIDTH // columns, (_HEIGHT - _TOP) // rows)
        left = (_WIDTH - side * columns) // 2
        size = side - max(2, side // 8)
        shades = np.rint(np.clip(values, 0, 1) * _SHADES).astype(int)
        drawn = []
        for shade in range(_SHADES + 1):
            path = "".join(
                f"M{left + j * side} {_TOP + i * side}h{size}v{size}h-{size}z"
                for i, j in np.argwhere(shades == shade)
            )
            look = f'fill-opacity="{shade / _SHADES:.2g}"'
            if shade == 0:
                look = f'fill="none" stroke="{_paint("line")}"'
            drawn += [f'<path d="{path}" {look}/>'] * bool(path)
        return f'<g fill="{_paint(color)}">{"".join(drawn)}</g>'

    @arguments(
        x=Number(),
        y=Number(),
        text=Text(),
        color=_COLOR,
        anchor=Choice("start", "middle", "end"),
    )
    def text(
        self, x: float, y: float, text: str, color: str = "ink", *, anchor: str = "start"
    ) -> str:
        """Return words that start at a place, end there or have their middle there."""
        ((a, b),) = _whole(self._places([x], [y]))
        return _words(a, b, text, anchor, color)

    def axes(self) -> str:
        """Return what every frame has: the title, the axes, and numbers along them."""
        parts = [_words(0, _TEXT - 2, self.title, "start", weight="bold")]
        if self.limits is not None:
            (left, _), (low, high) = self.limits
            path = f'd="M{_LEFT} {_TOP}V{_BOTTOM}H{_RIGHT}"'
            parts.append(f'<path {path} fill="none" stroke="{_paint("quiet")}" stroke-width="2"/>')
            for value, words in self.xticks.items():
                ((a, _),) = _whole(self._places([value], [low]))
                parts.append(_words(a, _BOTTOM + _TEXT + 6, words, "middle"))
            for value, words in _ticks(low, high).items():
                ((_, b),) = _whole(self._places([left], [value]))
                parts.append(_words(_LEFT - 8, b + 9, words, "end"))
        if self.xlabel:
            parts.append(_words((_LEFT + _RIGHT) // 2, _HEIGHT - 8, self.xlabel, "middle"))
        return "".join(parts)

    def _axes(self) -> NDArray:
        """Return the limits of both axes, shape (2, 2)."""
        if self.limits is None:
            raise ValueError(f"panel {self.title!r} must have limits x and y for this, got None")
        return self.limits

    def _places(self, x: ArrayLike, y: ArrayLike) -> NDArray:
        """Return where points, which must be within the axes, lie in the drawing, shape (n, 2)."""
        if np.shape(x) != np.shape(y):
            raise ValueError(f"x and y must be of one length, got {len(x)} and {len(y)}")
        points = np.stack([x, y], axis=1)
        slack = 1e-6 * np.ptp(self._axes(), axis=1)
        for name, values, (low, high), more in zip(
            "xy", points.T, self._axes(), slack, strict=True
        ):
            for value in (values.min(), values.max()):
                if not low - more <= value <= high + more:
                    raise ValueError(
                        f"{name} must be within the panel's {low:g} to {high:g}, got {value:g}"
                    )
        return self._scale(points)

    def _scale(self, points: NDArray) -> NDArray:
        """Return where points lie in the drawing, shape (n, 2)."""
        (left, right), (low, high) = self._axes()
        x, y = points.T
        if self.xlog:
            left, right, x = np.log10(left), np.log10(right), np.log10(x)
        across = _LEFT + (x - left) / (right - left) * (_RIGHT - _LEFT)
        return np.stack([across, _BOTTOM - (y - low) / (high - low) * (_BOTTOM - _TOP)], axis=1)


@arguments(label=Text(), panels=List("panels"), frames=Dict())
def figure(
    label: str,
    panels: Sequence[tuple[Panel, str]],
    frames: Mapping[str, tuple[Sequence[str], Mapping[str, Any]]],
    *,
    start: str | None = None,
) -> Figure:
    """Return a figure with a slider that chooses which frame is shown.

    Parameters
    ----------
    label : str
        What the slider changes.
    panels : list of (Panel, str)
        The panels, each with the marks that stay.
    frames : dict
        The frames by the value that the slider shows, in its order. A frame is the marks of each
        panel, and the numbers by their names: the same names in every frame.
    start : str, optional
        The value of the frame that is shown first; by default the one in the middle. With the
        first and the last frame it stands for the figure where nothing can move.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit, or frames differ in their panels or names of numbers.

    Examples
    --------
    >>> panel = Panel("share kept", (0, 1), (0, 1))
    >>> frames = {f"{p:g}": ([panel.bars([0.5], [p])], {"kept": p}) for p in (0.2, 0.5, 0.8)}
    >>> figure("keep_prob", [(panel, "")], frames)
    Figure that moves: share kept, for keep_prob from 0.2 to 0.8.
    """
    names = _check(panels, frames)
    order = list(frames)
    start = order[len(order) // 2] if start is None else start
    if start not in order:
        raise ValueError(f"start must be one of {', '.join(order)}, got {start!r}")
    first, count = order.index(start), len(panels)
    rows = [[_number(numbers[name]) for name in names] for _, numbers in frames.values()]
    drawings = [f'<g id="{_ID}-{j}">{p.axes()}{stays}</g>' for j, (p, stays) in enumerate(panels)]
    for i, (marks, _) in enumerate(frames.values()):
        drawings += [f'<g id="{_ID}-{j}-{i}">{mark}</g>' for j, mark in enumerate(marks)]
    stills = "".join(
        f'<div role="img" aria-label="{_spoken(label, names, order[i], rows[i])}">'
        f"<p>{escape(label)} = {escape(order[i])}</p>{_views(count, i)}</div>"
        for i in sorted({0, first, len(order) - 1})
    )
    titles = " and ".join(panel.title for panel, _ in panels)
    name = f"Figure that moves: {titles}, for {label} from {order[0]} to {order[-1]}."
    html = (
        f'<div class="moving" id="{_ID}">'
        '<svg width="0" height="0" style="position:absolute" aria-hidden="true">'
        f"<defs>{''.join(drawings)}</defs></svg>"
        f'<div class="moving-stage" role="img" aria-label="{escape(name)}" hidden>'
        f"{_views(count, first)}</div>"
        f'<div class="moving-control" hidden><label for="{_ID}-r">{escape(label)}</label>'
        f'<input type="range" id="{_ID}-r" max="{len(order) - 1}" value="{first}" '
        f'autocomplete="off"><output for="{_ID}-r" aria-live="off"></output></div>'
        f'<div class="moving-stills" role="group" aria-label="{escape(name)}">{stills}</div>'
        f"<details><summary>All {len(order)} frames in numbers</summary>"
        f"{_table(label, names, order, rows)}</details></div>"
    )
    digest = hashlib.sha256(html.encode()).hexdigest()[:6]
    return Figure(html.replace(_ID, f"moving-{digest}"), name)


def _check(panels: Any, frames: Any) -> list[str]:
    """Return the names of the numbers, which all frames share."""
    for panel in panels:
        if not (isinstance(panel, tuple) and len(panel) == 2 and isinstance(panel[0], Panel)):
            raise TypeError(f"panels must hold a Panel and its marks each, got {panel!r}")
    if not panels:
        raise ValueError("panels must not be empty, got []")
    if len(frames) < 2:
        raise ValueError(f"frames must be at least 2, got {len(frames)}")
    names = None
    for value, frame in frames.items():
        if not (isinstance(frame, tuple) and len(frame) == 2 and isinstance(frame[1], Mapping)):
            raise TypeError(f"frames[{value!r}] must be marks and a dict of numbers, got {frame!r}")
        marks, numbers = frame
        if len(marks) != len(panels):
            raise ValueError(
                f"frames[{value!r}] must have marks for {len(panels)} panels, got {len(marks)}"
            )
        names = list(numbers) if names is None else names
        if list(numbers) != names:
            raise ValueError(
                f"frames[{value!r}] must have the numbers {names}, got {list(numbers)}"
            )
    return names or []


def _limits(name: str, limits: Any) -> NDArray:
    pair = check_array(name, limits, shape=(2,), dtype=np.float64)
    if pair[0] >= pair[1]:
        raise ValueError(f"{name} must be rising limits, got {limits}")
    return pair


def _ticks(low: float, high: float, *, log: bool = False) -> dict[float, str]:
    """Return about five round numbers between two limits, as they are written."""
    if log:
        powers = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
        return {10.0**k: f"{10.0**k:g}" for k in powers}
    rough = (high - low) / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    step = unit * min((1, 2, 2.5, 5, 10), key=lambda factor: abs(math.log(factor * unit / rough)))
    steps = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return {k * step: f"{k * step:g}".replace("-", "−") for k in steps}


def _paint(color: str) -> str:
    return f"var(--book-{color},{COLORS[color]})"


def _words(x: int, y: int, text: str, anchor: str, color: str = "ink", weight: str = "") -> str:
    bold = f' font-weight="{weight}"' if weight else ""
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{_paint(color)}"{bold}>'
        f"{escape(text)}</text>"
    )


def _whole(places: NDArray) -> list[list[int]]:
    return np.rint(places).astype(int).tolist()


def _path(places: NDArray) -> str:
    """Return a line through places, without those that hardly bend it, as SVG writes it."""
    places = np.array(_whole(places[_bends(places)]))
    x, y = places[0]
    steps = np.diff(places, axis=0)
    text = " ".join(f"{a} {b}" for a, b in steps[steps.any(axis=1)])
    return f"M{x} {y}l{text or '0 0'}".replace(" -", "-")


def _bends(places: NDArray) -> list[int]:
    """Return the places that a line needs so as to pass all others closely (Douglas, Peucker)."""
    kept, open_ = {0, len(places) - 1}, [(0, len(places) - 1)]
    while open_:
        start, end = open_.pop()
        if end - start < 2:
            continue
        along, between = places[end] - places[start], places[start + 1 : end] - places[start]
        length = math.hypot(*along)
        far = (
            np.abs(between @ [-along[1], along[0]]) / length
            if length
            else np.hypot(*between.T)  # the line comes back to where it started
        )
        if far.max() > _SLACK:
            middle = start + 1 + int(far.argmax())
            kept.add(middle)
            open_ += [(start, middle), (middle, end)]
    return sorted(kept)


def _number(value: Any) -> str:
    """Return a number in three digits, or as many as it is whole or written in, with a minus."""
    text = str(value) if isinstance(value, (str, Integral)) else f"{value:#.3g}".rstrip(".")
    return re.sub(r"(?<!\w)-(?=[\d.])", "−", text)


def _spoken(label: str, names: list[str], value: str, numbers: list[str]) -> str:
    parts = [f"{label} = {value}", *map(" ".join, zip(names, numbers, strict=True))]
    return escape(", ".join(parts))


def _views(panels: int, frame: int) -> str:
    """Return one frame: of each panel a drawing that borrows what stays and what moves."""
    return "".join(
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH // 2}" font-size="{_TEXT}" '
        f'font-family="sans-serif"><use href="#{_ID}-{j}"/><use href="#{_ID}-{j}-{frame}"/></svg>'
        for j in range(panels)
    )


def _table(label: str, names: list[str], order: list[str], rows: list[list[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in [label, *names])
    body = "".join(
        f'<tr><th scope="row">{escape(value)}</th>'
        + "".join(f"<td>{escape(number)}</td>" for number in row)
        + "</tr>"
        for value, row in zip(order, rows, strict=True)
    )
    return (
        '<div class="table-scroll" tabindex="0"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
